package ai.longer.data;

import ai.longer.LongerConfig;
import ai.longer.Schema;
import ai.longer.internal.Access;
import ai.longer.internal.BatchBuffer;
import ai.longer.internal.BatchBuffer.Content;
import ai.longer.internal.ProgressMeter;
import ai.longer.internal.ShardSchemaJson;
import ai.longer.internal.ShardWriterHandle;
import ai.longer.internal.ShardsHandle;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.stream.Stream;

/**
 * A folder of training data as {@code native/docs/shard-format.md} describes it: memory-mapped, so
 * that training reads it in any order without holding it, and natively, without {@link Request}
 * objects.
 *
 * <p>Immutable; safe for use by several threads. {@link #close} may be called from any thread;
 * later calls throw {@link IllegalStateException}, passes in progress go on.
 */
public final class Shards implements Dataset, AutoCloseable {
  static {
    Access.SHARDS.set(shards -> shards.handle);
  }

  private static final int REQUESTS_PER_CALL = 64;
  private static final long EVENTS_PER_CALL = 1 << 18;

  private final Path folder;
  private final ShardsHandle handle;
  private final ShardCounts counts;

  private Shards(Path folder, ShardsHandle handle) {
    this.folder = folder;
    this.handle = handle;
    this.counts = handle.counts();
  }

  /**
   * Opens a folder and compares every checksum, which reads all files once.
   *
   * @throws java.io.UncheckedIOException if a file cannot be read
   * @throws ai.longer.CorruptDataException if a file is damaged; the message names it
   */
  public static Shards open(Path folder) {
    return new Shards(folder, ShardsHandle.open(folder, true));
  }

  /**
   * As {@link #open} for a folder whose checksums were compared before: reads sizes and headers
   * only. Whatever the files hold, each number is checked before it is used.
   */
  public static Shards openUnverified(Path folder) {
    return new Shards(folder, ShardsHandle.open(folder, false));
  }

  /**
   * Writes requests in their order to a folder, which appears at the end, whole. Events that
   * consecutive requests of one user ({@link Request#groupKey}) share are stored once, which needs
   * their {@link History#firstOrdinal}. Holds one shard in memory, about 64 MiB.
   *
   * @return what was written
   * @throws IllegalArgumentException if a request was built for another schema
   * @throws java.io.UncheckedIOException if it cannot be written; what was there is unchanged
   */
  public static ShardCounts write(
      Path folder, Schema schema, RequestSource requests, DataListener... listeners) {
    try (Writer writer = new Writer(folder, schema);
        Stream<Request> stream = requests.stream()) {
      double total = requests.size().isPresent() ? requests.size().getAsLong() : Double.NaN;
      ProgressMeter meter = new ProgressMeter("shards", List.of(listeners));
      Iterator<Request> iterator = stream.iterator();
      while (iterator.hasNext()) {
        writer.add(iterator.next());
        meter.row((meter.rows() + 1) / total, writer.counts().bytes());
      }
      ShardCounts counts = writer.finish();
      meter.end(counts.bytes());
      return counts;
    }
  }

  /** Collects requests and hands them over. Not thread-safe. */
  static final class Writer implements AutoCloseable {
    private final ShardWriterHandle handle;
    private final BatchBuffer batch;
    private final List<Request> collected = new ArrayList<>();
    private long events;
    private ShardCounts counts = new ShardCounts(0, 0, 0, 0, 0, 0);

    Writer(Path folder, Schema schema) {
      batch = new BatchBuffer(LongerConfig.builder(schema).build());
      handle = ShardWriterHandle.create(folder, ShardSchemaJson.write(schema), 0);
    }

    void add(Request request) {
      boolean differs = !collected.isEmpty() && collected.get(0).hasLabels() != request.hasLabels();
      if (differs || collected.size() == REQUESTS_PER_CALL || events >= EVENTS_PER_CALL) {
        flush();
      }
      collected.add(request);
      events += request.history().size();
    }

    private void flush() {
      if (collected.isEmpty()) {
        return;
      }
      batch.fill(
          collected.toArray(new Request[0]),
          collected.get(0).hasLabels() ? Content.LABELS : Content.INPUTS);
      handle.add(batch, collected.stream().mapToLong(Request::groupKey).toArray());
      counts = handle.counts();
      collected.clear();
      events = 0;
    }

    ShardCounts counts() {
      return counts;
    }

    ShardCounts finish() {
      flush();
      handle.finish();
      counts = handle.counts();
      return counts;
    }

    @Override
    public void close() {
      handle.close();
    }
  }

  /** Returns the folder. */
  public Path folder() {
    return folder;
  }

  /** Returns the number of requests. */
  @Override
  public OptionalLong size() {
    return OptionalLong.of(counts.requests());
  }

  /** Returns the sums. */
  public ShardCounts counts() {
    return counts;
  }

  /** Returns {@code schema.json}: which columns there are. */
  public String schemaJson() {
    return handle.schemaJson();
  }

  /** Returns the folder's sums and columns as text for people. */
  public String describe() {
    return String.format(
        Locale.ROOT,
        "%s%n  %,d requests, %,d candidates%n  %,d events of %,d logs, %.1f a request stored%n"
            + "  %,d shards, %,d bytes%n%s%n",
        folder,
        counts.requests(),
        counts.candidates(),
        counts.events(),
        counts.logs(),
        counts.events() / (double) Math.max(1, counts.requests()),
        counts.shards(),
        counts.bytes(),
        schemaJson());
  }

  /** Frees the mapping once passes in progress have ended. */
  @Override
  public void close() {
    handle.close();
  }
}
