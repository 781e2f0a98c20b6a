package ai.longer.training;

import ai.longer.data.Dataset;
import ai.longer.data.Shards;
import ai.longer.internal.Access;
import ai.longer.internal.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * Where the last run of a trainer stands. Its text goes into checkpoints.
 *
 * <p>Passes over a source are equal, and the shuffle depends on seed, run, pass and what was read
 * before: the number of batches done is the position of reader, shuffle and generator. Shards are
 * known by their fingerprint. Not thread-safe.
 */
final class Progress {
  /** What the position counts in; a run goes on with these values only. */
  private record Units(
      long seed, long shuffleBuffer, long batchSize, long batchesPerStep, long shards) {
    static Units of(TrainerOptions options, @Nullable Dataset data) {
      return new Units(
          options.seed(),
          options.shuffleBuffer(),
          options.batchSize(),
          options.batchesPerStep(),
          data instanceof Shards shards ? Access.SHARDS.of(shards).fingerprint() : NO_SHARDS);
    }
  }

  /** What shards have as fingerprint is not negative. */
  private static final long NO_SHARDS = -1;

  /** Sums over the steps of a pass. */
  static final class Totals {
    double weightedLoss;
    double weight;
    long requests;
    long events;
    long candidates;

    double seconds;

    void add(StepResult result) {
      if (!result.skipped()) {
        weightedLoss += result.loss() * result.weight();
        weight += result.weight();
      }
      requests += result.numRequests();
      events += result.numEvents();
      candidates += result.numCandidates();
    }
  }

  /** Number of the run, from 1; 0 before the first. */
  final int run;

  private final Units units;
  boolean isFinished;
  long step;

  /** The pass that is not complete, from 1. */
  int epoch = 1;

  /** Batches of that pass that are done. */
  long batches;

  Totals totals = new Totals();
  final List<EpochResult> epochs = new ArrayList<>();
  final List<ValidationResult> validations = new ArrayList<>();

  private Progress(int run, Units units) {
    this.run = run;
    this.units = units;
  }

  /** A trainer that has not begun a run. */
  static Progress none(TrainerOptions options) {
    Progress none = new Progress(0, Units.of(options, null));
    none.isFinished = true;
    return none;
  }

  /** The start of the run after this one. */
  Progress next(TrainerOptions options, Dataset training) {
    return new Progress(run + 1, Units.of(options, training));
  }

  /**
   * Checks that a run with these options over this data would go on as this one.
   *
   * @throws IllegalArgumentException naming both if not
   */
  void checkUnits(TrainerOptions options, Dataset training) {
    Units wanted = Units.of(options, training);
    if (!wanted.equals(units)) {
      throw new IllegalArgumentException(
          "[trainer] the run to resume had %s; got %s".formatted(units, wanted));
    }
  }

  /** Returns the number of the last validated pass that was the best so far, 0 if there is none. */
  int bestEpoch() {
    return validations.stream()
        .filter(ValidationResult::best)
        .mapToInt(ValidationResult::epoch)
        .max()
        .orElse(0);
  }

  /** Returns the validation passes since the best one. */
  int passesWithoutImprovement() {
    return (int) validations.stream().filter(v -> v.epoch() > bestEpoch()).count();
  }

  /** Returns this as JSON. */
  String toJson() {
    StringJoiner json = new StringJoiner(",\n  ", "{\n  ", "\n}\n");
    json.add("\"run\": " + run);
    json.add("\"seed\": " + units.seed());
    json.add("\"shuffle_buffer\": " + units.shuffleBuffer());
    json.add("\"batch_size\": " + units.batchSize());
    json.add("\"batches_per_step\": " + units.batchesPerStep());
    json.add("\"shards\": " + units.shards());
    json.add("\"finished\": " + (isFinished ? 1 : 0));
    json.add("\"step\": " + step);
    json.add("\"epoch\": " + epoch);
    json.add("\"batches\": " + batches);
    json.add(
        "\"totals\": "
            + array(
                real(totals.weightedLoss),
                real(totals.weight),
                totals.requests,
                totals.events,
                totals.candidates,
                real(totals.seconds)));
    json.add("\"epochs\": " + array(epochs.stream().map(Progress::text).toArray()));
    json.add("\"validations\": " + array(validations.stream().map(Progress::text).toArray()));
    return json.toString();
  }

  private static String text(EpochResult e) {
    return array(
        e.epoch(),
        e.step(),
        real(e.loss()),
        e.numRequests(),
        e.numEvents(),
        e.numCandidates(),
        real(e.seconds()));
  }

  private static String text(ValidationResult v) {
    return array(
        v.epoch(), v.step(), real(v.logLoss()), real(v.auc()), v.numCandidates(), v.best() ? 1 : 0);
  }

  private static String array(Object... elements) {
    StringJoiner array = new StringJoiner(", ", "[", "]");
    for (Object element : elements) {
      array.add(element.toString());
    }
    return array.toString();
  }

  /** JSON has no NaN and no infinities. */
  private static String real(double value) {
    String text = Double.toString(value);
    return Double.isFinite(value) ? text : Json.quote(text);
  }

  /**
   * Reads what {@link #toJson} wrote.
   *
   * @throws IllegalArgumentException if the text is something else
   */
  static Progress parse(String json) {
    try {
      return read((Map<?, ?>) Json.parse(json));
    } catch (IllegalStateException | ClassCastException | NullPointerException e) {
      throw new IllegalArgumentException(
          "[trainer] the checkpoint's progress was not written by this version's trainer: "
              + e.getMessage(),
          e);
    }
  }

  private static Progress read(Map<?, ?> json) {
    Units units =
        new Units(
            integer(json, "seed"),
            integer(json, "shuffle_buffer"),
            integer(json, "batch_size"),
            integer(json, "batches_per_step"),
            integer(json, "shards"));
    Progress progress = new Progress((int) integer(json, "run"), units);
    progress.isFinished = integer(json, "finished") != 0;
    progress.step = integer(json, "step");
    progress.epoch = (int) integer(json, "epoch");
    progress.batches = integer(json, "batches");
    Row totals = new Row((List<?>) member(json, "totals"));
    progress.totals.weightedLoss = totals.real(0);
    progress.totals.weight = totals.real(1);
    progress.totals.requests = totals.integer(2);
    progress.totals.events = totals.integer(3);
    progress.totals.candidates = totals.integer(4);
    progress.totals.seconds = totals.real(5);
    for (Row e : rows(json, "epochs")) {
      progress.epochs.add(
          new EpochResult(
              (int) e.integer(0),
              e.integer(1),
              e.real(2),
              e.integer(3),
              e.integer(4),
              e.integer(5),
              e.real(6)));
    }
    for (Row v : rows(json, "validations")) {
      progress.validations.add(
          new ValidationResult(
              (int) v.integer(0),
              v.integer(1),
              v.real(2),
              v.real(3),
              v.integer(4),
              v.integer(5) != 0));
    }
    return progress;
  }

  private record Row(List<?> values) {
    long integer(int i) {
      return (Long) values.get(i);
    }

    double real(int i) {
      Object value = values.get(i);
      return value instanceof Number number
          ? number.doubleValue()
          : Double.parseDouble((String) value);
    }
  }

  private static List<Row> rows(Map<?, ?> json, String key) {
    return ((List<?>) member(json, key)).stream().map(row -> new Row((List<?>) row)).toList();
  }

  private static long integer(Map<?, ?> json, String key) {
    return (Long) member(json, key);
  }

  private static Object member(Map<?, ?> json, String key) {
    return Objects.requireNonNull(json.get(key), key);
  }
}
