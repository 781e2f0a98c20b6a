package ai.longer.data;

import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * Requests of files that have one row each: Parquet with the module {@code longer-parquet} on the
 * class path, CSV or TSV. Read in bounded memory, in the order of the files and rows: to train on,
 * to measure with, to rank; {@link PrepareRequests} makes shards of them, which are read faster.
 *
 * <pre>{@code
 * RequestColumns columns =
 *     RequestColumns.builder(schema).user("user_id").time("request_time")
 *         .eventColumn("item", "history_items").candidateColumn("item", "items").build();
 * trainer.fit(RequestFiles.of(columns, List.of(folder)), TrainingListener.progressBar());
 * }</pre>
 *
 * <p>Streams throw {@link ai.longer.CorruptDataException} where a file lacks a column or a row is
 * wrong, naming file, place and column, and {@link java.io.UncheckedIOException} where it cannot be
 * read. Immutable; safe for use by several threads.
 */
public final class RequestFiles implements RequestSource {
  private final RequestColumns columns;
  private final List<Path> files;

  private RequestFiles(RequestColumns columns, List<Path> files) {
    this.columns = columns;
    this.files = files;
  }

  /**
   * Returns the requests of files.
   *
   * @param paths files, and folders whose files are read in the order of their names; those whose
   *     names begin with a dot or underscore are left out
   * @throws IllegalArgumentException if a folder has no file
   * @throws java.io.UncheckedIOException if a path is not there or cannot be read
   */
  public static RequestFiles of(RequestColumns columns, List<Path> paths) {
    return new RequestFiles(
        Objects.requireNonNull(columns, "columns"), DataFiles.of(paths).files());
  }

  @Override
  public Stream<Request> stream() {
    Requests requests = new Requests();
    int traits = Spliterator.ORDERED | Spliterator.NONNULL | Spliterator.IMMUTABLE;
    return StreamSupport.stream(Spliterators.spliteratorUnknownSize(requests, traits), false)
        .onClose(requests::close);
  }

  /** One pass. Holds one file open. */
  private final class Requests implements Iterator<Request> {
    private final Iterator<Path> left = files.iterator();
    private @Nullable RequestReader reader;
    private boolean isAtRow;

    @Override
    public boolean hasNext() {
      while (!isAtRow) {
        if (reader == null) {
          if (!left.hasNext()) {
            return false;
          }
          reader = RequestReader.open(left.next(), columns);
        }
        isAtRow = reader.next();
        if (!isAtRow) {
          close();
        }
      }
      return true;
    }

    @Override
    public Request next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      isAtRow = false;
      return Objects.requireNonNull(reader).request();
    }

    void close() {
      if (reader != null) {
        reader.close();
        reader = null;
      }
    }
  }
}
