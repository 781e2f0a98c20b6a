package ai.longer.benchmarks;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;

/** Writes a benchmark's figures with the machine they were measured on. */
final class Results {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  private Results() {}

  /** Writes {@code figures} to {@code folder/name.json}. */
  static void write(Path folder, String name, Object figures) throws IOException {
    Map<String, Object> document = new LinkedHashMap<>();
    document.put("benchmark", name);
    document.put("time", Instant.now().toString());
    document.put("machine", Machine.describe());
    document.put("figures", figures);
    Files.createDirectories(folder);
    Path file = folder.resolve(name + ".json");
    JSON.writeValue(file.toFile(), document);
    System.out.println("wrote " + file);
  }
}
