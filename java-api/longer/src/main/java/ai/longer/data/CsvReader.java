package ai.longer.data;

import ai.longer.CorruptDataException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;

/**
 * Reads a CSV or TSV file with a header, row by row, in bounded memory.
 *
 * <p>UTF-8, with or without a byte order mark; rows end in LF, CR or CRLF; fields may be quoted
 * with {@code "}, a quote inside doubled (RFC 4180). Empty lines are skipped. Not thread-safe.
 *
 * <pre>{@code
 * try (CsvReader rows = CsvReader.open(file)) {
 *   int movie = rows.column("movieId");
 *   while (rows.next()) {
 *     use(rows.longValue(movie));
 *   }
 * }
 * }</pre>
 *
 * <p>Every error names file, line and column: {@link CorruptDataException} for content, {@link
 * UncheckedIOException} for reading.
 */
public final class CsvReader implements AutoCloseable {
  private static final int BUFFER_BYTES = 1 << 16;

  private static final Pattern DECIMAL =
      Pattern.compile("[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?");

  private final Path file;
  private final CsvTokenizer tokenizer;
  private final CountedInput bytes;
  private final Reader reader;
  private final List<String> header;

  private CsvReader(Path file, CountedInput bytes, Reader reader, char separator) {
    this.file = file;
    this.bytes = bytes;
    this.reader = reader;
    this.tokenizer = new CsvTokenizer(reader, separator);
    if (!nextRow()) {
      throw new CorruptDataException("[csv] %s:1:1: has no header".formatted(file));
    }
    this.header = List.copyOf(tokenizer.fields());
    Set<String> names = new HashSet<>();
    for (int i = 0; i < header.size(); i++) {
      if (!names.add(header.get(i))) {
        throw error(i, "column \"%s\" is there twice".formatted(header.get(i)));
      }
    }
  }

  /**
   * Opens a file: tab-separated if its name ends in {@code .tsv} or {@code .tsv.gz}, else
   * comma-separated; unpacked if it ends in {@code .gz}.
   *
   * @throws UncheckedIOException if the file cannot be read
   * @throws CorruptDataException if it has no header or two columns of one name
   */
  public static CsvReader open(Path file) {
    return open(file, separator(file));
  }

  private static char separator(Path file) {
    String name = String.valueOf(file.getFileName());
    return name.endsWith(".tsv") || name.endsWith(".tsv.gz") ? '\t' : ',';
  }

