package ai.longer.samples.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** What a command left behind. */
record Ran(int exitCode, String out, String err) {
  /** Runs a command in this process. */
  static Ran command(String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int exitCode =
        Cli.run(
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            arguments);
    return new Ran(
        exitCode, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  /** The lines of the output, a JSON document each. */
  List<JsonNode> jsonLines() {
    return out.lines().map(Ran::parse).toList();
  }

  /** The output as one JSON document. */
  JsonNode json() {
    return parse(out);
  }

  private static JsonNode parse(String text) {
    try {
      return Console.JSON.readTree(text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
