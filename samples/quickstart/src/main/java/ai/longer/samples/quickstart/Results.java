package ai.longer.samples.quickstart;

import ai.longer.LongerConfig;
import ai.longer.evaluation.Bootstrap;
import ai.longer.evaluation.Calibration;
import ai.longer.evaluation.Predictions;
import ai.longer.training.EpochResult;
import ai.longer.training.ValidationResult;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Every figure of a run; {@code result.json} is its written form. */
record Results(
    DataSet data,
    JsonNode config,
    List<Model> models,
    List<Difference> differences,
    List<ByHistory> aucByHistoryLength,
    Recommendation recommendation,
    Latency latency,
    double seconds) {
  private static final int BUCKETS = 10;
  private static final int REPLICATES = 2000;
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  record DataSet(
      long users,
      long movies,
      long ratings,
      int trainingRequests,
      int validationRequests,
      int testRequests,
      int testCandidates,
      double clickRate) {
    static DataSet of(MovieLens data, Split split) {
      return new DataSet(
          data.numUsers(),
          data.numRatedMovies(),
          data.ratings().size(),
          split.training().size(),
          split.validation().size(),
          split.test().size(),
          split.test().stream().mapToInt(r -> r.candidates().size()).sum(),
          (double) data.ratings().stream().filter(MovieLens.Rating::isClick).count()
              / data.ratings().size());
    }
  }

  /** One model's figures on the test requests; {@code training} is null for popularity. */
  record Model(
      String model,
      @Nullable Long seed,
      double auc,
      double gauc,
      double logLoss,
      double normalizedEntropy,
      double calibrationError,
      List<Calibration.Bucket> calibration,
      @Nullable Training training) {
    static Model of(String name, @Nullable Run run, Predictions test) {
      Calibration calibration = Calibration.of(test, BUCKETS);
      return new Model(
          name,
          run == null ? null : run.seed(),
          test.auc(),
          test.gauc(),
          test.logLoss(),
          test.normalizedEntropy(),
          calibration.expectedError(),
          calibration.buckets(),
          run == null ? null : Training.of(run));
    }
  }

  /**
   * How a model came about. Losses and validations are of the search for the number of epochs;
   * seconds and rates of the training passes that made the weights.
   */
  record Training(
      Settings settings,
      int epochs,
      double validationAuc,
      List<Validation> validations,
      List<Run.LossPoint> losses,
      double seconds,
      double requestsPerSecond,
      double eventsPerSecond) {
    record Validation(int epoch, long step, double logLoss, double auc) {}

    static Training of(Run run) {
      ValidationResult best = run.search().bestValidation().orElseThrow();
      List<EpochResult> epochs = run.training().epochs();
      double seconds = epochs.stream().mapToDouble(EpochResult::seconds).sum();
      return new Training(
          Settings.CHOSEN,
          best.epoch(),
          best.auc(),
          run.search().validations().stream()
              .map(v -> new Validation(v.epoch(), v.step(), v.logLoss(), v.auc()))
              .toList(),
          run.losses(),
          seconds,
          epochs.stream().mapToLong(EpochResult::numRequests).sum() / seconds,
          epochs.stream().mapToLong(EpochResult::numEvents).sum() / seconds);
    }
  }

  /** AUC of one model less that of another, mean over seeds, with 95 % bounds over users. */
  record Difference(
      String model, String than, int seeds, double estimate, double lower, double upper) {
    static Difference of(Variant model, Variant than, List<Run> runs) {
      List<Predictions> ours = predictions(model, runs);
      List<Predictions> theirs = predictions(than, runs);
      Bootstrap.Interval interval = Bootstrap.aucDifference(ours, theirs, REPLICATES, 1);
      return new Difference(
          model.title(),
          than.title(),
          ours.size(),
          interval.estimate(),
          interval.lower(),
          interval.upper());
    }
  }

  /** AUC of the rows whose history had so many events, by model, mean over seeds. */
  record ByHistory(String events, int candidates, Map<String, Double> auc) {}

  static List<ByHistory> byHistory(Split split, List<Run> runs) {
    List<ByHistory> all = new ArrayList<>();
    for (HistoryClasses.HistoryClass one :
        HistoryClasses.of(split.test(), runs.get(0).test()).classes()) {
      Map<String, Double> auc = new TreeMap<>();
      for (Variant variant : Variant.values()) {
        auc.put(
            variant.title(),
            predictions(variant, runs).stream()
                .mapToDouble(p -> one.of(p).auc())
                .average()
                .orElseThrow());
      }
      all.add(new ByHistory(one.title(), one.size(), auc));
    }
    return all;
  }

  private static List<Predictions> predictions(Variant variant, List<Run> runs) {
    return runs.stream().filter(r -> r.variant() == variant).map(Run::test).toList();
  }

  static JsonNode json(LongerConfig config) {
    try {
      return JSON.readTree(config.toJson());
    } catch (IOException e) {
      throw new UncheckedIOException("[results] the configuration is not JSON", e);
    }
  }

  static Results read(Path file) {
    try {
      return JSON.readValue(file.toFile(), Results.class);
    } catch (IOException e) {
      throw new UncheckedIOException("[results] cannot read " + file, e);
    }
  }

  void write(Path file) {
    try {
      JSON.writeValue(file.toFile(), this);
    } catch (IOException e) {
      throw new UncheckedIOException("[results] cannot write " + file, e);
    }
  }
}
