package ai.longer.samples.cli;

import ai.longer.Schema;
import ai.longer.data.Prepared;
import ai.longer.data.Shards;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Shards to measure on.
 *
 * @param madeIn what they were made in of files, deleted at the end; null if they were there
 */
record EvaluationData(Shards shards, @Nullable RunFolder madeIn) implements AutoCloseable {
  /**
   * Opens shards, the test shards of a folder that {@code prepare} wrote, or logs or requests: all,
   * or those of the test period if there is one.
   */
  static EvaluationData open(List<Path> data, RowOptions rows, Schema schema) throws IOException {
    for (Path path : data) {
      if (!Files.exists(path)) {
        throw new NoSuchFileException(path.toString());
      }
    }
    if (data.size() == 1 && Files.isDirectory(data.get(0)) && !rows.areRequests()) {
      return new EvaluationData(Shards.open(ofFolder(data.get(0))), null);
    }
    RunFolder made = new RunFolder(Files.createTempDirectory("longer-evaluate"));
    try {
      Path prepared = made.data();
      rows.prepare(schema, data, prepared);
      Path part = rows.hasTest() ? Prepared.test(prepared) : Prepared.training(prepared);
      return new EvaluationData(Shards.openUnverified(part), made);
    } catch (RuntimeException e) {
      made.delete();
      throw e;
    }
  }

  private static Path ofFolder(Path folder) {
    if (!Files.isDirectory(Prepared.training(folder))) {
      return folder;
    }
    Path test = Prepared.test(folder);
    if (!Files.isDirectory(test)) {
      throw new IllegalArgumentException(
          "[evaluate] %s has no test shards: prepare with --test, or name shards in it"
              .formatted(folder));
    }
    return test;
  }

  @Override
  public void close() throws IOException {
    shards.close();
    if (madeIn != null) {
      madeIn.delete();
    }
  }
}
