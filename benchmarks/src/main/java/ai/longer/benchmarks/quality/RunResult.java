package ai.longer.benchmarks.quality;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * One finished training, a JSON file of its own.
 *
 * @param fingerprint of all that decides the result; another one makes the file stale
 * @param seed of weights and order
 * @param point index into the grid
 * @param epochs in order
 * @param seconds of training, validation included
 * @param parameters trained values, embedding rows included
 * @param test figures on the test requests; null in a search
 */
record RunResult(
    String experiment,
    String contender,
    String fingerprint,
    long seed,
    int point,
    Setting setting,
    List<Training.Epoch> epochs,
    double seconds,
    long parameters,
    Map<String, Object> machine,
    @Nullable Test test) {
  /**
   * Figures on the test requests.
   *
   * @param flops of scoring one request, mean
   * @param rows fingerprint of the test rows that were scored
   * @param inspection figures of the data set's own
   */
  record Test(
      double auc,
      double gauc,
      double logLoss,
      double normalizedEntropy,
      double flops,
      String rows,
      Map<String, Double> inspection) {}

  /** Validation AUC of a search after its last epoch. */
  double searched() {
    return Objects.requireNonNull(epochs.get(epochs.size() - 1).validationAuc());
  }

  /** Reads a result if it is there and of the same making. */
  static Optional<RunResult> find(Path file, String fingerprint) {
    return Files.exists(file)
        ? Optional.of(Json.read(file, RunResult.class))
            .filter(r -> r.fingerprint.equals(fingerprint))
        : Optional.empty();
  }
}
