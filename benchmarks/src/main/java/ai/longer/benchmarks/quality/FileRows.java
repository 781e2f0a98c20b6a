package ai.longer.benchmarks.quality;

import ai.longer.data.CsvReader;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import java.util.zip.GZIPInputStream;

/** Files as streams of rows, one row in memory at a time; closing a stream closes its file. */
final class FileRows {
  private FileRows() {}

  /** Rows of a CSV file with a header. {@code row} gets the reader at each row. */
  static <T> Stream<T> ofCsv(Path file, Function<CsvReader, Function<CsvReader, T>> columns) {
    CsvReader csv = CsvReader.open(file);
    Function<CsvReader, T> row = columns.apply(csv);
    return stream(csv::next, () -> row.apply(csv)).onClose(csv::close);
  }

  /** Lines of a file without a header, cut at {@code separator}; no field is quoted. */
  static Stream<Fields> ofLines(Path file, Charset charset, String separator, int fields) {
    Lines lines = new Lines(file, charset, separator, fields);
    return stream(lines::next, lines::fields).onClose(lines::close);
  }

  private static <T> Stream<T> stream(BooleanSupplier advance, Supplier<T> row) {
    Iterator<T> rows =
        new Iterator<>() {
          private boolean isAhead;
          private boolean hasRow;

          @Override
          public boolean hasNext() {
            if (!isAhead) {
              hasRow = advance.getAsBoolean();
              isAhead = true;
            }
            return hasRow;
          }

          @Override
          public T next() {
            if (!hasNext()) {
              throw new NoSuchElementException();
            }
            isAhead = false;
            return row.get();
          }
        };
    int traits = Spliterator.ORDERED | Spliterator.NONNULL;
    return StreamSupport.stream(Spliterators.spliteratorUnknownSize(rows, traits), false);
  }

  /** The fields of one line. */
  record Fields(Path file, long line, String[] values) {
    String text(int field) {
      return values[field];
    }

    long longValue(int field) {
      try {
        return Long.parseLong(values[field]);
      } catch (NumberFormatException e) {
        throw new IllegalArgumentException(
            "[data] %s:%d: field %d must be a whole number; got \"%s\""
                .formatted(file, line, field + 1, values[field]),
            e);
      }
    }
  }

  private static final class Lines {
    private final Path file;
    private final BufferedReader reader;
    private final String separator;
    private final int fields;
    private long line;
    private String[] values = {};

    Lines(Path file, Charset charset, String separator, int fields) {
      this.file = file;
      this.separator = separator;
      this.fields = fields;
      try {
        InputStream bytes = Files.newInputStream(file);
        boolean packed = file.toString().endsWith(".gz");
        reader =
            new BufferedReader(
                new InputStreamReader(packed ? new GZIPInputStream(bytes) : bytes, charset));
      } catch (IOException e) {
        throw new UncheckedIOException("[data] cannot read " + file, e);
      }
    }

    boolean next() {
      try {
        String text = reader.readLine();
        line++;
        if (text == null) {
          return false;
        }
        values = text.split(java.util.regex.Pattern.quote(separator), -1);
        if (values.length != fields) {
          throw new IllegalArgumentException(
              "[data] %s:%d: has %d fields; expected %d"
                  .formatted(file, line, values.length, fields));
        }
        return true;
      } catch (IOException e) {
        throw new UncheckedIOException("[data] %s:%d: cannot be read".formatted(file, line), e);
      }
    }

    Fields fields() {
      return new Fields(file, line, values);
    }

    void close() {
      try {
        reader.close();
      } catch (IOException e) {
        throw new UncheckedIOException("[data] cannot close " + file, e);
      }
    }
  }
}
