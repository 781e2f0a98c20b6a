package ai.longer.samples.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.longer.LongerConfig;
import ai.longer.Schema;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** prepare and train, on a log in which even films are liked. */
@Timeout(120)
class TrainingCommandsTest {
  static final LongerConfig CONFIG =
      LongerConfig.builder(
              Schema.builder()
                  .table("film", 8)
                  .event("film", "film")
                  .candidate("film", "film")
                  .task("click")
                  .build())
          .maxHistory(16)
          .eventWidth(8)
          .mergeFactor(4)
          .heads(2)
          .recentQueries(4)
          .build();

  private static final List<String> COLUMNS =
      List.of(
          "--user=who",
          "--time=when",
          "--column=film=what",
          "--label=click=stars>=4",
          "--validation=0.2",
          "--test=0.2");

  @TempDir private Path folder;
  private Path config;
  private Path log;

  @BeforeEach
  void write() throws IOException {
    config = folder.resolve("config.json");
    Files.writeString(config, CONFIG.toJson());
    SplittableRandom random = new SplittableRandom(3);
    StringBuilder csv = new StringBuilder("what,stars,who,when\n");
    for (int row = 0; row < 1200; row++) {
      int film = random.nextInt(30);
      csv.append(
          "%d,%s,%d,%d\n"
              .formatted(film, film % 2 == 0 ? "4.5" : "3.5", random.nextInt(25), 1000 + row));
    }
    log = folder.resolve("log.csv");
    Files.writeString(log, csv);
  }

  private Path path(String name) {
    return folder.resolve(name);
  }

  private Ran prepare(String... more) {
    return Ran.command(
        arguments(
            List.of("prepare", log.toString(), "--config", config.toString()), COLUMNS, more));
  }

  private static String[] arguments(List<String> first, List<String> second, String... more) {
    List<String> arguments = new ArrayList<>(first);
    arguments.addAll(second);
    arguments.addAll(List.of(more));
    return arguments.toArray(String[]::new);
  }

  private List<String> train(String data, String model, int epochs) {
    return List.of(
        "train",
        "--data",
        path(data).toString(),
        "--config",
        config.toString(),
        "--model",
        path(model).toString(),
        "--epochs",
        Integer.toString(epochs),
        "--batch-size=16",
        "--learning-rate=0.01",
        "--threads=1",
        "--json");
  }

  @Test
  void aPreparedLogTrainsAModelThatRanks() throws IOException {
    Ran prepared = prepare("--out", path("data").toString(), "--json");
    assertEquals(0, prepared.exitCode(), prepared.err());
    JsonNode counts = prepared.json();
    assertEquals(1200, counts.get("rows").asInt());
    assertEquals(25, counts.get("users").asInt());
    int candidates = 0;
    for (String part : List.of("training", "validation", "test")) {
      assertTrue(counts.get(part).get("candidates").asInt() > 100, part);
      candidates += counts.get(part).get("candidates").asInt();
    }
    assertEquals(1200, candidates);

    Ran trained = Ran.command(train("data", "model", 12).toArray(String[]::new));
    assertEquals(0, trained.exitCode(), trained.err());
    JsonNode result = trained.json();
    assertEquals("completed", result.get("outcome").asText());
    assertEquals(12, result.get("epochs").size());
    assertEquals(12, result.get("validations").size());
    double auc = result.at("/validations/11/auc").asDouble();
    assertTrue(auc > 0.9, "AUC " + auc);
    assertFalse(Files.exists(path("model.run")));

    Path request = path("request.json");
    Files.writeString(
        request,
        """
        {"event_times": [1, 2, 3], "events": {"film": [2, 4, 7]}, "candidates": {"film": [5, 8, 9]}}
        """);
    Ran ranked =
        Ran.command(
            "rank", "--model", path("model").toString(), "--request", request.toString(), "--json");
    assertEquals(0, ranked.exitCode(), ranked.err());
    assertEquals(8, ranked.jsonLines().get(0).at("/ranking/0/features/film").asInt());
  }

  @Test
  void logsTrainAsTheirShardsDo() throws IOException {
    assertEquals(0, prepare("--out", path("data").toString()).exitCode());
    assertEquals(0, Ran.command(train("data", "a", 2).toArray(String[]::new)).exitCode());
    Path left = Files.createDirectories(path("b.run").resolve("data"));
    Files.writeString(left.resolve("rest"), "of a run that came to nothing");
    Ran fromLog = Ran.command(arguments(train("log.csv", "b", 2), COLUMNS));
    assertEquals(0, fromLog.exitCode(), fromLog.err());
    assertSameModel(path("a"), path("b"));
    // Shards themselves, validated on others.
    Ran fromShards =
        Ran.command(
            arguments(
                train("data/training.shards", "c", 2),
                List.of("--validation-data", path("data/validation.shards").toString())));
    assertEquals(0, fromShards.exitCode(), fromShards.err());
    assertSameModel(path("a"), path("c"));
  }

  private static void assertSameModel(Path a, Path b) throws IOException {
    for (String name : List.of("config.json", "dense.safetensors", "tables.safetensors")) {
      assertEquals(-1, Files.mismatch(a.resolve(name), b.resolve(name)), name);
    }
  }

