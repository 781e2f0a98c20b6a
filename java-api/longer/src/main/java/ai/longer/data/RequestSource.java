package ai.longer.data;

import java.util.List;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * Requests that can be read any number of times, for example once per epoch.
 *
 * <p>Implementations are safe for use by several threads unless they say otherwise; a stream is for
 * one thread.
 */
@FunctionalInterface
public non-sealed interface RequestSource extends Dataset {
  /**
   * Starts one pass in the source's order. Close the stream: it may hold a file open. Passes are
   * equal and independent of each other.
   */
  Stream<Request> stream();

  @Override
  default OptionalLong size() {
    return OptionalLong.empty();
  }

  /** Returns a source over requests held in memory. */
  static RequestSource of(List<Request> requests) {
    List<Request> held = List.copyOf(requests);
    return new RequestSource() {
      @Override
      public Stream<Request> stream() {
        return held.stream();
      }

      @Override
      public OptionalLong size() {
        return OptionalLong.of(held.size());
      }
    };
  }
}
