package ai.longer.training;

import ai.longer.LongerConfig;
import ai.longer.data.Request;
import ai.longer.data.RequestSource;
import ai.longer.internal.BatchBuffer;
import ai.longer.internal.BatchBuffer.Content;
import ai.longer.internal.NativeBatch;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One pass over a source in batches: a thread reads and packs the next batch while the present one
 * is in use. For one consumer thread.
 */
final class BatchPipeline implements Batches {
  /** One in use, one being packed. */
  private static final int NUM_BUFFERS = 2;

  /** A batch, a failure, or neither: the end. */
  private record Item(@Nullable BatchBuffer batch, @Nullable Throwable failure) {}

  private final RequestSource source;
  private final ShuffleBuffer shuffle;
  private final int batchSize;
  // Room for all buffers and the end: the packing thread never waits to put.
  private final BlockingQueue<Item> ready = new ArrayBlockingQueue<>(NUM_BUFFERS + 1);
  private final BlockingQueue<BatchBuffer> free = new ArrayBlockingQueue<>(NUM_BUFFERS + 1);
  private final BatchBuffer wakeUp;
  private long toSkip;
  private @Nullable Item end;
  private final Thread thread;
  private volatile boolean isStopped;

  /** Starts at batch {@code toSkip} of the pass; those before it are read and not packed. */
  BatchPipeline(
      RequestSource source,
      ShuffleBuffer shuffle,
      int batchSize,
      LongerConfig config,
      long toSkip) {
    this.source = source;
    this.shuffle = shuffle;
    this.batchSize = batchSize;
    this.toSkip = toSkip;
    this.wakeUp = new BatchBuffer(config);
    for (int i = 0; i < NUM_BUFFERS; i++) {
      free.add(new BatchBuffer(config));
    }
    thread = new Thread(this::pack, "longer-batches");
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public @Nullable BatchBuffer next() throws InterruptedException {
    Item item = end != null ? end : ready.take();
    if (item.batch() == null) {
      end = item;
    }
    Throwable failure = item.failure();
    if (failure instanceof RuntimeException e) {
      throw e;
    }
    if (failure instanceof Error e) {
      throw e;
    }
    return item.batch();
  }

  @Override
  public @Nullable BatchBuffer nextOfStep() {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return next();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  @Override
  public void recycle(NativeBatch batch) {
    free.add((BatchBuffer) batch);
  }

  /** Stops packing and waits until the source's stream is closed. */
  @Override
  public void close() {
    isStopped = true;
    free.add(wakeUp);
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void pack() {
    Item last = new Item(null, null);
    try (Stream<Request> stream = source.stream()) {
      packAll(stream.iterator());
    } catch (InterruptedException e) {
      last =
          new Item(null, new IllegalStateException("[trainer] the packing thread was interrupted"));
    } catch (RuntimeException | Error e) {
      last = new Item(null, e);
    }
    ready.add(last);
  }

  private void packAll(Iterator<Request> requests) throws InterruptedException {
    List<Request> collected = new ArrayList<>();
    while (requests.hasNext() && !isStopped) {
      collect(shuffle.exchange(requests.next()), collected);
    }
    for (Request left = shuffle.remove(); left != null && !isStopped; left = shuffle.remove()) {
      collect(left, collected);
    }
    if (!collected.isEmpty()) {
      putBatch(collected);
    }
  }

  private void collect(@Nullable Request request, List<Request> collected)
      throws InterruptedException {
    if (request == null) {
      return;
    }
    collected.add(request);
    if (collected.size() == batchSize) {
      putBatch(collected);
      collected.clear();
    }
  }

  private void putBatch(List<Request> collected) throws InterruptedException {
    if (toSkip > 0) {
      toSkip--;
      return;
    }
    BatchBuffer buffer = free.take();
    if (isStopped) {
      return;
    }
    buffer.fill(collected.toArray(new Request[0]), Content.LABELS);
    ready.add(new Item(buffer, null));
  }
}
