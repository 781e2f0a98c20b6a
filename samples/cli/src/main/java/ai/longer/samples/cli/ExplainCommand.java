package ai.longer.samples.cli;

import ai.longer.LongerConfig;
import ai.longer.LongerModel;
import ai.longer.data.Request;
import ai.longer.report.Numbers;
import ai.longer.report.TextTable;
import ai.longer.serving.Explanation;
import ai.longer.serving.Ranker;
import ai.longer.serving.RankingRequest;
import ai.longer.serving.Scores;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The past events that a candidate's score rests on. */
@Command(
    name = "explain",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Shows which past events a candidate's score rests on.",
      "Each event's share is the attention that the candidate's tokens pay to its merged group in"
          + " the first, cross-causal layer, mean over the heads, spread over the group's events by"
          + " |gradient of the logit · event token|. The shares of a request sum to 1."
    },
    footer = RequestReader.FORMAT)
final class ExplainCommand implements Callable<Integer> {
  private final Console console;

  @Mixin private RequestOptions options = new RequestOptions();

  @Option(
      names = "--candidate",
      paramLabel = "N",
      description = "Number of the candidate in its request, from 0 (default: the best).")
  private @Nullable Integer candidate;

  ExplainCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    int top = options.top();
    try (LongerModel model = options.load();
        Ranker ranker = model.ranker();
        RequestReader requests = options.open(model.config().schema())) {
      int task = options.task(model.config().schema());
      for (JsonRequest request = requests.next(); request != null; request = requests.next()) {
        RankingRequest ranking = RankingRequest.of(request.request());
        Scores scores = ranker.rank(ranking);
        int chosen = choose(request, scores, task);
        Explanation explanation = ranker.explain(ranking, chosen, task);
        Explained explained =
            new Explained(
                request,
                model.config(),
                scores.get(task, chosen),
                explanation,
                explanation.top(top));
        if (options.isJson()) {
          console.jsonLine(explained.json());
        } else {
          explained.print(console);
        }
      }
    }
    return 0;
  }

  private int choose(JsonRequest request, Scores scores, int task) {
    int count = scores.numCandidates();
    if (count == 0) {
      throw new IllegalArgumentException(
          "[explain] %s has no candidates".formatted(request.title()));
    }
    if (candidate == null) {
      return RankCommand.best(scores, task, 1).get(0);
    }
    if (candidate < 0 || candidate >= count) {
      throw options.usage(
          "--candidate must be in 0 … %d for %s; got %d"
              .formatted(count - 1, request.title(), candidate));
    }
    return candidate;
  }

  /** {@code top}: events to show, strongest first. */
  private record Explained(
      JsonRequest request, LongerConfig config, float score, Explanation explanation, int[] top) {
    private String task() {
      return config.schema().tasks().get(explanation.task()).name();
    }

    private float share(int event) {
      return explanation.attribution()[event];
    }

    Map<String, @Nullable Object> json() {
      Map<String, @Nullable Object> json = request.json();
      json.put("events", request.request().history().size());
      json.put("candidate", explanation.candidate());
      json.put("features", request.candidate(explanation.candidate()));
      json.put("task", task());
      json.put("score", score);
      Map<String, Object> method = new LinkedHashMap<>();
      method.put("layer", "cross-causal");
      method.put("heads", "mean of " + config.heads());
      method.put("within_group", "|gradient · event token|");
      json.put("method", method);
      List<Object> rows = new ArrayList<>();
      for (int event : top) {
        Map<String, @Nullable Object> row = new LinkedHashMap<>();
        row.put("event", event);
        row.put("time", request.request().history().time(event));
        row.put("features", request.event(event));
        row.put("share", share(event));
        rows.add(row);
      }
      json.put("attribution", rows);
      return json;
    }

    void print(Console console) {
      Request asked = request.request();
      List<String> features = new ArrayList<>();
      request
          .candidate(explanation.candidate())
          .forEach((name, value) -> features.add(name + " " + Cells.value(value)));
      console.print(
          "%s: candidate %d (%s), %s %s"
              .formatted(
                  request.title(),
                  explanation.candidate(),
                  String.join(", ", features),
                  task(),
                  Numbers.score(score)));
      if (asked.history().size() == 0) {
        console.print("  The history is empty: the score rests on no event.\n");
        return;
      }
      List<String> headings = new ArrayList<>(List.of("#", "event", "<time", "ago"));
      request.events().forEach(column -> headings.add("<" + column.feature().name()));
      headings.addAll(List.of("share", "<"));
      TextTable table = new TextTable(headings.toArray(String[]::new));
      float shown = 0;
      for (int rank = 0; rank < top.length; rank++) {
        int event = top[rank];
        List<String> cells = new ArrayList<>();
        cells.add(Integer.toString(rank + 1));
        cells.add(Integer.toString(event));
        cells.add(Cells.time(asked.history().time(event)));
        cells.add(Cells.span(asked.referenceTime() - asked.history().time(event)));
        request.event(event).values().forEach(value -> cells.add(Cells.value(value)));
        cells.add(Numbers.percent(share(event)));
        cells.add(Cells.bar(share(event), share(top[0])));
        table.row(cells.toArray(String[]::new));
        shown += share(event);
      }
      console.print(table.toString().stripTrailing());
      console.print(
          "  %d of %s events hold %s of the attention (cross-causal layer, mean of %d heads).%s%n"
              .formatted(
                  top.length,
                  Numbers.count(asked.history().size()),
                  Numbers.percent(shown),
                  config.heads(),
                  asked.history().size() > config.maxHistory()
                      ? " The model reads at most the newest " + config.maxHistory() + "."
                      : ""));
    }
  }
}
