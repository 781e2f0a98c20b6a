package ai.longer.benchmarks.quality;

import ai.longer.Device;
import ai.longer.LongerConfig;
import ai.longer.LongerModel;
import ai.longer.benchmarks.Machine;
import ai.longer.data.Request;
import ai.longer.evaluation.Metrics;
import ai.longer.evaluation.Predictions;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Runs an experiment: searches the grid on the validation requests, then trains and tests the best
 * point. Every training leaves a file; those that are there already are not run again.
 */
final class Runner {
  /** The search trains with this seed, the final trainings with 1, 2, … */
  private static final long SEARCH_SEED = 0;

  /**
   * How to run.
   *
   * @param seeds final trainings of each contender
   * @param smoke requests of each part; 0 = all
   */
  record Options(Device device, int seeds, int smoke) {}

  private final Experiment experiment;
  private final DataSet data;
  private final Split split;
  private final Options options;
  private final Path folder;
  private final Executor executor;
  private final Progress progress;

  /**
   * @param out where the folder of this experiment is made
   */
  Runner(
      Experiment experiment,
      DataSet data,
      Options options,
      Path out,
      Executor executor,
      Progress progress) {
    this.experiment = experiment;
    this.data = data;
    this.options = options;
    this.executor = executor;
    this.progress = progress;
    Split all = data.split();
    this.split = options.smoke() > 0 ? all.head(options.smoke()) : all;
    try {
      this.folder = Files.createDirectories(out.resolve(experiment.name()));
    } catch (IOException e) {
      throw new UncheckedIOException("[results] cannot make a folder in " + out, e);
    }
  }

  /** Writes what the results are of, for whoever merges them. */
  void describe() {
    Json.write(folder.resolve(Summary.EXPERIMENT_FILE), experiment);
    Json.write(folder.resolve(Summary.DATA_FILE), Description.of(split));
  }

  /** Starts everything about one contender. */
  CompletableFuture<Void> start(Contender contender) {
    List<Setting> grid = experiment.grid();
    boolean needsSearch = grid.size() > 1;
    progress.expect((needsSearch ? grid.size() : 0) + options.seeds());
    Split seen = contender.apply(split);
    List<CompletableFuture<RunResult>> searches = new ArrayList<>();
    for (int point = 0; needsSearch && point < grid.size(); point++) {
      int index = point;
      searches.add(CompletableFuture.supplyAsync(() -> search(contender, seen, index), executor));
    }
    return all(searches)
        .thenCompose(
            found -> {
              int best = found.stream().max(BY_VALIDATION).map(RunResult::point).orElse(0);
              List<CompletableFuture<RunResult>> tests = new ArrayList<>();
              for (long seed = 1; seed <= options.seeds(); seed++) {
                long one = seed;
                tests.add(
                    CompletableFuture.supplyAsync(
                        () -> test(contender, seen, best, one), executor));
              }
              return all(tests);
            })
        .thenAccept(tests -> {});
  }

  private static final Comparator<RunResult> BY_VALIDATION =
      Comparator.comparingDouble(RunResult::searched)
          .thenComparing(Comparator.comparingInt(RunResult::point).reversed());

  private static CompletableFuture<List<RunResult>> all(
      List<CompletableFuture<RunResult>> futures) {
    return CompletableFuture.allOf(futures.toArray(new CompletableFuture<?>[0]))
        .thenApply(done -> futures.stream().map(CompletableFuture::join).toList());
  }

  private RunResult search(Contender contender, Split seen, int point) {
    String job = "%s.search-%d".formatted(contender.name(), point);
    return run(contender, point, SEARCH_SEED, job, seen.training(), seen.validation(), null);
  }

  private RunResult test(Contender contender, Split seen, int point, long seed) {
    String job = "%s.seed-%d".formatted(contender.name(), seed);
    return run(contender, point, seed, job, seen.trainingAndValidation(), List.of(), seen.test());
  }

  private RunResult run(
      Contender contender,
      int point,
      long seed,
      String job,
      List<Request> training,
      List<Request> validation,
      @Nullable List<Request> test) {
    Path file = folder.resolve(job + ".json");
    String fingerprint = fingerprint(contender, point, seed);
    Optional<RunResult> earlier = RunResult.find(file, fingerprint);
    if (earlier.isPresent()) {
      progress.skip();
      return earlier.get();
    }
    String shown = experiment.name() + "/" + job;
    progress.update(shown, 0, Double.NaN);
    Setting setting = experiment.grid().get(point);
    LongerConfig config = contender.config(data.schema(), experiment.model(), setting);
    long start = System.nanoTime();
    try (Learner learner =
        Learners.create(
            contender,
            config,
            options.device(),
            setting.options(experiment.schedule(), training.size(), seed))) {
      Training runs = new Training(learner, setting, experiment.schedule().batchSize(), seed);
      List<Training.Epoch> epochs =
          runs.run(training, validation, (done, loss) -> progress.update(shown, done, loss));
      double seconds = (System.nanoTime() - start) / 1e9;
      RunResult.Test figures = test == null ? null : measure(learner, runs, test, job);
      RunResult result =
          new RunResult(
              experiment.name(),
              contender.name(),
              fingerprint,
              seed,
              point,
              setting,
              epochs,
              seconds,
              learner.parameters(),
              Machine.describe(),
              figures);
      Json.write(file, result);
      progress.finish(
          shown,
          figures == null
              ? "validation AUC %.4f".formatted(result.searched())
              : "test AUC %.4f".formatted(figures.auc()));
      return result;
    }
  }

  private RunResult.Test measure(Learner learner, Training runs, List<Request> test, String job) {
    Predictions predictions = runs.predict(test);
    Scored scored = new Scored(predictions, Scored.events(split.test()));
    scored.write(folder.resolve(job + ".scores.gz"));
    Map<String, Double> inspection = new LinkedHashMap<>();
    learner
        .longer()
        .ifPresent(
            model -> {
              try (LongerModel closed = model) {
                inspection.putAll(data.inspect(closed, test));
              }
            });
    return new RunResult.Test(
        predictions.auc(),
        gauc(predictions),
        predictions.logLoss(),
        predictions.normalizedEntropy(),
        test.stream().mapToDouble(learner::flops).average().orElseThrow(),
        scored.fingerprint(),
        inspection);
  }

  /** NaN if no user has both classes, as can happen with a handful of requests. */
  private static double gauc(Predictions predictions) {
    try {
      return Metrics.gauc(predictions.scores(), predictions.labels(), predictions.users());
    } catch (IllegalArgumentException e) {
      return Double.NaN;
    }
  }

  /** Of everything that decides a training's result, the code apart. */
  private String fingerprint(Contender contender, int point, long seed) {
    Map<String, Object> deciding = new LinkedHashMap<>();
    deciding.put("data", experiment.data());
    deciding.put("model", experiment.model());
    deciding.put("schedule", experiment.schedule());
    deciding.put("setting", experiment.grid().get(point));
    deciding.put("kind", contender.kind());
    deciding.put("history", contender.history());
    deciding.put("config", contender.config());
    deciding.put("seed", seed);
    deciding.put("smoke", options.smoke());
    String text = Json.tree(deciding).toString();
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest, 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("[results] this Java has no SHA-256", e);
    }
  }
}
