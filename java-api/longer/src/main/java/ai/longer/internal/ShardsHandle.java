package ai.longer.internal;

import ai.longer.LongerConfig;
import ai.longer.data.ShardCounts;
import ai.longer.internal.capi.LongerC;
import ai.longer.internal.capi.longer_shards;
import java.nio.file.Path;

/** A {@code longer_shards}. Safe for use by several threads. */
public final class ShardsHandle extends NativeHandle {
  private final longer_shards pointer;

  private ShardsHandle(longer_shards pointer) {
    super("shards", () -> LongerC.longer_shards_destroy(pointer));
    this.pointer = pointer;
  }

  /** Maps a shard folder; {@code verify} compares every checksum. */
  public static ShardsHandle open(Path folder, boolean verify) {
    NativeLibrary.load();
    NativeError error = new NativeError();
    return new ShardsHandle(
        error.checkCreated(
            LongerC.longer_shards_open(folder.toString(), verify ? 1 : 0, error.pointer())));
  }

  /** Returns the sums. */
  public ShardCounts counts() {
    ShardCountsBuffer counts = new ShardCountsBuffer();
    NativeError error = new NativeError();
    enter();
    try {
      error.check(LongerC.longer_shards_get_counts(pointer, counts.pointer(), error.pointer()));
      return counts.read();
    } finally {
      exit();
    }
  }

  /** Returns a number that is equal for equal data. */
  public long fingerprint() {
    enter();
    try {
      return LongerC.longer_shards_fingerprint(pointer);
    } finally {
      exit();
    }
  }

  /** Starts a pass, which keeps the shards open. */
  public ReaderHandle read(LongerConfig config, ReaderHandle.Pass pass) {
    enter();
    try {
      return ReaderHandle.create(pointer, config, pass);
    } finally {
      exit();
    }
  }

  /** Returns schema.json. */
  public String schemaJson() {
    enter();
    try {
      return NativeText.read(
          (text, needed, error) ->
              LongerC.longer_shards_schema(pointer, text, text.length, needed, error));
    } finally {
      exit();
    }
  }
}
