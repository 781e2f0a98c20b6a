package ai.longer.samples.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.longer.Device;
import ai.longer.LongerModel;
import ai.longer.serving.Explanation;
import ai.longer.serving.Ranker;
import ai.longer.serving.RankingRequest;
import ai.longer.serving.Scores;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code rank} and {@code explain}. */
class RankingCommandsTest {
  private static final String NEW_USER =
      "{\"user\": {\"likes\": []}, \"context\": {\"hour\": 1}, "
          + "\"candidates\": {\"movie\": [5], \"price\": [1]}}";

  @TempDir private Path folder;
  private String model = "";
  private String requests = "";

  @BeforeEach
  void write() throws IOException {
    model = TestModel.save(folder.resolve("model")).toString();
    requests =
        Files.writeString(folder.resolve("requests.json"), TestModel.JSON + NEW_USER).toString();
  }

  private Ran rank(String... more) {
    return run("rank", more);
  }

  private Ran explain(String... more) {
    return run("explain", more);
  }

  private Ran run(String command, String... more) {
    List<String> all = new ArrayList<>(List.of(command, "--model", model, "--request", requests));
    all.addAll(List.of(more));
    return Ran.command(all.toArray(String[]::new));
  }

  private static List<String> names(JsonNode node) {
    List<String> names = new ArrayList<>();
    node.fieldNames().forEachRemaining(names::add);
    return names;
  }

  @Test
  void scoresAreBitForBitThoseOfTheRanker() {
    Ran ran = rank("--json", "--task", "buy");
    assertEquals(0, ran.exitCode(), ran.err());
    assertEquals("", ran.err());
    try (LongerModel loaded = LongerModel.load(Path.of(model), Device.cpu());
        Ranker ranker = loaded.ranker()) {
      Scores scores = ranker.rank(RankingRequest.of(TestModel.request()));
      JsonNode first = ran.jsonLines().get(0);
      assertEquals(4, first.get("ranking").size());
      float last = 1;
      for (JsonNode row : first.get("ranking")) {
        int candidate = row.get("candidate").intValue();
        assertEquals(scores.get(0, candidate), (float) row.at("/scores/click").asDouble());
        assertEquals(scores.get(1, candidate), (float) row.at("/scores/buy").asDouble());
        assertTrue(scores.get(1, candidate) <= last, "sorted by the task asked for");
        last = scores.get(1, candidate);
      }
    }
  }

  @Test
  void rankPrintsOneJsonLineARequest() {
    List<JsonNode> lines = rank("--json", "--top", "2").jsonLines();
    assertEquals(2, lines.size());
    JsonNode first = lines.get(0);
    assertEquals(
        List.of("request", "id", "events", "candidates", "latency_ms", "ranking"), names(first));
    assertEquals(List.of("cold", "cached"), names(first.get("latency_ms")));
    assertTrue(first.at("/latency_ms/cold").asDouble() > 0);
    assertTrue(first.at("/latency_ms/cached").asDouble() > 0, "found in the cache");
    assertEquals(3, first.get("events").asInt());
    assertEquals(4, first.get("candidates").asInt());
    assertEquals(2, first.get("ranking").size());
    for (JsonNode row : first.get("ranking")) {
      assertEquals(List.of("candidate", "features", "scores"), names(row));
      assertEquals(List.of("movie", "price"), names(row.get("features")));
    }
    assertEquals(2, lines.get(1).get("request").asInt());
    assertFalse(lines.get(1).has("id"));
    assertEquals(0, lines.get(1).get("events").asInt());
  }

  @Test
  void rankPrintsATableARequest() {
    Ran ran = rank("--top", "3", "--task", "buy", "--repeat", "1");
    assertEquals(0, ran.exitCode(), ran.err());
    List<String> lines = ran.out().lines().toList();
    assertTrue(
        lines.get(0).matches("request 1 \\(first\\): 3 events, 4 candidates; .* cold, .* cached"));
    assertTrue(lines.get(1).matches(" +# +candidate +movie +price +click +buy ↓"), lines.get(1));
    assertTrue(lines.get(2).strip().startsWith("1 "), lines.get(2));
    assertTrue(ran.out().contains("request 2: 0 events, 1 candidates"), ran.out());
    assertEquals(1 + 1 + 3 + 1 + 1 + 1 + 1 + 1, lines.size());
  }

