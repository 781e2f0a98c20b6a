package ai.longer.data;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Files that are read one after another, and how far that is. Safe for use by several threads.
 *
 * @param files in their order
 * @param starts how many bytes those before each have, then those of all
 */
record DataFiles(List<Path> files, List<Long> starts) {
  /**
   * Lists files and the files of folders, by name, with those of folders inside. Names that begin
   * with a dot or underscore are left out: marks of jobs that wrote the folder.
   *
   * @throws IllegalArgumentException if there is no file
   * @throws UncheckedIOException if a path is not there or cannot be read
   */
  static DataFiles of(List<Path> paths) {
    List<Path> files = new ArrayList<>();
    List<Long> starts = new ArrayList<>();
    long bytes = 0;
    for (Path path : paths) {
      try {
        List<Path> found = Files.isDirectory(path) ? ofFolder(path) : List.of(path);
        for (Path file : found) {
          files.add(file);
          starts.add(bytes);
          bytes += Files.size(file);
        }
      } catch (IOException e) {
        throw new UncheckedIOException("[data] %s: cannot be read: %s".formatted(path, e), e);
      }
    }
    starts.add(bytes);
    return new DataFiles(List.copyOf(files), List.copyOf(starts));
  }

  private static List<Path> ofFolder(Path folder) throws IOException {
    try (Stream<Path> paths = Files.walk(folder)) {
      List<Path> files =
          paths
              .filter(path -> !isHidden(folder.relativize(path)) && Files.isRegularFile(path))
              .sorted()
              .toList();
      if (files.isEmpty()) {
        throw new IllegalArgumentException("[data] %s: has no file".formatted(folder));
      }
      return files;
    }
  }

  private static boolean isHidden(Path path) {
    for (Path name : path) {
      if (name.toString().startsWith(".") || name.toString().startsWith("_")) {
        return true;
      }
    }
    return false;
  }

  /** Bytes read when file {@code index} is read so far. */
  long bytesRead(int index, DataFile file) {
    double share = file.bytesRead() / (double) Math.max(1, file.totalBytes()); // of some columns
    return starts.get(index) + (long) (share * (starts.get(index + 1) - starts.get(index)));
  }

  /** Bytes of all. */
  long totalBytes() {
    return Math.max(1, starts.get(files.size()));
  }
}
