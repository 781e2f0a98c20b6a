package ai.longer.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;

/** A folder that appears at the end of the work on it, whole. */
final class NewFolder {
  /** Fills a folder. */
  @FunctionalInterface
  interface Work {
    Prepared fill(Path folder) throws IOException;
  }

  private NewFolder() {}

  /**
   * Does the work in a folder beside, which is then moved to its place, or deleted if it fails.
   *
   * @throws IllegalArgumentException if the folder is there and not empty
   */
  static Prepared make(Path folder, Work work) {
    Path whole = folder.toAbsolutePath().normalize();
    try {
      checkUnused(whole);
      Path temporary =
          Files.createDirectory(
              whole.resolveSibling(".%s.tmp-%x".formatted(whole.getFileName(), System.nanoTime())));
      try {
        Prepared prepared = work.fill(temporary);
        Files.move(temporary, whole, StandardCopyOption.ATOMIC_MOVE);
        return prepared;
      } finally {
        deleteAll(temporary);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("[prepare] cannot write %s: %s".formatted(folder, e), e);
    }
  }

  private static void checkUnused(Path folder) throws IOException {
    if (Files.exists(folder)) {
      try (Stream<Path> files = Files.list(folder)) {
        if (files.findAny().isPresent()) {
          throw new IllegalArgumentException(
              "[prepare] %s is there already; delete it or name another folder".formatted(folder));
        }
      }
    }
  }

  private static void deleteAll(Path folder) throws IOException {
    if (Files.exists(folder)) {
      try (Stream<Path> files = Files.walk(folder)) {
        for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(path);
        }
      }
    }
  }

  /** Called between rows: an interrupt of the thread ends the work. */
  static void checkInterrupt() {
    if (Thread.currentThread().isInterrupted()) {
      throw new CancellationException("[prepare] was interrupted");
    }
  }
}
