package ai.longer.samples.cli;

import ai.longer.LongerModel;
import ai.longer.Schema;
import ai.longer.report.Numbers;
import ai.longer.report.TextTable;
import ai.longer.serving.Ranker;
import ai.longer.serving.RankerOptions;
import ai.longer.serving.RankingRequest;
import ai.longer.serving.Scores;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Candidates of requests by score. */
@Command(
    name = "rank",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Scores the candidates of each request and lists the best.",
      "Every request is answered twice, and both times are shown: cold, when the history has to be"
          + " encoded, and cached, when the user's keys and values are there."
    },
    footer = RequestReader.FORMAT)
final class RankCommand implements Callable<Integer> {
  private static final long CACHE_BYTES = 1L << 30;
  private static final long HISTORY_VERSION = 1;

  private final Console console;

  @Mixin private RequestOptions options = new RequestOptions();

  @Option(
      names = "--repeat",
      paramLabel = "N",
      description =
          "Times that each request is measured; medians are shown (default: ${DEFAULT-VALUE}).")
  private int repeat = 3;

  RankCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    int top = options.top();
    options.atLeast(1, "--repeat", repeat);
    RankerOptions caching = RankerOptions.builder().userCacheBytes(CACHE_BYTES).build();
    try (LongerModel model = options.load();
        Ranker ranker = model.ranker(caching);
        RequestReader requests = options.open(model.config().schema())) {
      Schema schema = model.config().schema();
      int task = options.task(schema);
      for (JsonRequest request = requests.next(); request != null; request = requests.next()) {
        Answer answer = rank(ranker, request);
        List<Integer> best = best(answer.scores(), task, top);
        if (options.isJson()) {
          console.jsonLine(json(request, answer, best, schema));
        } else {
          print(request, answer, best, schema, task);
        }
      }
    }
    return 0;
  }

  /** {@code cachedMillis}: null where the history is too long for the cache. */
  private record Answer(Scores scores, double coldMillis, @Nullable Double cachedMillis) {}

  private Answer rank(Ranker ranker, JsonRequest request) {
    RankingRequest ranking =
        RankingRequest.of(request.request()).cached(request.number(), HISTORY_VERSION);
    double[] cold = new double[repeat];
    double[] cached = new double[repeat];
    long hits = ranker.stats().cacheHits();
    Scores scores = null;
    for (int i = 0; i < repeat; i++) {
      ranker.evict(request.number());
      long start = System.nanoTime();
      scores = ranker.rank(ranking);
      long between = System.nanoTime();
      ranker.rank(ranking);
      cached[i] = (System.nanoTime() - between) * 1e-6;
      cold[i] = (between - start) * 1e-6;
    }
    boolean isCached = ranker.stats().cacheHits() == hits + repeat;
    ranker.evict(request.number());
    return new Answer(
        Objects.requireNonNull(scores), median(cold), isCached ? median(cached) : null);
  }

  private static double median(double[] values) {
    Arrays.sort(values);
    return values[values.length / 2];
  }

  /** The candidates with the highest scores, equal ones in the order of the request. */
  static List<Integer> best(Scores scores, int task, int count) {
    return IntStream.range(0, scores.numCandidates())
        .boxed()
        .sorted(Comparator.comparingDouble(candidate -> -scores.get(task, candidate)))
        .limit(count)
        .toList();
  }

  private static Map<String, Object> scores(Answer answer, int candidate, Schema schema) {
    Map<String, Object> scores = new LinkedHashMap<>();
    for (int t = 0; t < schema.tasks().size(); t++) {
      scores.put(schema.tasks().get(t).name(), answer.scores().get(t, candidate));
    }
    return scores;
  }

  private static Map<String, @Nullable Object> json(
      JsonRequest request, Answer answer, List<Integer> best, Schema schema) {
    Map<String, @Nullable Object> json = request.json();
    json.put("events", request.request().history().size());
    json.put("candidates", request.request().candidates().size());
    Map<String, @Nullable Object> latency = new LinkedHashMap<>();
    latency.put("cold", answer.coldMillis());
    latency.put("cached", answer.cachedMillis());
    json.put("latency_ms", latency);
    List<Object> ranking = new ArrayList<>();
    for (int candidate : best) {
      Map<String, @Nullable Object> row = new LinkedHashMap<>();
      row.put("candidate", candidate);
      row.put("features", request.candidate(candidate));
      row.put("scores", scores(answer, candidate, schema));
      ranking.add(row);
    }
    json.put("ranking", ranking);
    return json;
  }

  private void print(
      JsonRequest request, Answer answer, List<Integer> best, Schema schema, int task) {
    console.print(
        "%s: %s events, %s candidates; %s cold, %s"
            .formatted(
                request.title(),
                Numbers.count(request.request().history().size()),
                Numbers.count(request.request().candidates().size()),
                Cells.millis(answer.coldMillis()),
                answer.cachedMillis() == null
                    ? "too long for the cache"
                    : Cells.millis(answer.cachedMillis()) + " cached"));
    List<String> headings = new ArrayList<>(List.of("#", "candidate"));
    request.candidates().forEach(column -> headings.add("<" + column.feature().name()));
    for (int t = 0; t < schema.tasks().size(); t++) {
      String name = schema.tasks().get(t).name();
      headings.add(t == task && schema.tasks().size() > 1 ? name + " ↓" : name);
    }
    TextTable table = new TextTable(headings.toArray(String[]::new));
    for (int rank = 0; rank < best.size(); rank++) {
      int candidate = best.get(rank);
      List<String> cells = new ArrayList<>();
      cells.add(Integer.toString(rank + 1));
      cells.add(Integer.toString(candidate));
      Collection<@Nullable Object> features = request.candidate(candidate).values();
      features.forEach(value -> cells.add(Cells.value(value)));
      for (int t = 0; t < schema.tasks().size(); t++) {
        cells.add(Numbers.score(answer.scores().get(t, candidate)));
      }
      table.row(cells.toArray(String[]::new));
    }
    console.print(table);
  }
}
