package ai.longer.training;

import static ai.longer.internal.ProgressText.duration;
import static ai.longer.internal.ProgressText.format;
import static ai.longer.internal.ProgressText.quantity;

import java.io.PrintStream;
import java.util.OptionalLong;
import java.util.function.LongSupplier;

/** Prints progress: a bar that redraws itself on a terminal, a line now and then elsewhere. */
final class ProgressBar implements TrainingListener {
  private static final long REDRAW_NANOS = 100_000_000L;
  private static final long LINE_NANOS = 5_000_000_000L;
  private static final int BAR_WIDTH = 24;
  private static final double LOSS_MEMORY = 0.95;

  private final PrintStream out;
  private final boolean terminal;
  private final LongSupplier nanoTime;

  private TrainingPlan plan = new TrainingPlan(1, 1, OptionalLong.empty());
  private OptionalLong requestsPerEpoch = OptionalLong.empty();
  private int epoch;
  private long requests;
  private long requestsBefore;
  private long events;
  private double loss;
  private long stepNanos;
  private long mark;
  private long lastPrint;

  ProgressBar(PrintStream out, boolean terminal, LongSupplier nanoTime) {
    this.out = out;
    this.terminal = terminal;
    this.nanoTime = nanoTime;
  }

  @Override
  public void onBegin(TrainingPlan newPlan) {
    plan = newPlan;
    requestsPerEpoch = newPlan.requestsPerEpoch();
    epoch = 1;
    requests = 0;
    requestsBefore = 0;
    events = 0;
    loss = Double.NaN;
    stepNanos = 0;
    mark = nanoTime.getAsLong();
    lastPrint = mark;
  }

  @Override
  public void onStep(StepResult result) {
    long now = nanoTime.getAsLong();
    stepNanos += now - mark;
    mark = now;
    requests += result.numRequests();
    events += result.numEvents();
    if (!result.skipped()) {
      loss =
          Double.isNaN(loss)
              ? result.loss()
              : LOSS_MEMORY * loss + (1 - LOSS_MEMORY) * result.loss();
    }
    if (now - lastPrint >= (terminal ? REDRAW_NANOS : LINE_NANOS)) {
      lastPrint = now;
      printProgress();
    }
  }

  @Override
  public void onEpoch(EpochResult result) {
    // A source that did not know its size is known by now.
    requestsPerEpoch = OptionalLong.of(result.numRequests());
    printLine(
        format(
            "epoch %d/%d  loss %.4f  %s requests in %s",
            epoch,
            plan.epochs(),
            result.loss(),
            quantity((double) result.numRequests()),
            duration(result.seconds())));
    epoch++;
    requestsBefore = requests;
    mark = nanoTime.getAsLong();
  }

  @Override
  public void onValidation(ValidationResult result) {
    printLine(
        format(
            "validation  log loss %.4f  AUC %.4f%s",
            result.logLoss(), result.auc(), result.best() ? "  best so far" : ""));
    // Time spent on validation is not time spent on steps.
    mark = nanoTime.getAsLong();
  }

  @Override
  public void onEnd(TrainingResult result) {
    printLine(
        format(
            "%s after %d steps in %s",
            switch (result.outcome()) {
              case COMPLETED -> "done";
              case STOPPED_EARLY -> "stopped early";
              case INTERRUPTED -> "interrupted";
            },
            result.step(),
            duration(result.seconds())));
  }

  private void printProgress() {
    double seconds = Math.max(stepNanos, 1) / 1e9;
    double requestsPerSecond = requests / seconds;
    String text =
        format(
            "epoch %d/%d %s loss %.4f  %s requests/s  %s events/s  ETA %s",
            epoch,
            plan.epochs(),
            done(),
            loss,
            quantity(requestsPerSecond),
            quantity(events / seconds),
            requestsPerEpoch.isEmpty()
                ? "unknown"
                : duration(
                    (requestsPerEpoch.getAsLong() * plan.epochs() - requests) / requestsPerSecond));
    if (terminal) {
      out.print("\r\033[K" + text);
      out.flush();
    } else {
      out.println(text);
    }
  }

  /** How far the epoch is. */
  private String done() {
    long inEpoch = requests - requestsBefore;
    if (requestsPerEpoch.isEmpty() || requestsPerEpoch.getAsLong() == 0) {
      return quantity((double) inEpoch) + " requests";
    }
    double share = Math.min(1, inEpoch / (double) requestsPerEpoch.getAsLong());
    String percent = format("%3.0f %%", 100 * share);
    if (!terminal) {
      return percent;
    }
    int full = (int) (share * BAR_WIDTH);
    return "[" + "=".repeat(full) + " ".repeat(BAR_WIDTH - full) + "] " + percent;
  }

  private void printLine(String text) {
    out.println(terminal ? "\r\033[K" + text : text);
  }
}
