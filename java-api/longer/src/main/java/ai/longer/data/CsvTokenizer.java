package ai.longer.data;

import java.io.IOException;
import java.io.Reader;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Splits text into rows and fields and knows where each stands. Not thread-safe. */
final class CsvTokenizer {
  /** Beyond this an unclosed quote would read a whole file into memory. */
  static final int MAX_ROW_CHARS = 16 << 20;

  private static final int END = -1;
  private static final char BYTE_ORDER_MARK = '\uFEFF';

  /** Text that is not CSV. */
  static final class SyntaxException extends Exception {
    private static final long serialVersionUID = 1L;

    final long line;
    final long column;

    SyntaxException(long line, long column, String message) {
      super(message);
      this.line = line;
      this.column = column;
    }
  }

  private final Reader reader;
  private final char separator;
  private final char[] buffer = new char[1 << 14];
  private int bufferAt;
  private int bufferEnd;

  private long line = 1;
  private long column = 1;
  private long rowLine = 1;
  private int rowChars;
  private final StringBuilder field = new StringBuilder();
  private final List<String> fields = new ArrayList<>();
  private long[] starts = new long[32]; // line, column of each field

  CsvTokenizer(Reader reader, char separator) {
    this.reader = reader;
    this.separator = separator;
  }

  /** Reads the next row that is not an empty line; false at the end. */
  boolean next() throws IOException, SyntaxException {
    int c = peek();
    if (line == 1 && column == 1 && c == BYTE_ORDER_MARK) {
      bufferAt++;
      c = peek();
    }
    while (c == '\n' || c == '\r') {
      read();
      c = peek();
    }
    fields.clear();
    if (c == END) {
      return false;
    }
    rowLine = line;
    rowChars = 0;
    boolean more = true;
    while (more) {
      more = readField();
    }
    return true;
  }

  /** Reads a field and what ends it; returns whether another one follows in this row. */
  private boolean readField() throws IOException, SyntaxException {
    markStart();
    field.setLength(0);
    boolean quoted = peek() == '"';
    if (quoted) {
      readQuoted();
    }
    while (true) {
      int c = peek();
      if (c == separator || c == '\n' || c == '\r' || c == END) {
        read();
        fields.add(field.toString());
        return c == separator;
      }
      if (quoted || c == '"') {
        throw syntax(
            quoted ? "text after a closing quote" : "a quote inside a field that is not quoted");
      }
      append(read());
    }
  }

  private void readQuoted() throws IOException, SyntaxException {
    read();
    while (true) {
      int c = read();
      if (c == END) {
        throw new SyntaxException(
            starts[2 * fields.size()], starts[2 * fields.size() + 1], "a quote is never closed");
      }
      if (c != '"') {
        append(c);
      } else if (peek() == '"') {
        append(read());
      } else {
        return;
      }
    }
  }

  private void append(int c) throws SyntaxException {
    if (++rowChars > MAX_ROW_CHARS) {
      throw new SyntaxException(rowLine, 1, "the row is longer than 16 MiB: is a quote unclosed?");
    }
    field.append((char) c);
  }

  private void markStart() {
    int at = 2 * fields.size();
    if (at == starts.length) {
      starts = Arrays.copyOf(starts, 2 * at);
    }
    starts[at] = line;
    starts[at + 1] = column;
  }

  private SyntaxException syntax(String message) {
    return new SyntaxException(line, column, message);
  }

  private int peek() throws IOException {
    if (bufferAt == bufferEnd) {
      bufferAt = 0;
      bufferEnd = Math.max(0, reader.read(buffer, 0, buffer.length));
      if (bufferEnd == 0) {
        return END;
      }
    }
    return buffer[bufferAt];
  }

  private int read() throws IOException {
    int c = peek();
    if (c == END) {
      return END;
    }
    bufferAt++;
    column++;
    if (c == '\n' || (c == '\r' && peek() != '\n')) {
      line++;
      column = 1;
    } else if (c == '\r') {
      bufferAt++; // CRLF is one line end.
      line++;
      column = 1;
      return '\n';
    }
    return c;
  }

  List<String> fields() {
    return fields;
  }

  long line() {
    return line;
  }

  long column() {
    return column;
  }

  long rowLine() {
    return rowLine;
  }

  long fieldLine(int index) {
    return starts[2 * index];
  }

  long fieldColumn(int index) {
    return starts[2 * index + 1];
  }
}
