package ai.longer.data;

import ai.longer.internal.Terminal;

/** Follows work on data; called by the thread that works, a few times a second at most. */
@FunctionalInterface
public interface DataListener {
  /** Called now and then, and once when a phase has ended, with {@code done} 1. */
  void onProgress(DataProgress progress);

  /**
   * Returns a listener that prints rows/s, bytes and the time left to standard error: a bar on a
   * terminal, a plain line every few seconds otherwise. Use it for one task at a time.
   */
  static DataListener progressBar() {
    return new DataProgressBar(System.err, Terminal.isPresent());
  }
}
