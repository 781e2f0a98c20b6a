package ai.longer.internal;

import ai.longer.LongerConfig;
import ai.longer.internal.capi.LongerC;
import ai.longer.internal.capi.longer_reader;
import ai.longer.internal.capi.longer_reader_options;
import ai.longer.internal.capi.longer_shards;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.bytedeco.javacpp.Pointer;
import org.jspecify.annotations.Nullable;

/** A {@code longer_reader}: one pass over shards. Not thread-safe. */
public final class ReaderHandle extends NativeHandle {
  private static final int OPTIONS_BYTES = 88;

  /** More only copy what nobody trains on yet. */
  private static final int MOST_THREADS = 4;

  /**
   * How to read.
   *
   * @param batchRequests requests of a batch
   * @param shuffle false: stored order
   * @param seed of the order
   * @param epoch has an order of its own
   * @param firstRequest requests of the pass that come before the first batch
   */
  public record Pass(int batchRequests, boolean shuffle, long seed, long epoch, long firstRequest) {
    /** A whole pass in stored order. */
    public static Pass inOrder(int batchRequests) {
      return new Pass(batchRequests, false, 0, 0, 0);
    }
  }

  private final longer_reader pointer;
  private final ReaderBatch batch;
  private final NativeError error = new NativeError();

  private ReaderHandle(longer_reader pointer, int tasks) {
    super("reader", () -> LongerC.longer_reader_destroy(pointer));
    this.pointer = pointer;
    this.batch = new ReaderBatch(tasks);
  }

  static ReaderHandle create(longer_shards shards, LongerConfig config, Pass pass) {
    String json = config.toJson();
    long bytes = json.getBytes(StandardCharsets.UTF_8).length;
    NativeError error = new NativeError();
    return new ReaderHandle(
        error.checkCreated(
            LongerC.longer_reader_create(
                shards, json, bytes, struct(config, pass), error.pointer())),
        config.schema().tasks().size());
  }

  /** The options struct: 64 bits each. */
  private static longer_reader_options struct(LongerConfig config, Pass pass) {
    int processors = Runtime.getRuntime().availableProcessors();
    ByteBuffer memory = Memory.allocate(OPTIONS_BYTES);
    memory.putLong(OPTIONS_BYTES);
    memory.putLong(pass.batchRequests());
    memory.putLong(0); // batch_events: any number
    memory.putLong(config.maxHistory());
    memory.putLong(pass.shuffle() ? 1 : 0);
    memory.putLong(pass.seed());
    memory.putLong(pass.epoch());
    memory.putLong(0); // worker
    memory.putLong(1); // num_workers
    memory.putLong(Math.max(1, Math.min(MOST_THREADS, processors / 4)));
    memory.putLong(pass.firstRequest());
    return new longer_reader_options(new Pointer(memory.rewind()));
  }

  /** Returns the next batch, valid until the next call or {@link #close}, or null at the end. */
  public @Nullable ReaderBatch next() {
    enter();
    try {
      error.check(LongerC.longer_reader_next(pointer, batch.pointer(), error.pointer()));
      return batch.numRequests() > 0 ? batch : null;
    } finally {
      exit();
    }
  }

  /** Returns a copy of the keys of the last batch's users [B]. */
  public long[] userKeys() {
    long[] keys = new long[batch.numRequests()];
    enter();
    try {
      LongerC.longer_reader_user_keys(pointer).get(keys);
      return keys;
    } finally {
      exit();
    }
  }
}
