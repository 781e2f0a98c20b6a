package ai.longer.training;

import ai.longer.internal.NativeBatch;
import ai.longer.internal.ReaderHandle;
import org.jspecify.annotations.Nullable;

/** A pass over shards: native threads gather batches ahead. */
final class ShardBatches implements Batches {
  private final ReaderHandle reader;

  ShardBatches(ReaderHandle reader) {
    this.reader = reader;
  }

  @Override
  public @Nullable NativeBatch next() {
    return reader.next();
  }

  @Override
  public @Nullable NativeBatch nextOfStep() {
    return reader.next();
  }

  /** The reader takes it back with the next call. */
  @Override
  public void recycle(NativeBatch batch) {}

  @Override
  public void close() {
    reader.close();
  }
}
