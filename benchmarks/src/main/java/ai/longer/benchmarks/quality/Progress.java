package ai.longer.benchmarks.quality;

import java.io.PrintStream;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * Shows how far trainings are: a bar that redraws itself on a terminal, a line now and then
 * elsewhere. Safe for use by several threads.
 */
final class Progress {
  private static final long REDRAW_NANOS = 200_000_000L;
  private static final long LINE_NANOS = 20_000_000_000L;
  private static final int BAR_WIDTH = 24;
  private static final int SHOWN_JOBS = 3;

  private final PrintStream out;
  private final boolean isTerminal;
  private final long start = System.nanoTime();
  private final Map<String, String> running = new LinkedHashMap<>();
  private final Map<String, Double> shares = new LinkedHashMap<>();
  private int jobs;
  private int finished;
  private int skipped;
  private long lastPrint = start;

  Progress(PrintStream out, boolean isTerminal) {
    this.out = out;
    this.isTerminal = isTerminal;
  }

  /** Tells of trainings to come. */
  synchronized void expect(int more) {
    jobs += more;
  }

  /** A training that an earlier run finished. */
  synchronized void skip() {
    skipped++;
  }

  synchronized void update(String job, double done, double loss) {
    shares.put(job, done);
    running.put(job, String.format(Locale.ROOT, "%s %.0f %% loss %.3f", job, 100 * done, loss));
    long now = System.nanoTime();
    if (now - lastPrint >= (isTerminal ? REDRAW_NANOS : LINE_NANOS)) {
      lastPrint = now;
      print(status(now));
    }
  }

  synchronized void finish(String job, String outcome) {
    shares.remove(job);
    running.remove(job);
    finished++;
    String line = job + ": " + outcome;
    lastPrint = System.nanoTime();
    String status = status(lastPrint);
    if (isTerminal) {
      out.println("\r\033[K" + line);
      print(status);
    } else {
      out.println(status + line);
    }
  }

  private void print(String status) {
    if (isTerminal) {
      out.print("\r\033[K" + status);
      out.flush();
    } else {
      out.println(status);
    }
  }

  private String status(long now) {
    double partly = shares.values().stream().mapToDouble(Double::doubleValue).sum();
    double done = finished + partly;
    int ahead = Math.max(1, jobs - skipped);
    double seconds = (now - start) / 1e9;
    String left = done == 0 ? "?" : duration(seconds * (ahead - done) / done);
    int full = (int) Math.min(BAR_WIDTH, BAR_WIDTH * done / ahead);
    String bar = "[" + "=".repeat(full) + " ".repeat(BAR_WIDTH - full) + "]";
    String shown = String.join(" | ", running.values().stream().limit(SHOWN_JOBS).toList());
    return "%s %d/%d trainings  %s  ETA %s  %s"
        .formatted(bar, finished + skipped, jobs, duration(seconds), left, shown);
  }

  private static String duration(double seconds) {
    long whole = Math.round(Math.max(0, seconds));
    return whole >= 3600
        ? String.format(Locale.ROOT, "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
        : String.format(Locale.ROOT, "%d:%02d", whole / 60, whole % 60);
  }
}
