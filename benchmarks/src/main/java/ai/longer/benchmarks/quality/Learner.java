package ai.longer.benchmarks.quality;

import ai.longer.LongerModel;
import ai.longer.data.Request;
import java.util.List;
import java.util.Optional;

/** A model in training; for one thread. */
public interface Learner extends AutoCloseable {
  /** Makes one optimizer step over labelled requests and returns the loss before it. */
  double step(List<Request> batch);

  /** Returns the first task's probabilities, candidates in request order [sum of C]. */
  float[] predict(List<Request> batch);

  /** Returns the number of trained values, embedding rows included. */
  long parameters();

  /** Returns the floating-point operations of the matrix products of scoring one request. */
  double flops(Request request);

  /** Returns a snapshot of the weights if this is LONGER; close it. */
  default Optional<LongerModel> longer() {
    return Optional.empty();
  }

  @Override
  void close();
}
