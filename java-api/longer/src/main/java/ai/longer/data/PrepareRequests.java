package ai.longer.data;

import ai.longer.data.UserLog.Part;
import ai.longer.internal.ProgressMeter;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/**
 * Turns files of one row per request into shards, in their order, in bounded memory: about 64 MiB
 * for each of the parts, and what {@link RowFormat} holds of a file.
 *
 * <p>Requests are split by their reference time: nothing in the training shards is newer than what
 * a model is measured on.
 *
 * <pre>{@code
 * RequestColumns columns = RequestColumns.builder(schema).user("user_id").time("time").build();
 * Prepared prepared =
 *     PrepareRequests.builder(columns).testFrom(1_700_000_000).build()
 *         .run(List.of(files), folder, DataListener.progressBar());
 * }</pre>
 *
 * <p>Immutable; safe for use by several threads.
 */
public final class PrepareRequests {
  private final Builder settings;

  private PrepareRequests(Builder settings) {
    this.settings = settings;
  }

  /** Starts from the columns of files. */
  public static Builder builder(RequestColumns columns) {
    return new Builder(columns);
  }

  /**
   * Reads files and writes {@link Prepared#training}, {@link Prepared#validation} and {@link
   * Prepared#test} shards of a folder, which appears at the end, whole. An interrupt of the thread
   * ends the work.
   *
   * @param paths files, and folders whose files are read in the order of their names; those whose
   *     names begin with a dot or underscore are left out
   * @param folder must not be there yet, or be empty; its parent must exist
   * @throws IllegalArgumentException if the folder is in use, or there is no training request
   * @throws ai.longer.CorruptDataException if a file lacks a column or a row is wrong; the message
   *     names file and place
   * @throws java.io.UncheckedIOException if a file cannot be read or written
   * @throws java.util.concurrent.CancellationException if the thread was interrupted; its interrupt
   *     flag is set
   */
  public Prepared run(List<Path> paths, Path folder, DataListener... listeners) {
    return NewFolder.make(
        folder, temporary -> run(DataFiles.of(paths), temporary, List.of(listeners)));
  }

  private Prepared run(DataFiles files, Path folder, List<DataListener> listeners) {
    ProgressMeter meter = new ProgressMeter("write", listeners);
    try (PartWriters writers = new PartWriters(folder, settings.columns.schema())) {
      double total = files.totalBytes();
      for (int i = 0; i < files.files().size(); i++) {
        try (RequestReader reader = RequestReader.open(files.files().get(i), settings.columns)) {
          while (reader.next()) {
            NewFolder.checkInterrupt();
            Request request = reader.request();
            writers.add(settings.partOf(request.referenceTime()), request);
            meter.row(files.bytesRead(i, reader.file()) / total, writers.bytes());
          }
        }
      }
      writers.finish();
      meter.end(writers.bytes());
      return writers.prepared(meter.rows(), null);
    }
  }

  /** Collects settings. Not thread-safe. */
  public static final class Builder {
    private final RequestColumns columns;
    private long validationFrom = Long.MAX_VALUE;
    private long testFrom = Long.MAX_VALUE;

    private Builder(RequestColumns columns) {
      this.columns = Objects.requireNonNull(columns, "columns");
    }

    private Builder(Builder other) {
      columns = other.columns;
      validationFrom = other.validationFrom;
      testFrom = other.testFrom;
    }

    private Part partOf(long time) {
      return time >= testFrom
          ? Part.TEST
          : time >= validationFrom ? Part.VALIDATION : Part.TRAINING;
    }

    /** Takes requests at or after an epoch second, and before the test's, to validate on. */
    public Builder validationFrom(long epochSecond) {
      validationFrom = epochSecond;
      return this;
    }

    /** Takes requests at or after an epoch second for the test. */
    public Builder testFrom(long epochSecond) {
      testFrom = epochSecond;
      return this;
    }

    /**
     * Returns the preparation.
     *
     * @throws IllegalArgumentException if validation would begin after the test
     */
    public PrepareRequests build() {
      if (validationFrom != Long.MAX_VALUE && validationFrom > testFrom) {
        throw new IllegalArgumentException(
            "[prepare] validation must not begin after the test; got %d and %d"
                .formatted(validationFrom, testFrom));
      }
      return new PrepareRequests(new Builder(this));
    }
  }
}
