package ai.longer.samples.cli;

import ai.longer.data.LogColumns;
import ai.longer.data.Prepare;
import java.util.List;
import picocli.CommandLine.Option;

/** How rows that are interactions become requests. */
final class LogOptions {
  static final List<String> NAMES =
      List.of("--candidates", "--min-history", "--validation", "--test", "--sort-memory");

  private static final long MEBIBYTE = 1L << 20;

  @Option(
      names = "--candidates",
      paramLabel = "N",
      description = "Most candidates of a request (default: ${DEFAULT-VALUE}).")
  private int candidates = 8;

  @Option(
      names = "--min-history",
      paramLabel = "N",
      description = "Leave out requests with fewer past events (default: ${DEFAULT-VALUE}).")
  private int minHistory;

  @Option(
      names = "--validation",
      paramLabel = "SHARE",
      description = "Share of each user's rows, before the test's, to validate on (default: 0).")
  private double validation;

  @Option(
      names = "--test",
      paramLabel = "SHARE",
      description = "Newest share of each user's rows, for the test (default: 0).")
  private double test;

  @Option(
      names = "--sort-memory",
      paramLabel = "MIB",
      description = "Memory to sort in (default: a quarter of the heap, at most 1024).")
  private long sortMemory;

  /** Whether some rows are for the test. */
  boolean hasTest() {
    return test > 0;
  }

  Prepare prepare(LogColumns.Builder columns) {
    Prepare.Builder prepare =
        Prepare.builder(columns.build())
            .requests(
                rules ->
                    rules
                        .candidatesPerRequest(candidates)
                        .minHistory(minHistory)
                        .validationShare(validation)
                        .testShare(test));
    if (sortMemory > 0) {
      prepare.memoryBytes(Math.multiplyExact(sortMemory, MEBIBYTE));
    }
    return prepare.build();
  }
}
