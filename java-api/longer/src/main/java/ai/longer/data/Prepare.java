package ai.longer.data;

import ai.longer.internal.ProgressMeter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.function.UnaryOperator;
import java.util.stream.StreamSupport;

/**
 * Turns logs of any size into shards: reads files of one row per interaction, in any order, sorts
 * them by user and time, makes requests of them as {@link RequestBuilder} does, and writes these as
 * {@link Shards}.
 *
 * <p>Files are CSV or TSV, or Parquet with the module {@code longer-parquet} on the class path.
 * What does not fit in {@link Builder#memoryBytes} is sorted on disk, beside the result. Memory
 * besides that: one user's rows, about 64 MiB for each of the parts.
 *
 * <pre>{@code
 * LogColumns columns =
 *     LogColumns.builder(schema).user("userId").time("timestamp")
 *         .column("movie", "movieId").label("click", "rating", 4).build();
 * Prepared prepared =
 *     Prepare.builder(columns).requests(r -> r.validationShare(0.1).testShare(0.1)).build()
 *         .run(List.of(ratings), folder, DataListener.progressBar());
 * }</pre>
 *
 * <p>Immutable; safe for use by several threads.
 */
public final class Prepare {
  private static final int MAX_RUNS = 256;

  private final Builder settings;

  private Prepare(Builder settings) {
    this.settings = settings;
  }

  /** Starts from the columns of logs. */
  public static Builder builder(LogColumns columns) {
    return new Builder(columns);
  }

  /**
   * Reads logs and writes {@link Prepared#training}, {@link Prepared#validation} and {@link
   * Prepared#test} shards of a folder, which appears at the end, whole. An interrupt of the thread
   * ends the work.
   *
   * @param logs files, and folders whose files are read, those apart whose names begin with a dot
   *     or underscore
   * @param folder must not be there yet, or be empty; its parent must exist
   * @throws IllegalArgumentException if the folder is in use, or the logs make no training request
   * @throws ai.longer.CorruptDataException if a file lacks a column or a field is wrong; the
   *     message names file and place
   * @throws java.io.UncheckedIOException if a file cannot be read or written
   * @throws java.util.concurrent.CancellationException if the thread was interrupted; its interrupt
   *     flag is set
   */
  public Prepared run(List<Path> logs, Path folder, DataListener... listeners) {
    return NewFolder.make(
        folder, temporary -> run(DataFiles.of(logs), temporary, List.of(listeners)));
  }

  private Prepared run(DataFiles logs, Path folder, List<DataListener> listeners)
      throws IOException {
    Path runs = Files.createDirectory(folder.resolve("sort"));
    LogRow row = new LogRow(settings.columns);
    Prepared prepared;
    try (ExternalSort sort = new ExternalSort(runs, settings.memoryBytes, MAX_RUNS)) {
      long rows = read(logs, row, sort, listeners);
      prepared = write(row, sort, rows, folder, listeners);
    }
    Files.delete(runs);
    return prepared;
  }

  private long read(DataFiles logs, LogRow row, ExternalSort sort, List<DataListener> listeners) {
    ProgressMeter meter = new ProgressMeter("read", listeners);
    double total = logs.totalBytes();
    for (int i = 0; i < logs.files().size(); i++) {
      try (DataFile file =
          DataFile.open(
              logs.files().get(i), Set.copyOf(row.columns()), settings.columns.separators())) {
        int[] columns = row.columns().stream().mapToInt(file::column).toArray();
        while (file.next()) {
          NewFolder.checkInterrupt();
          row.read(file, columns, sort);
          long done = logs.bytesRead(i, file);
          meter.row(done / total, done);
        }
      }
    }
    meter.end(logs.totalBytes());
    return meter.rows();
  }

  private Prepared write(
      LogRow row, ExternalSort sort, long rows, Path folder, List<DataListener> listeners) {
    ProgressMeter meter = new ProgressMeter("write", listeners);
    try (PartWriters writers = new PartWriters(folder, settings.columns.schema())) {
      Iterator<ExternalSort.Entry> sorted = sort.sorted();
      Iterator<Interaction> log =
          new Iterator<>() {
            @Override
            public boolean hasNext() {
              return sorted.hasNext();
            }

            @Override
            public Interaction next() {
              NewFolder.checkInterrupt();
              Interaction next = row.unpack(sorted.next());
              meter.row((meter.rows() + 1) / (double) rows, writers.bytes());
              return next;
            }
          };
      long users = settings.requestBuilder(log).forEach(writers::add);
      writers.finish();
      meter.end(writers.bytes());
      return writers.prepared(rows, users);
    }
  }

  /** Collects settings. Not thread-safe. */
  public static final class Builder {
    private static final long MOST_MEMORY = 1L << 30;

    private final LogColumns columns;
    private UnaryOperator<RequestBuilder.Builder> requests = UnaryOperator.identity();
    private long memoryBytes = Math.min(MOST_MEMORY, Runtime.getRuntime().maxMemory() / 4);

    private Builder(LogColumns columns) {
      this.columns = Objects.requireNonNull(columns, "columns");
    }

    private Builder(Builder other) {
      columns = other.columns;
      requests = other.requests;
      memoryBytes = other.memoryBytes;
    }

    /** Sets how rows become requests and parts. */
    public Builder requests(UnaryOperator<RequestBuilder.Builder> settings) {
      requests = Objects.requireNonNull(settings, "settings");
      return this;
    }

    /** Sets the memory to sort in; default: a quarter of the heap, at most 1 GiB. */
    public Builder memoryBytes(long bytes) {
      memoryBytes = bytes;
      return this;
    }

    private RequestBuilder requestBuilder(Iterator<Interaction> log) {
      int traits = Spliterator.ORDERED | Spliterator.NONNULL;
      Spliterator<Interaction> rows = Spliterators.spliteratorUnknownSize(log, traits);
      return requests
          .apply(RequestBuilder.builder(columns.schema(), () -> StreamSupport.stream(rows, false)))
          .build();
    }

    /**
     * Returns the preparation.
     *
     * @throws IllegalArgumentException if a setting of {@link #requests} is not valid
     */
    public Prepare build() {
      requestBuilder(List.<Interaction>of().iterator());
      return new Prepare(new Builder(this));
    }
  }
}
