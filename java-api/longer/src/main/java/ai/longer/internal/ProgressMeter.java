package ai.longer.internal;

import ai.longer.data.DataListener;
import ai.longer.data.DataProgress;
import java.util.List;

/** Counts one phase of work and tells listeners now and then. Not thread-safe. */
public final class ProgressMeter {
  private static final long NANOS_BETWEEN = 100_000_000L;

  /** A share of 1 says that a phase has ended. */
  private static final double ALMOST = Math.nextDown(1.0);

  private final String phase;
  private final List<DataListener> listeners;
  private final long start = System.nanoTime();
  private long toldAt = start;
  private long rows;

  /** Starts a phase. */
  public ProgressMeter(String phase, List<DataListener> listeners) {
    this.phase = phase;
    this.listeners = listeners;
  }

  /** Counts a row; {@code done} and {@code bytes} as of {@link DataProgress}. */
  public void row(double done, long bytes) {
    rows++;
    long now = System.nanoTime();
    if (now - toldAt >= NANOS_BETWEEN) {
      toldAt = now;
      tell(Math.min(done, ALMOST), bytes, now);
    }
  }

  /** Returns the rows counted. */
  public long rows() {
    return rows;
  }

  /** Ends the phase. */
  public void end(long bytes) {
    tell(1, bytes, System.nanoTime());
  }

  private void tell(double done, long bytes, long now) {
    DataProgress progress = new DataProgress(phase, rows, done, bytes, (now - start) / 1e9);
    listeners.forEach(listener -> listener.onProgress(progress));
  }
}
