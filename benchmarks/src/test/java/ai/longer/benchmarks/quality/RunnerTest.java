package ai.longer.benchmarks.quality;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.longer.Device;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A whole experiment on a handful of planted users. */
class RunnerTest {
  @TempDir private Path folder;

  private static final String EXPERIMENT =
      """
      {
        "name": "tiny", "title": "Tiny", "about": "A test.",
        "data": {"kind": "planted", "users": 6, "validationUsers": 4, "testUsers": 6, "requests": 1,
                 "minEvents": 510, "maxEvents": 520, "plantedShare": 0.5, "seed": 1},
        "model": {"max_history": 520, "event_width": 8, "merge_factor": 4, "heads": 2,
                  "inner_layers": 0, "self_layers": 0},
        "schedule": {"batchSize": 4, "warmupSteps": 0, "decayFloor": 0.1},
        "grid": [
          {"learningRate": 0.001, "tableLearningRate": 0.02, "weightDecay": 0.01, "epochs": 1},
          {"learningRate": 0.002, "tableLearningRate": 0.02, "weightDecay": 0.01, "epochs": 1}
        ],
        "seeds": 2,
        "contenders": [
          {"name": "longer", "title": "LONGER"},
          {"name": "none", "title": "no sequence", "history": 0}
        ],
        "plotted": ["longer", "none"]
      }
      """;

  private Runner runner(Path out) throws IOException {
    Files.writeString(folder.resolve("tiny.json"), EXPERIMENT);
    Experiment experiment = Experiment.read(folder, "tiny");
    DataSet data = DataSets.open(experiment.data(), new DataFolders(List.of()));
    PrintStream silent =
        new PrintStream(new ByteArrayOutputStream(), false, StandardCharsets.UTF_8);
    Runner runner =
        new Runner(
            experiment,
            data,
            new Runner.Options(Device.cpu(1), experiment.seeds(), 0),
            out,
            Runnable::run,
            new Progress(silent, false));
    runner.describe();
    experiment.contenders().forEach(c -> runner.start(c).join());
    return runner;
  }

  @Test
  void leavesAFileForEachTrainingAndSkipsThemTheNextTime() throws IOException {
    Path out = folder.resolve("out");
    runner(out);
    Path first = out.resolve("tiny").resolve("longer.seed-1.json");
    FileTime written = Files.getLastModifiedTime(first);
    Summary summary = Summary.of(List.of(out.resolve("tiny")));
    assertEquals(
        List.of("longer", "none"),
        summary.models().stream().map(Summary.Model::contender).toList());
    assertEquals(2, summary.models().get(0).seeds());
    assertEquals(2, summary.searches().getOrDefault("none", Map.of()).size());
    assertEquals("none", summary.differences().get(0).than());
    Files.delete(out.resolve("tiny").resolve("none.seed-2.json"));

    runner(out);
    assertEquals(written, Files.getLastModifiedTime(first));
    Summary again = Summary.of(List.of(out.resolve("tiny")));
    assertEquals(summary.differences(), again.differences());
    assertEquals(summary.searches(), again.searches());
  }

  @Test
  void resultsOfSeveralFoldersMerge() throws IOException {
    Path left = folder.resolve("left");
    runner(left);
    Path right = Files.createDirectories(folder.resolve("right").resolve("tiny"));
    Summary whole = Summary.of(List.of(left.resolve("tiny")));
    for (String name :
        List.of("none.seed-1.json", "none.seed-1.scores.gz", "longer.search-1.json")) {
      Files.move(left.resolve("tiny").resolve(name), right.resolve(name));
    }
    Summary merged = Summary.of(List.of(left.resolve("tiny"), right));
    assertEquals(whole.models(), merged.models());
    assertEquals(whole.differences(), merged.differences());
    assertEquals(whole.searches(), merged.searches());
  }

  @Test
  void thePageShowsEveryModelAndInterval() throws IOException {
    Path out = folder.resolve("out");
    runner(out);
    Summary summary = Summary.of(List.of(out.resolve("tiny")));
    String page = new ResultsPage(List.of(summary), false).text();
    assertTrue(page.contains("## Tiny\n"), page);
    assertTrue(page.contains("| no sequence | "), page);
    assertTrue(
        page.contains(
            String.format(Locale.ROOT, "%+.4f (", summary.differences().get(0).estimate())),
        page);
  }

  @Test
  void anUnknownKeyInAnExperimentIsAnError() throws IOException {
    Files.writeString(folder.resolve("tiny.json"), EXPERIMENT.replace("\"seeds\"", "\"sedes\""));
    assertThrows(UncheckedIOException.class, () -> Experiment.read(folder, "tiny"));
  }

  @Test
  void twoContendersOfOneNameAreAnError() throws IOException {
    Files.writeString(
        folder.resolve("tiny.json"),
        EXPERIMENT.replace("\"none\", \"title\"", "\"longer\", \"title\""));
    assertThrows(UncheckedIOException.class, () -> Experiment.read(folder, "tiny"));
  }
}
