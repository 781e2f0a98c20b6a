package ai.longer.samples.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.longer.Device;
import ai.longer.LongerConfig;
import ai.longer.LongerModel;
import ai.longer.Schema;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CliTest {
  private static final LongerConfig CONFIG =
      LongerConfig.builder(
              Schema.builder()
                  .table("movie", 8)
                  .denseTable("stars", 4, 11)
                  .event("movie", "movie")
                  .event("stars", "stars")
                  .candidate("movie", "movie")
                  .task("click")
                  .build())
          .maxHistory(64)
          .eventWidth(8)
          .mergeFactor(4)
          .recentQueries(4)
          .build();

  @TempDir private Path folder;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private int run(String... arguments) {
    return Cli.run(stream(out), stream(err), arguments);
  }

  private static PrintStream stream(ByteArrayOutputStream bytes) {
    return new PrintStream(bytes, true, StandardCharsets.UTF_8);
  }

  private String out() {
    return out.toString(StandardCharsets.UTF_8);
  }

  private String err() {
    return err.toString(StandardCharsets.UTF_8);
  }

  @Test
  void aWrongCommandLineIsUsage() {
    assertEquals(Cli.USAGE, run());
    assertEquals(Cli.USAGE, run("inspect"));
    assertEquals(Cli.USAGE, run("inspect", "x", "--nonsense"));
    assertTrue(err().contains("--nonsense"));
  }

  @Test
  void doctorNamesTheVersionAsTextAndAsJson() throws IOException {
    assertEquals(0, run("doctor"));
    assertTrue(out().contains("0.1.0"));
    out.reset();
    assertEquals(0, run("doctor", "--json"));
    assertTrue(Console.JSON.readTree(out()).size() > 5);
  }

  @Test
  void inspectCountsEveryParameterOfAFolderAndOfAConfiguration() throws IOException {
    Path config = folder.resolve("config.json");
    Files.writeString(config, CONFIG.toJson());
    Path model = folder.resolve("model");
    try (LongerModel fresh = LongerModel.create(CONFIG, 1, Device.cpu(1))) {
      fresh.save(model);
      for (Path path : List.of(config, model)) {
        out.reset();
        assertEquals(0, run("inspect", path.toString(), "--json", "--candidates", "5"));
        JsonNode json = Console.JSON.readTree(out());
        long sum = 0;
        for (JsonNode part : json.get("parameters")) {
          sum += part.asLong();
        }
        assertEquals(fresh.numParameters(), sum);
        assertEquals(12, json.at("/table_rows/stars").asLong());
        assertEquals(5, json.at("/flops/candidates").asLong());
        assertTrue(json.at("/flops/training_step").asDouble() > 0);
      }
      out.reset();
      assertEquals(0, run("inspect", model.toString()));
      assertTrue(out().contains("layers.0"), out());
    }
  }

  @Test
  void badFilesAreNamed() throws IOException {
    assertEquals(Cli.BAD_INPUT, run("inspect", folder.resolve("none.json").toString()));
    assertTrue(err().contains("none.json"), err());
    Path config = folder.resolve("config.json");
    Files.writeString(config, "{\"format_version\": 1, \"heads\": true}");
    assertEquals(Cli.BAD_INPUT, run("inspect", config.toString()));
    assertTrue(err().contains("/heads"), err());
  }
}
