package ai.longer.samples.cli;

import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/**
 * What lies beside a model while it is trained: the checkpoint that {@code --resume} goes on from,
 * and shards made of files.
 */
record RunFolder(Path folder) {
  static RunFolder of(Path model) throws IOException {
    Path whole = model.toAbsolutePath().normalize();
    Path folder = whole.resolveSibling(whole.getFileName() + ".run");
    Files.createDirectories(folder);
    return new RunFolder(folder);
  }

  Path checkpoint() {
    return folder.resolve("checkpoint");
  }

  boolean hasCheckpoint() {
    return Files.exists(checkpoint());
  }

  Path data() {
    return folder.resolve("data");
  }

  /** After a run that came to nothing. */
  void deleteIfEmpty() throws IOException {
    try {
      Files.deleteIfExists(folder);
    } catch (DirectoryNotEmptyException e) {
      // A checkpoint or shards to go on with.
    }
  }

  void delete() throws IOException {
    delete(folder);
  }

  void deleteData() throws IOException {
    if (Files.exists(data())) {
      delete(data());
    }
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
