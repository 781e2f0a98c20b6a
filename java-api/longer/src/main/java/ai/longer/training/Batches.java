package ai.longer.training;

import ai.longer.LongerConfig;
import ai.longer.data.Dataset;
import ai.longer.data.RequestSource;
import ai.longer.data.Shards;
import ai.longer.internal.Access;
import ai.longer.internal.NativeBatch;
import ai.longer.internal.ReaderHandle.Pass;
import org.jspecify.annotations.Nullable;

/** One pass over a data set in batches with labels. For one consumer thread. */
interface Batches extends AutoCloseable {
  /** Keeps the shuffles of runs apart. */
  int EPOCH_BITS = 32;

  /**
   * Returns the next batch, or null at the end and after it; throws what reading it threw. The
   * batch is valid until {@link #recycle}, which comes before the next call.
   */
  @Nullable NativeBatch next() throws InterruptedException;

  /** As {@link #next}, for a step that has begun: an interrupt waits until after it. */
  @Nullable NativeBatch nextOfStep();

  /** Gives a batch's memory back. */
  void recycle(NativeBatch batch);

  @Override
  void close();

  /** The pass that {@code progress} is in, from the batch that comes next. */
  static Batches training(
      Dataset data, LongerConfig config, TrainerOptions options, Progress progress) {
    int size = options.batchSize();
    if (data instanceof Shards shards) {
      boolean shuffle = options.shuffleBuffer() > 1;
      long order = (long) progress.run << EPOCH_BITS | progress.epoch;
      long position = Math.min(progress.batches * size, shards.counts().requests());
      return read(shards, config, new Pass(size, shuffle, options.seed(), order, position));
    }
    ShuffleBuffer shuffle =
        new ShuffleBuffer(options.shuffleBuffer(), options.seed(), progress.run, progress.epoch);
    return new BatchPipeline((RequestSource) data, shuffle, size, config, progress.batches);
  }

  /** A whole pass in the data's order. */
  static Batches inOrder(Dataset data, LongerConfig config, int batchSize) {
    return data instanceof Shards shards
        ? read(shards, config, Pass.inOrder(batchSize))
        : new BatchPipeline((RequestSource) data, ShuffleBuffer.none(), batchSize, config, 0);
  }

  private static Batches read(Shards shards, LongerConfig config, Pass pass) {
    return new ShardBatches(Access.SHARDS.of(shards).read(config, pass));
  }
}
