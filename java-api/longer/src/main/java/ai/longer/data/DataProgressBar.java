package ai.longer.data;

import static ai.longer.internal.ProgressText.bytes;
import static ai.longer.internal.ProgressText.duration;
import static ai.longer.internal.ProgressText.format;
import static ai.longer.internal.ProgressText.quantity;

import java.io.PrintStream;

/** Prints progress: a bar that redraws itself on a terminal, a line now and then elsewhere. */
final class DataProgressBar implements DataListener {
  private static final double LINE_SECONDS = 5;
  private static final int BAR_WIDTH = 24;

  private final PrintStream out;
  private final boolean terminal;
  private String phase = "";
  private double printedAt;

  DataProgressBar(PrintStream out, boolean terminal) {
    this.out = out;
    this.terminal = terminal;
  }

  @Override
  public void onProgress(DataProgress progress) {
    if (!progress.phase().equals(phase)) {
      phase = progress.phase();
      printedAt = 0;
    }
    boolean ended = progress.done() == 1;
    if (!terminal && !ended && progress.seconds() - printedAt < LINE_SECONDS) {
      return;
    }
    printedAt = progress.seconds();
    double seconds = Math.max(progress.seconds(), 1e-3);
    String text =
        format(
            "%s %s %s rows  %s rows/s  %s%s",
            progress.phase(),
            share(progress.done()),
            quantity((double) progress.rows()),
            quantity(progress.rows() / seconds),
            progress.bytes() > 0 ? bytes((double) progress.bytes()) + "  " : "",
            ended
                ? "in " + duration(seconds)
                : "ETA "
                    + (Double.isNaN(progress.secondsLeft())
                        ? "unknown"
                        : duration(progress.secondsLeft())));
    if (terminal) {
      out.print("\r\033[K" + text + (ended ? System.lineSeparator() : ""));
      out.flush();
    } else {
      out.println(text);
    }
  }

  private String share(double done) {
    if (Double.isNaN(done)) {
      return "";
    }
    String percent = format("%3.0f %%", 100 * done);
    int full = (int) (done * BAR_WIDTH);
    return terminal
        ? "[" + "=".repeat(full) + " ".repeat(BAR_WIDTH - full) + "] " + percent
        : percent;
  }
}
