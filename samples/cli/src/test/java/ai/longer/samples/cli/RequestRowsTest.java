package ai.longer.samples.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** prepare, train and evaluate on rows that are requests. */
@Timeout(120)
class RequestRowsTest {
  private static final List<String> COLUMNS =
      List.of(
          "--rows=requests",
          "--user=who",
          "--time=at",
          "--event-times=times",
          "--event-column=film=seen",
          "--candidate-column=film=shown",
          "--label=click=stars>=4",
          "--weights=importance",
          "--first-ordinal=before",
          "--validation-from=1100");

  @TempDir private Path folder;
  private Path config;
  private Path rows;

  /** Requests at 1000 … 1179 of 12 users; even films are liked. */
  @BeforeEach
  void write() throws IOException {
    config = folder.resolve("config.json");
    Files.writeString(config, TrainingCommandsTest.CONFIG.toJson());
    rows = Files.createDirectory(folder.resolve("rows"));
    SplittableRandom random = new SplittableRandom(3);
    for (int day = 0; day < 3; day++) {
      StringBuilder csv = new StringBuilder("who,at,before,times,seen,shown,stars,importance\n");
      for (int row = 0; row < 60; row++) {
        int at = 1000 + 60 * day + row;
        List<Integer> shown = random.ints(4, 0, 30).boxed().toList();
        csv.append(
            "%d,%d,0,%s,%s,%s,%s,1;0.5;1;2%n"
                .formatted(
                    row % 12,
                    at,
                    joined(random.ints(row % 9, 0, 900).sorted().boxed().toList()),
                    joined(random.ints(row % 9, 0, 30).boxed().toList()),
                    joined(shown),
                    joined(shown.stream().map(film -> film % 2 == 0 ? 5 : 3).toList())));
      }
      Files.writeString(rows.resolve("day-%d.csv".formatted(day)), csv);
    }
  }

  private static String joined(List<Integer> numbers) {
    return numbers.stream().map(String::valueOf).collect(Collectors.joining(";"));
  }

  private Ran run(String... first) {
    List<String> all = new ArrayList<>(List.of(first));
    all.addAll(COLUMNS);
    return Ran.command(all.toArray(String[]::new));
  }

  private String path(String name) {
    return folder.resolve(name).toString();
  }

  private Ran prepare(String... more) {
    List<String> all =
        new ArrayList<>(
            List.of("prepare", rows.toString(), "--config", config.toString(), "--out"));
    all.add(path("data"));
    all.addAll(List.of(more));
    return run(all.toArray(String[]::new));
  }

  @Test
  void filesTrainAndMeasureAsTheirShardsDo() throws IOException {
    Ran prepared = prepare("--json");
    assertEquals(0, prepared.exitCode(), prepared.err());
    assertEquals(180, prepared.json().get("rows").asInt());
    assertTrue(prepared.json().get("users").isNull());
    assertEquals(100, prepared.json().at("/training/requests").asInt());
    assertEquals(80, prepared.json().at("/validation/requests").asInt());

    Ran shards = train("data", "a", List.of());
    assertEquals(0, shards.exitCode(), shards.err());
    Ran files = train("rows", "b", COLUMNS);
    assertEquals(0, files.exitCode(), files.err());
    for (String name : List.of("config.json", "dense.safetensors", "tables.safetensors")) {
      assertEquals(
          -1, Files.mismatch(folder.resolve("a").resolve(name), folder.resolve("b").resolve(name)));
    }

    Ran measured = run("evaluate", "--model", path("a"), "--data", rows.toString(), "--json");
    assertEquals(0, measured.exitCode(), measured.err());
    assertEquals(400, measured.json().at("/tasks/0/candidates").asInt());
    Ran people = run("evaluate", "--model", path("a"), "--data", rows.toString());
    assertTrue(people.out().contains("100 requests"), people.out());
  }

  private Ran train(String data, String model, List<String> columns) {
    List<String> all =
        new ArrayList<>(
            List.of("train", "--data", path(data), "--config", config.toString(), "--model"));
    all.add(path(model));
    all.addAll(List.of("--epochs=2", "--batch-size=16", "--threads=1", "--json"));
    all.addAll(columns);
    return Ran.command(all.toArray(String[]::new));
  }

  @Test
  void tablesForPeople() {
    Ran prepared = prepare();
    assertTrue(prepared.out().contains("data: 180 requests"), prepared.out());
  }

  @Test
  void optionsOfTheOtherRowsAreRefused() {
    Ran share = prepare("--test=0.1");
    assertEquals(Cli.USAGE, share.exitCode());
    assertTrue(share.err().contains("--test does not go with --rows requests"), share.err());
    Ran times =
        Ran.command(
            "prepare",
            rows.toString(),
            "--config=" + config,
            "--out=" + path("data"),
            "--user=who",
            "--time=at",
            "--event-times=times");
    assertEquals(Cli.USAGE, times.exitCode());
    assertTrue(times.err().contains("--event-times does not go with --rows inter"), times.err());
  }

  @Test
  void wrongRowsAreNamed() throws IOException {
    Path file = rows.resolve("day-1.csv");
    Files.writeString(file, Files.readString(file).replace(";0.5;", ";;"));
    Ran prepared = prepare();
    assertEquals(Cli.BAD_INPUT, prepared.exitCode());
    assertTrue(
        prepared.err().contains(file + ":2:") && prepared.err().contains("weight of candidate 1"),
        prepared.err());
  }
}
