package ai.longer.internal;

import ai.longer.internal.capi.LongerC;
import ai.longer.internal.capi.longer_ranker;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.jspecify.annotations.Nullable;

/**
 * Submits requests and completes their futures from one daemon platform thread.
 *
 * <p>The thread lives while requests are under way and a little longer, and counts as a call in
 * flight of its ranker while they are: closing the ranker waits for their results. Safe for use by
 * any number of threads.
 */
final class AsyncRanking {
  private static final long POLL_MILLIS = 50;
  private static final long IDLE_SECONDS = 5;

  private final RankerHandle ranker;
  private final longer_ranker pointer;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition hasWork = lock.newCondition();
  // Guarded by lock.
  private final Map<Long, Submission<?>> underWay = new HashMap<>();
  private long nextTag;
  private int largestScores;
  private boolean isRetained;
  private @Nullable Thread thread;

  AsyncRanking(RankerHandle ranker, longer_ranker pointer) {
    this.ranker = ranker;
    this.pointer = pointer;
  }

  /**
   * Submits a call that was filled; runs within a call of the ranker.
   *
   * @param result makes the future's value of the scores, null on a cache miss
   */
  <T> CompletableFuture<T> submit(RankCall call, Function<float @Nullable [], T> result) {
    Submission<T> submission;
    lock.lock();
    try {
      if (thread == null) {
        Thread started = new Thread(this::poll, "longer-ranker-results");
        started.setDaemon(true);
        started.start();
        thread = started;
      }
      if (!isRetained) {
        ranker.retainForPolling();
        isRetained = true;
      }
      submission = new Submission<>(nextTag++, result);
      underWay.put(submission.tag, submission);
      largestScores = Math.max(largestScores, call.numScores());
      hasWork.signal();
    } finally {
      lock.unlock();
    }
    int status =
        LongerC.longer_ranker_submit(
            pointer, call.requestPointer(), submission.tag, call.errorPointer());
    if (status != LongerC.LONGER_OK) {
      forget(submission.tag);
      throw call.error().exception();
    }
    return submission;
  }

  boolean isPollingThread() {
    lock.lock();
    try {
      return Thread.currentThread() == thread;
    } finally {
      lock.unlock();
    }
  }

  private @Nullable Submission<?> take(long tag) {
    lock.lock();
    try {
      return underWay.remove(tag);
    } finally {
      lock.unlock();
    }
  }

  private void forget(long tag) {
    lock.lock();
    try {
      underWay.remove(tag);
    } finally {
      lock.unlock();
    }
  }

  private void poll() {
    try {
      Results results = new Results();
      while (awaitWork(results)) {
        results.pollOnce();
      }
    } catch (RuntimeException | Error e) {
      // Out of memory, for example: nobody may wait for a thread that has ended.
      failAll(e);
    }
  }

  private void failAll(Throwable failure) {
    List<Submission<?>> failed;
    lock.lock();
    try {
      failed = List.copyOf(underWay.values());
      underWay.clear();
      thread = null;
      if (isRetained) {
        isRetained = false;
        ranker.releaseFromPolling();
      }
    } finally {
      lock.unlock();
    }
    for (Submission<?> submission : failed) {
      submission.completeExceptionally(failure);
    }
  }

  /** Returns whether requests are under way, after waiting for some; false ends the thread. */
  private boolean awaitWork(Results results) {
    lock.lock();
    try {
      if (underWay.isEmpty() && isRetained) {
        isRetained = false;
        ranker.releaseFromPolling();
      }
      awaitSubmission();
      if (underWay.isEmpty()) {
        thread = null;
        return false;
      }
      results.reserve(largestScores);
      return true;
    } finally {
      lock.unlock();
    }
  }

  private void awaitSubmission() {
    long left = TimeUnit.SECONDS.toNanos(IDLE_SECONDS);
    try {
      while (underWay.isEmpty() && left > 0) {
        left = hasWork.awaitNanos(left);
      }
    } catch (InterruptedException e) {
      // Only a dependent of a future can interrupt this thread, which then counts as idle.
    }
  }

  /** A request under way. */
  private final class Submission<T> extends CompletableFuture<T> {
    final long tag;
    private final Function<float @Nullable [], T> result;

    Submission(long tag, Function<float @Nullable [], T> result) {
      this.tag = tag;
      this.result = result;
    }

    void finish(float @Nullable [] scores) {
      complete(result.apply(scores));
    }

    /** Takes the request back if it has not started; its result is dropped otherwise. */
    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
      boolean cancelled = super.cancel(mayInterruptIfRunning);
      if (cancelled) {
        try {
          if (ranker.cancel(tag)) {
            forget(tag);
          }
        } catch (IllegalStateException e) {
          // Closing: the request ends by itself and nobody waits for it.
        }
      }
      return cancelled;
    }
  }

  /** Memory that results are polled into; used by the polling thread only. */
  private final class Results {
    private final NativeError error = new NativeError();
    private final ByteBuffer tagAndCount = Memory.allocate(2 * Long.BYTES);
    private final LongPointer tag = new LongPointer(new Pointer(tagAndCount));
    private final LongPointer count =
        new LongPointer(new Pointer(tagAndCount.slice(Long.BYTES, Long.BYTES)));
    private FloatBuffer scores = FloatBuffer.allocate(0);
    private FloatPointer scoresPointer = new FloatPointer((Pointer) null);

    void reserve(int wanted) {
      if (wanted > scores.capacity()) {
        ByteBuffer memory = Memory.allocate(Math.multiplyExact(wanted, Float.BYTES));
        scores = memory.asFloatBuffer();
        scoresPointer = new FloatPointer(new Pointer(memory));
      }
    }

    void pollOnce() {
      int status =
          LongerC.longer_ranker_poll(
              pointer, POLL_MILLIS, tag, scoresPointer, scores.capacity(), count, error.pointer());
      long finished = tagAndCount.getLong(0);
      long numScores = tagAndCount.getLong(Long.BYTES);
      if (finished < 0 || numScores > scores.capacity()) {
        return; // Nothing in time, or kept until there is room for it.
      }
      Submission<?> submission = take(finished);
      if (submission == null) {
        return; // Cancelled.
      }
      try {
        complete(submission, status, (int) numScores);
      } catch (RuntimeException | Error e) {
        submission.completeExceptionally(e);
      }
    }

    private void complete(Submission<?> submission, int status, int numScores) {
      if (status == LongerC.LONGER_OK) {
        float[] values = new float[numScores];
        scores.get(0, values);
        submission.finish(values);
      } else if (status == LongerC.LONGER_CACHE_MISS) {
        submission.finish(null);
      } else {
        throw error.exception();
      }
    }
  }
}
