package ai.longer.internal;

import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Owns a native object: counts calls in flight, frees once, and frees what was forgotten.
 *
 * <p>Safe for use by several threads. A call runs between {@link #enter} and {@link #exit}; {@link
 * #close} waits for calls in flight, and later ones throw {@link IllegalStateException}.
 */
public abstract class NativeHandle implements AutoCloseable {
  private static final Logger LOGGER = LoggerFactory.getLogger(NativeHandle.class);
  private static final Cleaner CLEANER = Cleaner.create();
  private static final AtomicLong LIVE = new AtomicLong();

  private final State state;
  private final Cleaner.Cleanable cleanable;

  /**
   * Takes ownership.
   *
   * @param noun what this is, for messages
   * @param destroy frees the native object; must not refer to this handle
   */
  protected NativeHandle(String noun, Runnable destroy) {
    state = new State(noun, destroy);
    cleanable = CLEANER.register(this, state);
    LIVE.incrementAndGet();
  }

  /** Returns the number of handles that are not closed. */
  public static long liveHandles() {
    return LIVE.get();
  }

  /** Starts a call; end it with {@link #exit} in a finally block. */
  protected final void enter() {
    if (state.calls.getAndIncrement() < 0) {
      exit();
      throw new IllegalStateException("[" + state.noun + "] is closed");
    }
  }

  /** Counts work of another thread that starts within a call; end it with {@link #exit}. */
  protected final void retain() {
    state.calls.getAndIncrement();
  }

  /** Ends a call. */
  protected final void exit() {
    try {
      if (state.calls.decrementAndGet() == State.CLOSED) {
        state.signalIdle();
      }
    } finally {
      Reference.reachabilityFence(this);
    }
  }

  /** Returns whether this thread may wait for calls in flight: not if one of them waits for it. */
  protected boolean mayWait() {
    return true;
  }

  /** Waits for calls in flight and frees the native object. Calling it again does nothing. */
  @Override
  public void close() {
    if (!state.markClosed()) {
      return;
    }
    if (mayWait()) {
      free();
    } else {
      Thread closer = new Thread(this::free, "longer-close");
      closer.setDaemon(true);
      closer.start();
    }
  }

  private void free() {
    state.awaitIdle();
    state.isLeaked = false;
    cleanable.clean();
  }

  /** What the cleaner runs; does not refer to the handle. */
  private static final class State implements Runnable {
    /** Added to the calls in flight when closed. */
    static final int CLOSED = Integer.MIN_VALUE;

    final String noun;
    final Runnable destroy;
    final AtomicInteger calls = new AtomicInteger();
    volatile boolean isLeaked = true;

    State(String noun, Runnable destroy) {
      this.noun = noun;
      this.destroy = destroy;
    }

    boolean markClosed() {
      int present;
      do {
        present = calls.get();
        if (present < 0) {
          return false;
        }
      } while (!calls.compareAndSet(present, present + CLOSED));
      return true;
    }

    synchronized void signalIdle() {
      notifyAll();
    }

    synchronized void awaitIdle() {
      boolean interrupted = false;
      while (calls.get() != CLOSED) {
        try {
          wait();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }

    @Override
    public void run() {
      if (isLeaked) {
        LOGGER.warn("[{}] was garbage-collected without close(); freeing it", noun);
      }
      destroy.run();
      LIVE.decrementAndGet();
    }
  }
}
