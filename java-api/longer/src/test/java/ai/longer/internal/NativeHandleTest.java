package ai.longer.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class NativeHandleTest {
  /** Stands for a native object: using it after its end is seen. */
  private static final class Resource extends NativeHandle {
    final AtomicBoolean destroyed;

    Resource(AtomicBoolean destroyed, Runnable destroy) {
      super("resource", destroy);
      this.destroyed = destroyed;
    }

    static Resource create(AtomicInteger destroys) {
      AtomicBoolean destroyed = new AtomicBoolean();
      return new Resource(
          destroyed,
          () -> {
            destroyed.set(true);
            destroys.incrementAndGet();
          });
    }

    void use() {
      enter();
      try {
        if (destroyed.get()) {
          throw new AssertionError("used after its end");
        }
        Thread.onSpinWait();
        if (destroyed.get()) {
          throw new AssertionError("destroyed in use");
        }
      } finally {
        exit();
      }
    }

    void useUntil(CountDownLatch inUse, CountDownLatch end) throws InterruptedException {
      enter();
      try {
        inUse.countDown();
        end.await();
        if (destroyed.get()) {
          throw new AssertionError("destroyed in use");
        }
      } finally {
        exit();
      }
    }
  }

  private final AtomicInteger destroys = new AtomicInteger();

  @AfterEach
  void nothingIsLeft() {
    assertThat(NativeHandle.liveHandles()).isZero();
  }

  @Test
  void closingTwiceDestroysOnce() {
    Resource resource = Resource.create(destroys);
    assertThat(NativeHandle.liveHandles()).isEqualTo(1);
    resource.use();
    resource.close();
    resource.close();
    assertThat(destroys).hasValue(1);
    assertThatThrownBy(resource::use)
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("[resource] is closed");
  }

  @Test
  void closeWaitsForCallsInFlightAndRefusesLaterOnes() throws Exception {
    Resource resource = Resource.create(destroys);
    CountDownLatch inUse = new CountDownLatch(1);
    CountDownLatch end = new CountDownLatch(1);
    Task user = Task.start(() -> resource.useUntil(inUse, end));
    inUse.await();
    Task closer = Task.start(resource::close);
    while (!refuses(resource)) {
      Thread.onSpinWait();
    }
    assertThat(closer.isRunning()).isTrue();
    assertThat(destroys).hasValue(0);
    end.countDown();
    user.join();
    closer.join();
    assertThat(destroys).hasValue(1);
  }

  private static boolean refuses(Resource resource) {
    try {
      resource.use();
      return false;
    } catch (IllegalStateException e) {
      return true;
    }
  }

  @Test
  void interruptsDoNotCutCloseShort() throws Exception {
    Resource resource = Resource.create(destroys);
    CountDownLatch inUse = new CountDownLatch(1);
    CountDownLatch end = new CountDownLatch(1);
    Task user = Task.start(() -> resource.useUntil(inUse, end));
    inUse.await();
    AtomicBoolean flagKept = new AtomicBoolean();
    Task closer =
        Task.start(
            () -> {
              Thread.currentThread().interrupt();
              resource.close();
              flagKept.set(Thread.interrupted());
            });
    TimeUnit.MILLISECONDS.sleep(50);
    assertThat(closer.isRunning()).isTrue();
    end.countDown();
    user.join();
    closer.join();
    assertThat(flagKept).isTrue();
    assertThat(destroys).hasValue(1);
  }

  @Test
  void racingCallsAndClosesNeverMeetTheEnd() throws Exception {
    for (int round = 0; round < 300; round++) {
      Resource resource = Resource.create(destroys);
      CountDownLatch go = new CountDownLatch(1);
      List<Task> tasks = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        tasks.add(
            Task.start(
                () -> {
                  go.await();
                  while (!refuses(resource)) {
                    Thread.onSpinWait();
                  }
                }));
      }
      for (int i = 0; i < 2; i++) {
        tasks.add(
            Task.start(
                () -> {
                  go.await();
                  resource.close();
                }));
      }
      go.countDown();
      for (Task task : tasks) {
        task.join();
      }
      assertThat(destroys).hasValue(round + 1);
    }
  }

  @Test
  void forgottenHandlesAreFreedByTheCollector() throws Exception {
    forget();
    for (int i = 0; i < 200 && destroys.get() == 0; i++) {
      System.gc();
      TimeUnit.MILLISECONDS.sleep(10);
    }
    assertThat(destroys).hasValue(1);
  }

  private void forget() {
    Resource.create(destroys).use();
  }

  /** A thread whose failure the test sees. */
  private static final class Task {
    interface Work {
      void run() throws Exception;
    }

    private final Thread thread;
    private volatile @Nullable Throwable failure = new AssertionError("did not end");

    private Task(Work work) {
      thread =
          new Thread(
              () -> {
                try {
                  work.run();
                  failure = null;
                } catch (Throwable e) {
                  failure = e;
                }
              });
    }

    static Task start(Work work) {
      Task task = new Task(work);
      task.thread.start();
      return task;
    }

    boolean isRunning() {
      return thread.isAlive();
    }

    void join() throws InterruptedException {
      thread.join();
      Throwable thrown = failure;
      if (thrown != null) {
        throw new AssertionError(thrown);
      }
    }
  }
}
