package ai.longer.benchmarks.quality;

import ai.longer.evaluation.Bootstrap;
import ai.longer.evaluation.Bootstrap.Interval;
import ai.longer.evaluation.Predictions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/**
 * Everything that the trainings of one experiment show, small enough to be kept.
 *
 * @param models in the experiment's order; those without a finished training are left out
 * @param differences first contender less each other, in the same order
 * @param byHistory AUC by length of the full history
 * @param searches validation AUC of each grid point, by contender; points not run are left out
 */
record Summary(
    Experiment experiment,
    Description data,
    Map<String, Object> machine,
    List<Model> models,
    List<Difference> differences,
    List<HistoryClass> byHistory,
    Map<String, Map<String, Double>> searches) {
  static final String EXPERIMENT_FILE = "experiment.json";
  static final String DATA_FILE = "data.json";

  private static final int REPLICATES = 2000;
  private static final long BOOTSTRAP_SEED = 1;
  private static final int[] HISTORY_STARTS = {0, 50, 100, 200, 500, 1000, 2000, 5000};

  /** A mean over seeds and how far the seeds lie from it. */
  record Spread(double mean, double deviation) {
    static Spread of(List<Run> runs, ToDoubleFunction<RunResult> figure) {
      double[] values = runs.stream().mapToDouble(r -> figure.applyAsDouble(r.result())).toArray();
      double mean =
          Stream.of(values).flatMapToDouble(java.util.Arrays::stream).sum() / values.length;
      double squares = 0;
      for (double value : values) {
        squares += (value - mean) * (value - mean);
      }
      return new Spread(mean, values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1)));
    }
  }

  /** One contender over its seeds. */
  record Model(
      String contender,
      int seeds,
      Spread auc,
      Spread gauc,
      Spread logLoss,
      Spread normalizedEntropy,
      double flops,
      long parameters,
      double seconds,
      Setting setting,
      Map<String, Double> inspection) {}

  /** AUC of the first contender less that of another: mean over seeds, 95 % bounds over users. */
  record Difference(String than, int seeds, double estimate, double lower, double upper) {}

  /** Test rows whose history had so many events, and each contender's mean AUC on them. */
  record HistoryClass(String events, int rows, Map<String, Double> auc) {
    double auc(String contender) {
      return Objects.requireNonNull(auc.get(contender), contender);
    }
  }

  /** A final training and its scores. */
  record Run(RunResult result, Scored scored) {}

  /**
   * Reads and compares the results of one experiment.
   *
   * @param folders as a {@link Runner} left them, of one experiment
   * @throws IllegalArgumentException if two trainings scored different test rows
   */
  static Summary of(List<Path> folders) {
    Experiment experiment = Json.read(folders.get(0).resolve(EXPERIMENT_FILE), Experiment.class);
    Description data = Json.read(folders.get(0).resolve(DATA_FILE), Description.class);
    Map<String, TreeMap<Long, Run>> runs = new LinkedHashMap<>();
    Map<String, Map<String, Double>> searches = new LinkedHashMap<>();
    experiment.contenders().forEach(c -> runs.put(c.name(), new TreeMap<>()));
    for (Path file : results(folders)) {
      RunResult result = Json.read(file, RunResult.class);
      TreeMap<Long, Run> ofContender = runs.get(result.contender());
      if (ofContender == null) {
        continue;
      }
      if (result.test() == null) {
        searches
            .computeIfAbsent(result.contender(), c -> new LinkedHashMap<>())
            .put(result.setting().title(), result.searched());
      } else if (!ofContender.containsKey(result.seed())) {
        String name = file.getFileName().toString().replaceAll("\\.json$", ".scores.gz");
        Scored scored = Scored.read(file.resolveSibling(name));
        ofContender.put(result.seed(), new Run(result, scored));
      }
    }
    runs.values().removeIf(Map::isEmpty);
    checkRows(runs);
    List<Model> models = new ArrayList<>();
    runs.forEach((name, ofSeeds) -> models.add(model(name, List.copyOf(ofSeeds.values()))));
    return new Summary(
        experiment,
        data,
        runs.isEmpty() ? Map.of() : first(runs).result().machine(),
        models,
        differences(runs),
        runs.isEmpty() ? List.of() : byHistory(runs),
        searches);
  }

  private static Run first(Map<String, TreeMap<Long, Run>> runs) {
    return runs.values().iterator().next().firstEntry().getValue();
  }

  private static List<Path> results(List<Path> folders) {
    List<Path> files = new ArrayList<>();
    for (Path folder : folders) {
      try (Stream<Path> all = Files.list(folder)) {
        all.filter(f -> f.getFileName().toString().matches(".+\\.(search|seed)-\\d+\\.json"))
            .sorted()
            .forEach(files::add);
      } catch (IOException e) {
        throw new UncheckedIOException("[results] cannot list " + folder, e);
      }
    }
    return files;
  }

  private static void checkRows(Map<String, TreeMap<Long, Run>> runs) {
    String expected = null;
    for (TreeMap<Long, Run> ofContender : runs.values()) {
      for (Run run : ofContender.values()) {
        String rows = run.scored().fingerprint();
        expected = expected == null ? rows : expected;
        if (!rows.equals(expected)) {
          throw new IllegalArgumentException(
              "[results] %s scored other test rows (%s) than the first (%s)"
                  .formatted(run.result().contender(), rows, expected));
        }
      }
    }
  }

  private static Model model(String name, List<Run> runs) {
    RunResult last = runs.get(runs.size() - 1).result();
    Map<String, Double> inspection = new LinkedHashMap<>();
    for (String figure : test(last).inspection().keySet()) {
      inspection.put(
          figure, Spread.of(runs, r -> test(r).inspection().getOrDefault(figure, 0.0)).mean());
    }
    return new Model(
        name,
        runs.size(),
        Spread.of(runs, r -> test(r).auc()),
        Spread.of(runs, r -> test(r).gauc()),
        Spread.of(runs, r -> test(r).logLoss()),
        Spread.of(runs, r -> test(r).normalizedEntropy()),
        test(last).flops(),
        last.parameters(),
        Spread.of(runs, RunResult::seconds).mean(),
        last.setting(),
        inspection);
  }

  private static RunResult.Test test(RunResult result) {
    return Objects.requireNonNull(result.test());
  }

  private static List<Difference> differences(Map<String, TreeMap<Long, Run>> runs) {
    List<Difference> differences = new ArrayList<>();
    if (runs.isEmpty()) {
      return differences;
    }
    Map.Entry<String, TreeMap<Long, Run>> first = runs.entrySet().iterator().next();
    TreeMap<Long, Run> ours = first.getValue();
    for (Map.Entry<String, TreeMap<Long, Run>> other : runs.entrySet()) {
      List<Long> seeds = ours.keySet().stream().filter(other.getValue()::containsKey).toList();
      if (other.getKey().equals(first.getKey()) || seeds.isEmpty()) {
        continue;
      }
      Interval interval =
          Bootstrap.aucDifference(
              predictions(ours, seeds),
              predictions(other.getValue(), seeds),
              REPLICATES,
              BOOTSTRAP_SEED);
      differences.add(
          new Difference(
              other.getKey(),
              seeds.size(),
              interval.estimate(),
              interval.lower(),
              interval.upper()));
    }
    return differences;
  }

  private static List<Predictions> predictions(TreeMap<Long, Run> runs, List<Long> seeds) {
    return runs.values().stream()
        .filter(run -> seeds.contains(run.result().seed()))
        .map(run -> run.scored().predictions())
        .toList();
  }

  private static List<HistoryClass> byHistory(Map<String, TreeMap<Long, Run>> runs) {
    List<HistoryClass> classes = new ArrayList<>();
    int[] events = first(runs).scored().events();
    Predictions any = first(runs).scored().predictions();
    for (int c = 0; c < HISTORY_STARTS.length; c++) {
      int from = HISTORY_STARTS[c];
      boolean isLast = c + 1 == HISTORY_STARTS.length;
      int to = isLast ? Integer.MAX_VALUE : HISTORY_STARTS[c + 1];
      int rows = 0;
      for (int one : events) {
        rows += one >= from && one < to ? 1 : 0;
      }
      if (rows == 0 || !any.where(i -> events[i] >= from && events[i] < to).hasBothClasses()) {
        continue;
      }
      Map<String, Double> auc = new LinkedHashMap<>();
      runs.forEach(
          (name, ofSeeds) ->
              auc.put(
                  name,
                  ofSeeds.values().stream()
                      .map(run -> run.scored().predictions())
                      .mapToDouble(p -> p.where(i -> events[i] >= from && events[i] < to).auc())
                      .average()
                      .orElseThrow()));
      classes.add(new HistoryClass(isLast ? from + "+" : from + "–" + (to - 1), rows, auc));
    }
    return classes;
  }
}