  @Test
  void explainNamesTheEventsOfTheSdksExplanation() throws IOException {
    Files.writeString(Path.of(requests), TestModel.JSON);
    Ran ran = explain("--json", "--candidate", "3", "--task", "buy", "--top", "2");
    assertEquals(0, ran.exitCode(), ran.err());
    JsonNode first = ran.jsonLines().get(0);
    assertEquals(
        List.of(
            "request",
            "id",
            "events",
            "candidate",
            "features",
            "task",
            "score",
            "method",
            "attribution"),
        names(first));
    assertEquals(List.of("layer", "heads", "within_group"), names(first.get("method")));
    assertEquals("Alien", first.at("/features/movie").asText());
    assertEquals("buy", first.get("task").asText());
    try (LongerModel loaded = LongerModel.load(Path.of(model), Device.cpu());
        Ranker ranker = loaded.ranker()) {
      RankingRequest request = RankingRequest.of(TestModel.request());
      Explanation expected = ranker.explain(request, 3, 1);
      assertEquals(ranker.rank(request).get(1, 3), (float) first.get("score").asDouble());
      Iterator<JsonNode> rows = first.get("attribution").iterator();
      for (int event : expected.top(2)) {
        JsonNode row = rows.next();
        assertEquals(List.of("event", "time", "features", "share"), names(row));
        assertEquals(event, row.get("event").asInt());
        assertEquals(expected.attribution()[event], (float) row.get("share").asDouble());
        assertEquals(TestModel.request().history().time(event), row.get("time").asLong());
      }
      assertFalse(rows.hasNext());
    }
  }

  @Test
  void explainDrawsBarsOfTheBestCandidatesEvents() {
    Ran ran = explain();
    assertEquals(0, ran.exitCode(), ran.err());
    int best = rank("--json").jsonLines().get(0).at("/ranking/0/candidate").asInt();
    assertTrue(ran.out().startsWith("request 1 (first): candidate " + best + " ("), ran.out());
    assertTrue(ran.out().contains("  2023-11-14T22:13:20Z  5 min  "), ran.out());
    assertTrue(ran.out().contains("100.0 % of the attention"), ran.out());
    assertEquals("█".repeat(24), ran.out().lines().toList().get(2).replaceAll("[^█]", ""));
    assertTrue(ran.out().contains("The history is empty"), ran.out());
  }

  @Test
  void requestsComeFromStandardInputToo() {
    InputStream before = System.in;
    System.setIn(new ByteArrayInputStream(NEW_USER.getBytes(StandardCharsets.UTF_8)));
    try {
      requests = "-";
      Ran ran = rank("--json");
      assertEquals(0, ran.exitCode(), ran.err());
      assertEquals(1, ran.jsonLines().size());
    } finally {
      System.setIn(before);
    }
  }

  @Test
  void aWrongCommandLineIsUsage() {
    for (Ran ran :
        List.of(
            rank("--task", "like"),
            rank("--top", "-1"),
            rank("--repeat", "0"),
            rank("--threads", "-2"),
            rank("--device", "abacus"),
            explain("--candidate", "4"),
            explain("--candidate", "-1"),
            Ran.command("rank", "--model", model),
            Ran.command("explain", "--request", requests))) {
      assertEquals(Cli.USAGE, ran.exitCode(), ran.err());
      assertTrue(ran.err().contains("--help"), ran.err());
      assertEquals("", ran.out());
    }
    assertTrue(rank("--task", "like").err().contains("--task must be one of [click, buy]"));
  }

  @Test
  void aDeviceThatIsNotThereIsNamedAndNotReplaced() {
    Ran ran = rank("--device", "cuda");
    assertEquals(Cli.BAD_DEVICE, ran.exitCode(), ran.err());
    assertTrue(ran.err().contains("linux-x86_64-cuda13"), ran.err());
    assertEquals("", ran.out());
    assertEquals(0, rank("--device", "best").exitCode());
  }

  @Test
  void aBadRequestEndsTheStreamAfterTheGoodOnes() throws IOException {
    Files.writeString(folder.resolve("requests.json"), NEW_USER + "\n{\"time\": true}");
    for (Ran ran : List.of(rank("--json"), explain("--json"))) {
      assertEquals(Cli.BAD_INPUT, ran.exitCode());
      assertEquals(1, ran.jsonLines().size());
      assertTrue(ran.err().contains("requests.json:2:10 (/time)"), ran.err());
    }
  }

  @Test
  void filesThatAreNotThereAreNamed() {
    requests = folder.resolve("none.json").toString();
    assertEquals(Cli.BAD_INPUT, rank().exitCode());
    assertTrue(rank().err().contains("none.json"), rank().err());
    model = folder.resolve("nothing").toString();
    assertEquals(Cli.BAD_INPUT, explain().exitCode());
    assertTrue(explain().err().contains("nothing"), explain().err());
  }

  @Test
  void aReaderThatGoesAwayEndsTheCommandQuietly() {
    OutputStream closed =
        new OutputStream() {
          @Override
          public void write(int value) throws IOException {
            throw new IOException("Broken pipe");
          }
        };
    for (String command : List.of("rank", "explain")) {
      ByteArrayOutputStream err = new ByteArrayOutputStream();
      int exitCode =
          Cli.run(
              new PrintStream(closed, true, StandardCharsets.UTF_8),
              new PrintStream(err, true, StandardCharsets.UTF_8),
              command,
              "--model",
              model,
              "--request",
              requests);
      assertEquals(Cli.OUTPUT_CLOSED, exitCode);
      assertEquals("", err.toString(StandardCharsets.UTF_8));
    }
  }
}
