package ai.longer.internal;

import ai.longer.data.ShardCounts;
import ai.longer.internal.capi.longer_shard_counts;
import java.nio.ByteBuffer;
import org.bytedeco.javacpp.Pointer;

/** A {@code longer_shard_counts}. Not thread-safe. */
final class ShardCountsBuffer {
  private static final int BYTES = 56;

  private final ByteBuffer memory = Memory.allocate(BYTES).putLong(0, BYTES);
  private final longer_shard_counts pointer = new longer_shard_counts(new Pointer(memory));

  longer_shard_counts pointer() {
    return pointer;
  }

  ShardCounts read() {
    return new ShardCounts(
        memory.getLong(8),
        memory.getLong(16),
        memory.getLong(24),
        memory.getLong(32),
        memory.getLong(40),
        memory.getLong(48));
  }
}
