package ai.longer.samples.cli;

import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;

/** Work that SIGINT and SIGTERM interrupt, and that the process waits for. */
final class Interrupts {
  private Interrupts() {}

  /** Does work on this thread; a signal interrupts the thread and waits until it has returned. */
  static <T> T heed(Callable<T> work) throws Exception {
    Thread worker = Thread.currentThread();
    CountDownLatch done = new CountDownLatch(1);
    Thread hook = new Thread(() -> interruptAndWait(worker, done), "longer-interrupt");
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      return work.call();
    } finally {
      done.countDown();
      removeHook(hook);
    }
  }

  private static void interruptAndWait(Thread worker, CountDownLatch done) {
    worker.interrupt();
    try {
      done.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void removeHook(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The process ends already.
    }
  }
}
