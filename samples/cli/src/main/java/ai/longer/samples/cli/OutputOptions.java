package ai.longer.samples.cli;

import picocli.CommandLine.Option;

/** How a result is shown. */
final class OutputOptions {
  @Option(names = "--json", description = "Print the result as one JSON document.")
  boolean json;
}
