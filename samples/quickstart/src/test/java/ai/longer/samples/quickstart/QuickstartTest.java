package ai.longer.samples.quickstart;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.longer.data.History;
import ai.longer.data.Request;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class QuickstartTest {
  private static final Path DATA = Path.of("data", "ml-latest-small");

  private final MovieLens movieLens = MovieLens.read(DATA, 60);
  private final Split split = Split.of(movieLens, movieLens.schema());

  @Test
  void aDeviceThatIsNotThereIsOneLine(@TempDir Path out) {
    StringWriter errors = new StringWriter();
    CommandLine quickstart = Quickstart.commandLine(System.out).setErr(new PrintWriter(errors));
    String data = DATA.toString();
    int exit =
        quickstart.execute("--small", "--data", data, "--out", out.toString(), "--device", "cuda");
    assertEquals(Quickstart.BAD_DEVICE, exit);
    assertTrue(errors.toString().contains("linux-x86_64-cuda13"), errors.toString());
    assertEquals(1, errors.toString().lines().count());
  }

  @Test
  void smallRunWritesEveryFigure(@TempDir Path out) throws Exception {
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    PrintStream console = new PrintStream(printed, true, StandardCharsets.UTF_8);
    int exit =
        Quickstart.commandLine(console)
            .execute(
                "--small",
                "--device",
                "cpu",
                "--data",
                DATA.toString(),
                "--out",
                out.toString(),
                "--pictures",
                out.resolve("pictures").toString());
    assertEquals(0, exit, printed.toString(StandardCharsets.UTF_8));
    for (String shown : List.of("popularity", "no sequence", "with user cache", "equal")) {
      assertTrue(printed.toString(StandardCharsets.UTF_8).contains(shown), shown);
    }

    JsonNode result = new ObjectMapper().readTree(out.resolve("result.json").toFile());
    assertEquals(60, result.at("/data/users").asInt());
    assertEquals(128, result.at("/config/max_history").asInt());
    assertEquals(4, result.at("/models").size());
    for (JsonNode model : result.at("/models")) {
      for (String metric : List.of("auc", "gauc", "logLoss", "normalizedEntropy")) {
        double value = model.at("/" + metric).asDouble();
        assertTrue(value > 0.2 && value < 2, model.at("/model") + " " + metric + " " + value);
      }
      boolean isTrained = !model.at("/model").asText().equals("popularity");
      assertEquals(isTrained, model.at("/training/losses").size() > 0);
      assertEquals(isTrained, model.at("/training/requestsPerSecond").asDouble() > 0);
    }
    for (JsonNode difference : result.at("/differences")) {
      double estimate = difference.at("/estimate").asDouble();
      assertTrue(difference.at("/lower").asDouble() <= estimate);
      assertTrue(difference.at("/upper").asDouble() >= estimate);
    }
    assertTrue(result.at("/aucByHistoryLength").size() >= 2);
    checkRecommendation(result.at("/recommendation"));
    assertEquals(500, result.at("/latency/candidates").asInt());
    assertTrue(result.at("/latency/cachedMillis").asDouble() > 0);

    String html = Files.readString(out.resolve("report.html"));
    String title = result.at("/recommendation/items/0/title").asText();
    assertTrue(html.contains(title.substring(0, title.indexOf(' '))));
    assertFalse(html.contains("<script"));
    assertTrue(Files.size(out.resolve("pictures/quickstart-loss.svg")) > 0);
    assertTrue(Files.exists(out.resolve("models/full-1/config.json")));

    assertEquals(
        0,
        new CommandLine(new Quickstart(console))
            .execute("--from", out.resolve("result.json").toString(), "--out", out.toString()));
    assertEquals(html, Files.readString(out.resolve("report.html")), "written again");
  }

  private void checkRecommendation(JsonNode recommendation) {
    long user = recommendation.at("/user").asLong();
    List<Long> rated = movieLens.ratingsOf(user).stream().map(MovieLens.Rating::movie).toList();
    assertEquals(10, recommendation.at("/items").size());
    double last = 1;
    for (JsonNode item : recommendation.at("/items")) {
      assertFalse(rated.contains(item.at("/movie").asLong()), "rated already");
      assertTrue(item.at("/score").asDouble() <= last, "best first");
      last = item.at("/score").asDouble();
      assertEquals(3, item.at("/because").size());
    }
    double sum = 0;
    for (JsonNode share : recommendation.at("/attention")) {
      sum += share.asDouble();
    }
    assertEquals(rated.size(), recommendation.at("/attention").size());
    assertEquals(1, sum, 1e-4);
  }

  @Test
  void splitIsAboutEightyTwenty() {
    double test = split.test().stream().mapToInt(r -> r.candidates().size()).sum();
    assertEquals(0.2, test / movieLens.ratings().size(), 0.03);
    assertTrue(split.validation().size() > 50);
  }

  @Test
  void labelsAreRatingsOfFourStarsOrMore() {
    for (Request request : split.test()) {
      float[] clicks = request.labels(0);
      for (int i = 0; i < clicks.length; i++) {
        long movie = request.candidates().id(0, i);
        MovieLens.Rating rating =
            movieLens.ratingsOf(request.groupKey()).stream()
                .filter(r -> r.movie() == movie)
                .findFirst()
                .orElseThrow();
        assertEquals(rating.stars() >= 4 ? 1f : 0f, clicks[i]);
      }
    }
  }

  @Test
  void historiesAreEverythingStrictlyBeforeTheRequest() {
    for (Request request : split.test()) {
      List<MovieLens.Rating> ratings = movieLens.ratingsOf(request.groupKey());
      long first = Long.MAX_VALUE;
      for (long movie : request.candidates().longs("movie")) {
        first =
            Math.min(
                first,
                ratings.stream().filter(r -> r.movie() == movie).findFirst().orElseThrow().time());
      }
      long start = first;
      assertEquals(
          ratings.stream().filter(r -> r.time() < start).count(), request.history().size());
    }
  }

  @Test
  void plantedLeaksAreFound() {
    assertDoesNotThrow(() -> split.checkNothingLeaks(movieLens));

    Split swapped = new Split(split.test(), split.validation(), split.training());
    assertLeak("period", swapped);

    // A request that knows what came later: it gets the history of the same user's last request.
    List<Request> test = new ArrayList<>(split.test());
    Request early = test.get(0);
    History later =
        test.stream()
            .filter(r -> r.groupKey() == early.groupKey())
            .reduce((a, b) -> b)
            .orElseThrow()
            .history();
    assertNotEquals(later, early.history());
    Request knowing =
        Request.builder(later, early.candidates())
            .user("user", early.groupKey())
            .groupKey(early.groupKey())
            .labels("click", early.labels(0))
            .build();
    test.set(0, knowing);
    assertLeak("leaks", new Split(split.training(), split.validation(), test));

    assertLeak(
        "candidate once",
        new Split(split.training(), split.validation(), Collections.nCopies(2, early)));
  }

  private void assertLeak(String what, Split planted) {
    Exception e =
        assertThrows(IllegalStateException.class, () -> planted.checkNothingLeaks(movieLens));
    assertTrue(String.valueOf(e.getMessage()).contains(what), e.getMessage());
  }

  @ParameterizedTest
  @CsvSource({"--seeds,many", "--seeds,0", "--epochs,0"})
  void wrongOptionsSayWhatIsWrong(String option, String value) {
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    int exit =
        new CommandLine(new Quickstart(System.out))
            .setErr(new PrintWriter(printed, true, StandardCharsets.UTF_8))
            .execute(option, value);
    assertEquals(2, exit);
    assertTrue(printed.toString(StandardCharsets.UTF_8).contains(option));
  }
}
