package ai.longer.support;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What long tests found, for {@code benchmarks/results}. */
public final class Records {
  private Records() {}

  /** Writes a file of the folder that {@code LONGER_RECORDS} names, if it names one. */
  public static void write(String name, String json) throws IOException {
    String folder = System.getenv("LONGER_RECORDS");
    if (folder != null) {
      Files.writeString(Path.of(folder, name), json);
    }
  }
}
