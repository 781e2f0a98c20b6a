package ai.longer.training;

import ai.longer.Device;
import ai.longer.LongerModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The model folders beside checkpoints with the weights of the best validation pass.
 *
 * <p>Run and pass stand in a folder's name. It is complete before the checkpoint that needs it
 * takes the place of the one before, and that one's goes afterwards: whenever the process dies, the
 * checkpoint finds its own. Not thread-safe.
 */
final class BestWeights {
  /** By checkpoint: what this trainer wrote or loaded. */
  private final Map<Path, Path> written = new HashMap<>();

  /** Returns the weights beside a checkpoint, empty if there are none. */
  Optional<LongerModel> load(Path checkpoint, Progress progress, Device device) {
    Path folder = folder(checkpoint, progress);
    if (progress.bestEpoch() == 0 || !Files.exists(folder)) {
      return Optional.empty();
    }
    LongerModel model = LongerModel.load(folder, device);
    written.put(key(checkpoint), folder);
    return Optional.of(model);
  }

  /** Writes the best weights, if there are any, then the checkpoint; deletes what it outdates. */
  void save(
      Path checkpoint, Progress progress, @Nullable LongerModel best, Runnable saveCheckpoint) {
    Path folder = folder(checkpoint, progress);
    Path before = written.get(key(checkpoint));
    if (best != null && !folder.equals(before)) {
      best.save(folder);
    }
    saveCheckpoint.run();
    if (before != null && !before.equals(folder)) {
      delete(before);
    }
    if (best != null) {
      written.put(key(checkpoint), folder);
    } else {
      written.remove(key(checkpoint));
    }
  }

  private static Path key(Path checkpoint) {
    return checkpoint.toAbsolutePath().normalize();
  }

  private static Path folder(Path checkpoint, Progress progress) {
    Path key = key(checkpoint);
    return key.resolveSibling(
        "%s.best-%d-%d".formatted(key.getFileName(), progress.run, progress.bestEpoch()));
  }

  private static void delete(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