  @Test
  void tablesForPeople() {
    Ran prepared = prepare("--out", path("data").toString());
    assertTrue(prepared.out().contains("validation"), prepared.out());
    List<String> train = new ArrayList<>(train("data", "model", 2));
    train.remove("--json");
    Ran trained = Ran.command(train.toArray(String[]::new));
    assertTrue(trained.out().contains("model: " + path("model")), trained.out());
    assertTrue(trained.out().contains("best so far"), trained.out());
  }

  @Test
  void whatIsWrongIsSaidInOneLine() throws IOException {
    String out = path("data").toString();
    Ran noColumn = prepare("--out", out, "--column=film=movie");
    assertEquals(Cli.BAD_INPUT, noColumn.exitCode());
    assertTrue(noColumn.err().contains("has no column \"movie\""), noColumn.err());
    assertEquals(1, noColumn.err().lines().count(), noColumn.err());
    Ran noUser =
        Ran.command("prepare", log.toString(), "--config", config.toString(), "--out", out);
    assertEquals(Cli.USAGE, noUser.exitCode());
    assertTrue(noUser.err().contains("--user and --time"), noUser.err());
    Ran badLabel = prepare("--out", out, "--label=click=stars>=many");
    assertEquals(Cli.USAGE, badLabel.exitCode());
    Ran noTask = prepare("--out", out, "--label=buy=stars");
    assertEquals(Cli.BAD_INPUT, noTask.exitCode());
    assertTrue(noTask.err().contains("[click]"), noTask.err());
    Ran noData = Ran.command(train("absent", "model", 1).toArray(String[]::new));
    assertEquals(Cli.BAD_INPUT, noData.exitCode());
    assertTrue(noData.err().contains("no such file: " + path("absent")), noData.err());
    Ran noColumns = Ran.command(train("log.csv", "model", 1).toArray(String[]::new));
    assertEquals(Cli.USAGE, noColumns.exitCode());
    assertFalse(Files.exists(path("model.run")));
    assertEquals(0, prepare("--out", out).exitCode());
    Ran again = prepare("--out", out);
    assertEquals(Cli.BAD_INPUT, again.exitCode());
    assertTrue(again.err().contains("is there already"), again.err());
  }

  /** The commands of the README, up to training, in an argument file. */
  @Test
  void theExampleOfTheReadmeRuns() throws IOException {
    Path example = Path.of("examples", "movielens.json").toAbsolutePath();
    Path ratings = Path.of("../quickstart/data/ml-latest-small/ratings.csv.gz").toAbsolutePath();
    Path arguments = path("movielens.txt");
    Files.writeString(
        arguments,
        """
        --user userId --time timestamp
        --column movie=movieId --column stars=rating --label click=rating>=4
        --min-history 10 --validation 0.1 --test 0.1
        """);
    Ran prepared =
        Ran.command(
            "prepare",
            ratings.toString(),
            "--config",
            example.toString(),
            "--out",
            path("data").toString(),
            "@" + arguments,
            "--json");
    assertEquals(0, prepared.exitCode(), prepared.err());
    assertEquals(100_836, prepared.json().get("rows").asInt());
    assertEquals(610, prepared.json().get("users").asInt());
    assertEquals(9_135, prepared.json().at("/training/requests").asInt());
  }

  @Test
  void interruptedItSavesACheckpointAndResumesToTheSameBits() throws Exception {
    assertEquals(0, prepare("--out", path("data").toString()).exitCode());
    Path checkpoint = path("model.run").resolve("checkpoint");
    List<String> endless = train("data", "model", 1_000_000);
    Process process = start(arguments(endless, List.of("--checkpoint-minutes=0")));
    while (!Files.exists(checkpoint) && process.isAlive()) {
      Thread.sleep(20);
    }
    Thread.sleep(300);
    new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
    JsonNode interrupted =
        Console.JSON.readTree(
            new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
    assertTrue(process.waitFor(60, TimeUnit.SECONDS));
    assertEquals(Cli.INTERRUPTED, process.exitValue());
    assertEquals("interrupted", interrupted.get("outcome").asText());
    assertFalse(Files.exists(path("model")));

    int epochs = interrupted.get("epochs").size() + 2;
    Ran refused = Ran.command(train("data", "model", epochs).toArray(String[]::new));
    assertEquals(Cli.USAGE, refused.exitCode());
    assertTrue(refused.err().contains("--resume"), refused.err());
    Ran resumed = Ran.command(arguments(train("data", "model", epochs), List.of("--resume")));
    assertEquals(0, resumed.exitCode(), resumed.err());
    Ran straight = Ran.command(arguments(train("data", "straight", epochs), List.of("--resume")));
    assertEquals(0, straight.exitCode(), straight.err());
    assertEquals(straight.json().get("steps"), resumed.json().get("steps"));
    assertEquals(straight.json().get("validations"), resumed.json().get("validations"));
    assertSameModel(path("straight"), path("model"));
  }

  /** In a process that heeds SIGINT even where this one was started to ignore it. */
  private Process start(String... arguments) throws IOException {
    ProcessBuilder builder = new ProcessBuilder("env", "--default-signal=INT");
    builder.command().add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    builder.command().addAll(List.of("-cp", System.getProperty("java.class.path")));
    builder.command().add(Cli.class.getName());
    builder.command().addAll(List.of(arguments));
    return builder.redirectError(path("errors.txt").toFile()).start();
  }
}
