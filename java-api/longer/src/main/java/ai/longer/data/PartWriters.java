package ai.longer.data;

import ai.longer.Schema;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The shards of the parts that have requests. Not thread-safe. */
final class PartWriters implements AutoCloseable {
  private final Path folder;
  private final Schema schema;
  private final Map<UserLog.Part, Shards.Writer> writers = new EnumMap<>(UserLog.Part.class);

  PartWriters(Path folder, Schema schema) {
    this.folder = folder;
    this.schema = schema;
  }

  void add(UserLog.Part part, Request request) {
    writers.computeIfAbsent(part, p -> new Shards.Writer(path(p), schema)).add(request);
  }

  private Path path(UserLog.Part part) {
    return switch (part) {
      case TRAINING -> Prepared.training(folder);
      case VALIDATION -> Prepared.validation(folder);
      case TEST -> Prepared.test(folder);
    };
  }

  long bytes() {
    return writers.values().stream().mapToLong(writer -> writer.counts().bytes()).sum();
  }

  void finish() {
    if (!writers.containsKey(UserLog.Part.TRAINING)) {
      throw new IllegalArgumentException(
          "[prepare] the files make no training request; see their rows, and the shares, times and"
              + " history that requests must have");
    }
    writers.values().forEach(Shards.Writer::finish);
  }

  /** What was written, of so many rows and users; null if these were not counted. */
  Prepared prepared(long rows, @Nullable Long users) {
    return new Prepared(
        rows,
        users,
        counts(UserLog.Part.TRAINING),
        counts(UserLog.Part.VALIDATION),
        counts(UserLog.Part.TEST));
  }

  private ShardCounts counts(UserLog.Part part) {
    Shards.Writer writer = writers.get(part);
    return writer == null ? new ShardCounts(0, 0, 0, 0, 0, 0) : writer.counts();
  }

  @Override
  public void close() {
    writers.values().forEach(Shards.Writer::close);
  }
}
