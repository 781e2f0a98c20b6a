package ai.longer.benchmarks;

import java.util.List;
import java.util.Locale;

/**
 * A promise about a figure.
 *
 * @param name what is measured
 * @param value what came out
 * @param limit what was promised
 * @param holds whether the promise is kept
 */
record Gate(String name, double value, double limit, boolean holds) {

  static Gate atLeast(String name, double value, double limit) {
    return new Gate(name, value, limit, value >= limit);
  }

  static Gate atMost(String name, double value, double limit) {
    return new Gate(name, value, limit, value <= limit);
  }

  /** Prints the gates and returns whether all hold. */
  static boolean report(List<Gate> gates) {
    for (Gate gate : gates) {
      System.out.printf(
          Locale.ROOT,
          "%-62s %12.4g  promised %8.4g  %s%n",
          gate.name,
          gate.value,
          gate.limit,
          gate.holds ? "holds" : "MISSED");
    }
    return gates.stream().allMatch(Gate::holds);
  }
}
