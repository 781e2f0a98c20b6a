package ai.longer.samples.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.longer.Device;
import ai.longer.LongerModel;
import ai.longer.data.Candidates;
import ai.longer.data.History;
import ai.longer.data.Request;
import ai.longer.data.RequestSource;
import ai.longer.data.Shards;
import ai.longer.data.Value;
import ai.longer.evaluation.Bootstrap;
import ai.longer.evaluation.Calibration;
import ai.longer.evaluation.Evaluation;
import ai.longer.evaluation.Predictions;
import ai.longer.serving.Ranker;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvaluateCommandTest {
  @TempDir private Path folder;
  private String model = "";
  private String data = "";

  /** 40 users with 0, 30, 60 … events; only even ones have labels of the second task. */
  static List<Request> requests() {
    SplittableRandom random = new SplittableRandom(5);
    List<Request> requests = new ArrayList<>();
    for (int user = 0; user < 40; user++) {
      int events = 30 * (user % 5);
      long[] times = new long[events];
      Arrays.setAll(times, i -> 100L * i);
      float[] prices = new float[events];
      Arrays.fill(prices, user);
      History history =
          History.builder(TestModel.SCHEMA)
              .longs("movie", random.longs(events, 0, 50).toArray())
              .longs("tags", new long[events][])
              .floats("price", prices)
              .times(times)
              .build();
      Candidates candidates =
          Candidates.builder(TestModel.SCHEMA)
              .longs("movie", random.longs(4, 0, 50).toArray())
              .floats("price", new float[] {1, 2, 3, user})
              .build();
      Request.Builder request =
          Request.builder(history, candidates)
              .user("likes", Value.ids(user % 3))
              .context("hour", user % 24)
              .referenceTime(100L * events)
              .labels("click", new float[] {1, 0, Float.NaN, random.nextInt(2)})
              .groupKey(user);
      if (user % 2 == 0) {
        request.labels("buy", new float[] {0, 0, 1, Float.NaN});
      }
      requests.add(request.build());
    }
    return requests;
  }

  @BeforeEach
  void write() {
    model = TestModel.save(folder.resolve("model")).toString();
    data = write("test.shards", requests());
  }

  private String write(String name, List<Request> requests) {
    return write(folder.resolve(name), requests);
  }

  static String write(Path path, List<Request> requests) {
    Shards.write(path, TestModel.SCHEMA, RequestSource.of(requests));
    return path.toString();
  }

  /** The rows of a log in which every user has 20 rows, a row a second. */
  private Path writeLog() throws IOException {
    StringBuilder log = new StringBuilder("who,when,movie,tags,price,likes,hour,click,bought\n");
    for (int row = 0; row < 20; row++) {
      for (int user = 0; user < 12; user++) {
        log.append(
            "%d,%d,%d,war|%d,%d.5,%d|7,%d,%d,%d%n"
                .formatted(user, 1000 + row, row % 7, row, row, user, user, (row + user) % 2, row));
      }
    }
    return Files.writeString(folder.resolve("log.csv"), log);
  }

  private static final String[] COLUMNS = {
    "--user", "who", "--time", "when", "--texts", "tags", "--label", "buy=bought>=10"
  };

  private Ran evaluateLog(String... more) {
    List<String> all = new ArrayList<>(List.of(COLUMNS));
    all.addAll(List.of(more));
    return evaluate(all.toArray(String[]::new));
  }

  @Test
  void logsAreMeasuredWholeOrOnTheirTestPeriod() throws IOException {
    data = writeLog().toString();
    Ran whole = evaluateLog("--json");
    assertEquals(0, whole.exitCode(), whole.err());
    assertEquals(List.of("click", "buy"), whole.json().findValuesAsText("task"));
    assertEquals(240, whole.json().at("/tasks/0/candidates").asInt());
    assertEquals(0.5, whole.json().at("/tasks/1/positive_rate").asDouble());
    Ran test = evaluateLog("--json", "--test", "0.2");
    assertEquals(48, test.json().at("/tasks/0/candidates").asInt());
    assertEquals(1, test.json().at("/tasks/1/positive_rate").asDouble());

    Ran noUser = evaluate("--time", "when");
    assertEquals(Cli.USAGE, noUser.exitCode(), noUser.err());
    Ran noColumn = evaluateLog("--column", "movie=film");
    assertEquals(Cli.BAD_INPUT, noColumn.exitCode());
    assertTrue(noColumn.err().contains("film"), noColumn.err());
  }

  @Test
  void ofAPreparedFolderTheTestShardsAreTaken() throws IOException {
    String config =
        Files.writeString(folder.resolve("config.json"), TestModel.CONFIG.toJson()).toString();
    String log = writeLog().toString();
    data = folder.resolve("data").toString();
    for (String share : List.of("0.2", "0")) {
      List<String> prepare = new ArrayList<>(List.of("prepare", log, "--config", config));
      prepare.addAll(List.of("--out", data, "--test", share));
      prepare.addAll(List.of(COLUMNS));
      Ran ran = Ran.command(prepare.toArray(String[]::new));
      assertEquals(0, ran.exitCode(), ran.err());
      Ran measured = evaluate("--json");
      if (share.equals("0")) {
        assertEquals(Cli.BAD_INPUT, measured.exitCode());
        assertTrue(measured.err().contains("has no test shards"), measured.err());
      } else {
        assertEquals(48, measured.json().at("/tasks/0/candidates").asInt());
      }
      data = folder.resolve("more").toString();
    }
  }

  private Ran evaluate(String... more) {
    List<String> all = new ArrayList<>(List.of("evaluate", "--model", model, "--data", data));
    all.addAll(List.of("--replicates", "50"));
    all.addAll(List.of(more));
    return Ran.command(all.toArray(String[]::new));
  }

  private static List<String> names(JsonNode node) {
    List<String> names = new ArrayList<>();
    node.fieldNames().forEachRemaining(names::add);
    return names;
  }

  @Test
  void figuresAreThoseOfTheSdk() {
    Ran ran = evaluate("--json");
    assertEquals(0, ran.exitCode(), ran.err());
    JsonNode json = ran.json();
    assertEquals(
        List.of("model", "data", "requests", "replicates", "seconds", "tasks"), names(json));
    assertEquals(40, json.get("requests").asInt());
    try (LongerModel loaded = LongerModel.load(Path.of(model), Device.cpu());
        Ranker ranker = loaded.ranker()) {
      Map<String, Predictions> expected =
          Evaluation.predictTasks(ranker, RequestSource.of(requests()));
      assertEquals(List.of("click", "buy"), List.copyOf(expected.keySet()));
      for (JsonNode task : json.get("tasks")) {
        Predictions rows = Objects.requireNonNull(expected.get(task.get("task").asText()));
        assertEquals(rows.size(), task.get("candidates").asInt());
        assertEquals(rows.positiveRate(), task.get("positive_rate").asDouble());
        Bootstrap.Interval auc = Bootstrap.auc(rows, 50, 1);
        assertEquals(auc.estimate(), task.at("/auc/estimate").asDouble());
        assertEquals(auc.lower(), task.at("/auc/lower").asDouble());
        assertEquals(auc.upper(), task.at("/auc/upper").asDouble());
        assertEquals(rows.gauc(), task.get("gauc").asDouble());
        assertEquals(rows.logLoss(), task.get("log_loss").asDouble());
        assertEquals(rows.normalizedEntropy(), task.get("normalized_entropy").asDouble());
        Calibration calibration = Calibration.of(rows, 10);
        assertEquals(calibration.expectedError(), task.get("calibration_error").asDouble());
        assertEquals(calibration.buckets().size(), task.get("calibration").size());
        double positives = 0;
        for (JsonNode bin : task.get("scores")) {
          positives += bin.get("positives").asDouble();
        }
        assertEquals(1, positives, 1e-12);
      }
    }
    assertEquals(120, json.at("/tasks/0/candidates").asInt());
    assertEquals(40, json.at("/tasks/0/users").asInt());
    assertEquals(60, json.at("/tasks/1/candidates").asInt());
    assertEquals(20, json.at("/tasks/1/users").asInt());
  }

  /** 16 users have 0 or 30 events, 8 have 60, 8 have 90, 8 have 120. */
  @Test
  void classesOfHistoriesHoldTenUsersEach() {
    JsonNode classes = evaluate("--json").json().at("/tasks/0/auc_by_history_length");
    assertEquals(2, classes.size());
    assertEquals(0, classes.at("/0/from").asInt());
    assertEquals(49, classes.at("/0/to").asInt());
    assertEquals(16, classes.at("/0/users").asInt());
    assertEquals(50, classes.at("/1/from").asInt());
    assertTrue(classes.at("/1/to").isNull(), classes.toString());
    assertEquals(24, classes.at("/1/users").asInt());
    assertEquals(120, classes.at("/0/candidates").asInt() + classes.at("/1/candidates").asInt());
    assertTrue(classes.at("/0/auc/estimate").asDouble() <= classes.at("/0/auc/upper").asDouble());
  }

  @Test
  void tablesNameTasksAndClasses() {
    Ran ran = evaluate();
    assertEquals(0, ran.exitCode(), ran.err());
    assertTrue(ran.out().startsWith("40 requests in "), ran.out());
    for (String text :
        List.of(" click ", " buy ", "click by events before", "0–49", "50 or more", "GAUC")) {
      assertTrue(ran.out().contains(text), text + " in " + ran.out());
    }
  }

  @Test
  void thePageOpensWithoutANetwork() throws IOException {
    Path page = folder.resolve("page.html");
    assertEquals(0, evaluate("--report", page.toString()).exitCode());
    String html = Files.readString(page);
    assertTrue(html.contains("Evaluation of model"), html);
    assertEquals(4, html.split("<svg ", -1).length - 1, "calibration, scores of two, histories");
    assertFalse(html.contains("<script"));
    assertFalse(html.replaceAll("xmlns(:xlink)?=\"[^\"]*\"", "").contains("http"), "a link");
    String json = evaluate("--json").json().at("/tasks/0/log_loss").asText();
    assertTrue(html.contains(json.substring(0, 5)), json);
  }

  /** What needs both classes is left out, on the page too. */
  @Test
  void labelsOfOneClassHaveALossButNoAuc() throws IOException {
    List<Request> ones = new ArrayList<>();
    for (Request request : requests()) {
      ones.add(
          Request.builder(request.history(), request.candidates())
              .user("likes", Value.missing())
              .context("hour", 1)
              .labels("click", new float[] {1, 1, 1, 1})
              .build());
    }
    data = write("ones.shards", ones);
    Path page = folder.resolve("ones.html");
    Ran ran = evaluate("--json", "--report", page.toString());
    assertEquals(0, ran.exitCode(), ran.err());
    JsonNode task = ran.json().at("/tasks/0");
    assertEquals(1, ran.json().get("tasks").size());
    for (String absent : List.of("auc", "gauc", "normalized_entropy")) {
      assertTrue(task.get(absent).isNull(), absent);
    }
    assertEquals(0, task.get("auc_by_history_length").size());
    assertTrue(task.get("log_loss").asDouble() > 0);
    assertTrue(Files.readString(page).contains("one class only"));
    assertTrue(evaluate().out().contains("–"));
  }

  @Test
  void badInputIsNamed() throws IOException {
    Ran few = evaluate("--replicates", "3");
    assertEquals(Cli.USAGE, few.exitCode());
    Ran nowhere = evaluate("--report", folder.resolve("no/page.html").toString());
    assertEquals(Cli.USAGE, nowhere.exitCode());
    assertTrue(nowhere.err().contains("--report"), nowhere.err());
    assertEquals(Cli.USAGE, Ran.command("evaluate", "--model", model).exitCode());
    String good = data;
    data = folder.resolve("none.shards").toString();
    Ran none = evaluate();
    assertEquals(Cli.BAD_INPUT, none.exitCode());
    assertTrue(none.err().contains("none.shards"), none.err());
    Path manifest = Path.of(good, "MANIFEST.json");
    Files.writeString(
        manifest, Files.readString(manifest).replaceFirst("\"bytes\": \\d", "\"bytes\": 9"));
    data = good;
    assertEquals(Cli.BAD_INPUT, evaluate().exitCode());
    data = write("bare.shards", List.of(TestModel.request()));
    Ran bare = evaluate();
    assertEquals(Cli.BAD_INPUT, bare.exitCode(), bare.err());
    assertTrue(bare.err().contains("label"), bare.err());
  }
}
