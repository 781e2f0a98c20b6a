package ai.longer.training;

import java.io.PrintStream;
import java.util.function.LongSupplier;

final class ProgressBar implements TrainingListener {
  ProgressBar(PrintStream out, boolean terminal, LongSupplier nanoTime) {}
}
