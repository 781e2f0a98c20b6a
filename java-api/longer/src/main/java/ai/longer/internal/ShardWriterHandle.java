package ai.longer.internal;

import ai.longer.data.ShardCounts;
import ai.longer.internal.capi.LongerC;
import ai.longer.internal.capi.longer_shard_writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A {@code longer_shard_writer}. Not thread-safe. */
public final class ShardWriterHandle extends NativeHandle {
  private final longer_shard_writer pointer;
  private final NativeError error = new NativeError();
  private final ShardCountsBuffer counts = new ShardCountsBuffer();

  private ShardWriterHandle(longer_shard_writer pointer) {
    super("shard_writer", () -> LongerC.longer_shard_writer_destroy(pointer));
    this.pointer = pointer;
  }

  /** Starts a folder; {@code shardBytes} 0 = the native default. */
  public static ShardWriterHandle create(Path folder, String schemaJson, long shardBytes) {
    NativeLibrary.load();
    NativeError error = new NativeError();
    long bytes = schemaJson.getBytes(StandardCharsets.UTF_8).length;
    return new ShardWriterHandle(
        error.checkCreated(
            LongerC.longer_shard_writer_create(
                folder.toString(), schemaJson, bytes, shardBytes, error.pointer())));
  }

  /** Appends the requests of a batch. */
  public void add(BatchBuffer batch, long[] userKeys) {
    enter();
    try {
      error.check(
          LongerC.longer_shard_writer_add(pointer, batch.pointer(), userKeys, error.pointer()));
    } finally {
      exit();
    }
  }

  /** Returns what was added so far. */
  public ShardCounts counts() {
    enter();
    try {
      error.check(
          LongerC.longer_shard_writer_get_counts(pointer, counts.pointer(), error.pointer()));
      return counts.read();
    } finally {
      exit();
    }
  }

  /** Puts the folder in place. */
  public void finish() {
    enter();
    try {
      error.check(LongerC.longer_shard_writer_finish(pointer, error.pointer()));
    } finally {
      exit();
    }
  }
}
