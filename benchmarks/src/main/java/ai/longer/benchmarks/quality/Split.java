package ai.longer.benchmarks.quality;

import ai.longer.Schema;
import ai.longer.data.Interaction;
import ai.longer.data.Request;
import ai.longer.data.RequestBuilder;
import ai.longer.data.RequestSource;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** Requests by period; none knows anything of a later one. */
record Split(List<Request> training, List<Request> validation, List<Request> test) {

  /**
   * How a log becomes requests.
   *
   * @param candidates consecutive rows in a request, at most
   * @param validationShare of each user's rows, before the test
   * @param testShare newest rows of each user
   * @param maxHistory newest events kept
   */
  record Cut(int candidates, double validationShare, double testShare, int maxHistory) {

    /** Splits each user's rows by time; {@code log} is sorted by user, then time. */
    Split byTime(Schema schema, Supplier<Stream<Interaction>> log) {
      RequestBuilder requests =
          builder(schema, log).validationShare(validationShare).testShare(testShare).build();
      return new Split(
          read(requests.training()), read(requests.validation()), read(requests.test()));
    }

    /** All rows of a log as requests. */
    List<Request> all(Schema schema, Supplier<Stream<Interaction>> log) {
      return read(builder(schema, log).build().training());
    }

    private RequestBuilder.Builder builder(Schema schema, Supplier<Stream<Interaction>> log) {
      return RequestBuilder.builder(schema, log)
          .candidatesPerRequest(candidates)
          .maxHistory(maxHistory);
    }

    private static List<Request> read(RequestSource source) {
      try (Stream<Request> requests = source.stream()) {
        return requests.toList();
      }
    }
  }

  /** The same requests with the newest {@code events} events of each history. */
  Split newest(int events) {
    return map(r -> r.withHistory(r.history().tail(events)));
  }

  /** The first {@code requests} of each part. */
  Split head(int requests) {
    return new Split(
        training.stream().limit(requests).toList(),
        validation.stream().limit(requests).toList(),
        test.stream().limit(requests).toList());
  }

  /** Everything before the test. */
  List<Request> trainingAndValidation() {
    return Stream.of(training, validation).flatMap(List::stream).toList();
  }

  private Split map(UnaryOperator<Request> change) {
    return new Split(
        training.stream().map(change).toList(),
        validation.stream().map(change).toList(),
        test.stream().map(change).toList());
  }
}
