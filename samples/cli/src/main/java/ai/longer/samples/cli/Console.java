package ai.longer.samples.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectWriter;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.PrintStream;

/**
 * Where a command writes.
 *
 * @param out results
 * @param err progress and errors
 */
record Console(PrintStream out, PrintStream err) {
  static final ObjectMapper JSON =
      new ObjectMapper()
          .enable(SerializationFeature.INDENT_OUTPUT)
          .setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE);

  /** Thrown when nobody reads the results any more, so that a command stops. */
  static final class OutputClosedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    OutputClosedException() {
      super("[cli] standard output is closed");
    }
  }

  /** Prints one JSON document over several lines. */
  void json(Object value) {
    print(JSON.writer(), value);
  }

  /** Prints one JSON document on one line. */
  void jsonLine(Object value) {
    print(JSON.writer().without(SerializationFeature.INDENT_OUTPUT), value);
  }

  private void print(ObjectWriter writer, Object value) {
    try {
      print(writer.writeValueAsString(value));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("[cli] cannot write JSON", e);
    }
  }

  /**
   * Prints a line.
   *
   * @throws OutputClosedException if it cannot be written
   */
  void print(Object text) {
    out.println(text);
    if (out.checkError()) {
      throw new OutputClosedException();
    }
  }
}