  /** As {@link #open(Path)}, with another separator. */
  public static CsvReader open(Path file, char separator) {
    if (separator == '"' || separator == '\n' || separator == '\r') {
      throw new IllegalArgumentException("[csv] the separator must not be a quote or line end");
    }
    try {
      return open(file, Files.newInputStream(file), separator);
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  /** As {@link #open(Path)}, with the content that the file has. */
  static CsvReader open(Path file, InputStream content) {
    return open(file, content, separator(file));
  }

  private static CsvReader open(Path file, InputStream content, char separator) {
    CountedInput bytes = new CountedInput(content);
    try {
      InputStream plain =
          String.valueOf(file.getFileName()).endsWith(".gz")
              ? new GZIPInputStream(bytes, BUFFER_BYTES)
              : bytes;
      Reader reader = new InputStreamReader(plain, StandardCharsets.UTF_8.newDecoder());
      return new CsvReader(file, bytes, reader, separator);
    } catch (IOException e) {
      close(bytes, e);
      throw unreadable(file, e);
    } catch (RuntimeException e) {
      close(bytes, e);
      throw e;
    }
  }

  private static UncheckedIOException unreadable(Path file, IOException e) {
    return new UncheckedIOException("[csv] %s: cannot be read: %s".formatted(file, e), e);
  }

  private static void close(InputStream bytes, Exception failure) {
    try {
      bytes.close();
    } catch (IOException e) {
      failure.addSuppressed(e);
    }
  }

  /** Returns the column names in file order. */
  public List<String> header() {
    return header;
  }

  /**
   * Returns the index of a column.
   *
   * @throws CorruptDataException if the header does not name it
   */
  public int column(String name) {
    int column = header.indexOf(name);
    if (column < 0) {
      throw new CorruptDataException(
          "[csv] %s:1: has no column \"%s\"; its header is %s".formatted(file, name, header));
    }
    return column;
  }

  /**
   * Goes to the next row; returns whether there is one.
   *
   * @throws CorruptDataException if the row does not have one field per column, a quote is out of
   *     place, a row is longer than 16 MiB or the text is not UTF-8
   */
  public boolean next() {
    if (!nextRow()) {
      return false;
    }
    int got = tokenizer.fields().size();
    if (got != header.size()) {
      throw error(
          Math.min(got, header.size()) - 1,
          "the row has %d fields; expected %d".formatted(got, header.size()));
    }
    return true;
  }

  private boolean nextRow() {
    try {
      return tokenizer.next();
    } catch (CsvTokenizer.SyntaxException e) {
      throw new CorruptDataException(
          "[csv] %s:%d:%d: %s".formatted(file, e.line, e.column, e.getMessage()), e);
    } catch (CharacterCodingException e) {
      throw new CorruptDataException(
          "[csv] %s:%d:%d: is not UTF-8".formatted(file, tokenizer.line(), tokenizer.column()), e);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "[csv] %s:%d: cannot be read: %s".formatted(file, tokenizer.line(), e), e);
    }
  }

  /** Returns the line that the present row starts on, from 1. */
  public long line() {
    return tokenizer.rowLine();
  }

  /** Bytes of the file, packed ones if it is, that were read. */
  long bytesRead() {
    return bytes.bytes();
  }

  /** Bytes of the file. */
  long totalBytes() {
    try {
      return Files.size(file);
    } catch (IOException e) {
      throw new UncheckedIOException("[csv] %s: cannot be read: %s".formatted(file, e), e);
    }
  }

  /** Returns a field of the present row. */
  public String text(int column) {
    return tokenizer.fields().get(column);
  }

  /** Returns whether a field of the present row is empty. */
  public boolean isEmpty(int column) {
    return text(column).isEmpty();
  }

  /**
   * Returns a field of the present row as a whole number.
   *
   * @throws CorruptDataException if it is not one of 64 bits
   */
  public long longValue(int column) {
    return longValue(column, text(column));
  }

  private long longValue(int column, String text) {
    try {
      return Long.parseLong(text);
    } catch (NumberFormatException e) {
      throw error(column, "must be a whole number; got " + shown(text));
    }
  }

  /**
   * Returns a field of the present row as a finite number.
   *
   * @throws CorruptDataException if it is not one
   */
  public double doubleValue(int column) {
    return doubleValue(column, text(column));
  }

  private double doubleValue(int column, String text) {
    if (DECIMAL.matcher(text).matches()) {
      double value = Double.parseDouble(text);
      if (Double.isFinite(value)) {
        return value;
      }
    }
    throw error(column, "must be a finite number; got " + shown(text));
  }

  /**
   * Returns a field of the present row as an id, missing if it is empty.
   *
   * @throws CorruptDataException if it is not a whole number of 64 bits
   */
  public Value id(int column) {
    return id(column, text(column));
  }

  /** As {@link #id(int)}, of a part of the field. */
  Value id(int column, String text) {
    return text.isEmpty() ? Value.missing() : Value.id(longValue(column, text));
  }

  /** Returns a field of the present row as the id of its text, missing if it is empty. */
  public Value textId(int column) {
    return textId(text(column));
  }

  /** As {@link #textId(int)}, of a part of the field. */
  static Value textId(String text) {
    return text.isEmpty() ? Value.missing() : Value.textId(text);
  }

  /**
   * Returns a field of the present row as ids, missing if it is empty.
   *
   * @param between what stands between two ids
   * @throws CorruptDataException if one of them is not a whole number of 64 bits
   */
  public Value ids(int column, char between) {
    return ids(column, text(column), between);
  }

  /** As {@link #ids(int, char)}, of a part of the field. */
  Value ids(int column, String text, char between) {
    if (text.isEmpty()) {
      return Value.missing();
    }
    List<String> parts = parts(text, between);
    long[] ids = new long[parts.size()];
    for (int i = 0; i < ids.length; i++) {
      try {
        ids[i] = Long.parseLong(parts.get(i));
      } catch (NumberFormatException e) {
        throw error(
            column,
            "must be whole numbers with '%s' between; got %s"
                .formatted(between, shown(parts.get(i))));
      }
    }
    return Value.ids(ids);
  }

  /**
   * Returns a field of the present row as the ids of its texts, missing if it is empty.
   *
   * @param between what stands between two texts
   * @throws CorruptDataException if a text is empty
   */
  public Value textIds(int column, char between) {
    return textIds(column, text(column), between);
  }

  /** As {@link #textIds(int, char)}, of a part of the field. */
  Value textIds(int column, String text, char between) {
    if (text.isEmpty()) {
      return Value.missing();
    }
    List<String> parts = parts(text, between);
    if (parts.contains("")) {
      throw error(column, "must not have an empty text between '%s'".formatted(between));
    }
    return Value.textIds(parts.toArray(String[]::new));
  }

  /**
   * Returns a field of the present row as a number, missing if it is empty.
   *
   * @throws CorruptDataException if it is not a finite number
   */
  public Value number(int column) {
    return number(column, text(column));
  }

  /** As {@link #number(int)}, of a part of the field. */
  Value number(int column, String text) {
    if (text.isEmpty()) {
      return Value.missing();
    }
    double number = doubleValue(column, text);
    if (Float.isInfinite((float) number)) {
      throw error(column, "must be a finite number of 32 bits; got " + shown(text));
    }
    return Value.number(number);
  }

  /** The parts of a text, at least one. */
  static List<String> parts(String text, char between) {
    List<String> parts = new ArrayList<>();
    int begin = 0;
    for (int end = text.indexOf(between); end >= 0; end = text.indexOf(between, begin)) {
      parts.add(text.substring(begin, end));
      begin = end + 1;
    }
    parts.add(text.substring(begin));
    return parts;
  }

  /**
   * Returns an error at a field of the present row, for checks of the caller's own.
   *
   * @param column the field
   * @param problem what is wrong with it
   */
  public CorruptDataException error(int column, String problem) {
    String name = column < header().size() ? " (" + header().get(column) + ")" : "";
    return new CorruptDataException(
        "[csv] %s:%d:%d%s: %s"
            .formatted(
                file, tokenizer.fieldLine(column), tokenizer.fieldColumn(column), name, problem));
  }

  private static String shown(String text) {
    return text.length() <= 40 ? "\"" + text + "\"" : "\"" + text.substring(0, 40) + "…\"";
  }

  /** Closes the file. */
  @Override
  public void close() {
    try {
      reader.close();
    } catch (IOException e) {
      throw new UncheckedIOException("[csv] %s: cannot be closed: %s".formatted(file, e), e);
    }
  }
}
