package ai.longer.samples.cli;

import ai.longer.Flops;
import ai.longer.LongerConfig;
import ai.longer.LongerModel;
import ai.longer.data.ShardCounts;
import ai.longer.evaluation.Bootstrap;
import ai.longer.report.Block;
import ai.longer.report.Charts;
import ai.longer.report.Figure;
import ai.longer.report.Numbers;
import ai.longer.report.Report;
import ai.longer.report.Series;
import ai.longer.report.Table;
import ai.longer.report.Tiles;
import ai.longer.report.Wording;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/** The page that {@code evaluate --report} writes. */
record EvaluationPage(EvaluateCommand.Measured measured, LongerModel model, ShardCounts counts) {
  private static final int COSTED_CANDIDATES = 100;

  void write(Path file) {
    TaskQuality first = measured.tasks().get(0);
    Report page =
        new Report(
                "Evaluation of " + name(measured.model()),
                "%s labelled candidates in %s requests of %s users from %s, scored by a LONGER model that reads up to %s events."
                    .formatted(
                        Numbers.count(first.candidates()),
                        Numbers.count(measured.requests()),
                        Numbers.count(first.users()),
                        measured.data().stream()
                            .map(EvaluationPage::name)
                            .collect(Collectors.joining(", ")),
                        Numbers.count(model.config().maxHistory())))
            .section("", "", headlines(first))
            .section(
                "Quality",
                Wording.METRICS
                    + " Bounds are those of 95 %%, from %s draws of users with replacement."
                        .formatted(Numbers.count(measured.replicates())),
                quality());
    addCharts(page);
    page.section(
            "Model", "What the folder’s config.json says, and what it costs.", settings(), cost())
        .write(file);
  }

  private void addCharts(Report page) {
    page.section("Calibration", "", calibration());
    List<TaskQuality> separable =
        measured.tasks().stream().filter(task -> !task.scores().isEmpty()).toList();
    if (!separable.isEmpty()) {
      page.section(
          "Scores", "", separable.stream().map(EvaluationPage::scores).toArray(Block[]::new));
    }
    if (measured.tasks().stream().anyMatch(task -> !task.aucByHistoryLength().isEmpty())) {
      page.section(
          "Length of the history",
          "All events that a user had had before the request count, those too that the model does"
              + " not read. A class holds at least ten users.",
          byHistoryLength(),
          classes());
    }
  }

  private static String name(String path) {
    return String.valueOf(Path.of(path).toAbsolutePath().normalize().getFileName());
  }

  private static Tiles headlines(TaskQuality task) {
    List<Tiles.Tile> tiles = new ArrayList<>();
    Bootstrap.Interval auc = task.auc();
    tiles.add(
        new Tiles.Tile(
            EvaluateCommand.score(EvaluateCommand.estimate(auc)),
            "AUC, " + task.task(),
            auc == null ? "one class only" : "95 %: " + bounds(auc)));
    tiles.add(
        new Tiles.Tile(
            Numbers.score(task.logLoss()),
            "log loss",
            "normalised entropy " + EvaluateCommand.score(task.normalizedEntropy())));
    tiles.add(
        new Tiles.Tile(
            Numbers.percent(task.calibrationError()),
            "calibration error",
            Numbers.percent(task.positiveRate()) + " are positive"));
    return new Tiles(tiles);
  }

  private static String bounds(Bootstrap.Interval interval) {
    return Numbers.score(interval.lower()) + " to " + Numbers.score(interval.upper());
  }

  private Table quality() {
    Table.Builder table =
        Table.builder()
            .text("task")
            .figures("candidates", "positive", "AUC", "95 % bounds", "GAUC", "log loss", "NE")
            .figures("ECE");
    for (TaskQuality task : measured.tasks()) {
      table.row(
          task.task(),
          Numbers.count(task.candidates()),
          Numbers.percent(task.positiveRate()),
          EvaluateCommand.score(EvaluateCommand.estimate(task.auc())),
          task.auc() == null ? "–" : bounds(task.auc()),
          EvaluateCommand.score(task.gauc()),
          Numbers.score(task.logLoss()),
          EvaluateCommand.score(task.normalizedEntropy()),
          Numbers.score(task.calibrationError()));
    }
    return table.build();
  }

  private Figure calibration() {
    return Charts.calibration(
        series(
            task ->
                task.calibration().stream()
                    .map(b -> new Series.Point(b.meanScore(), b.positiveRate()))
                    .toList()),
        "Labelled candidates " + Wording.CALIBRATION);
  }

  private static Figure scores(TaskQuality task) {
    List<Series.Point> positives = new ArrayList<>();
    List<Series.Point> negatives = new ArrayList<>();
    for (TaskQuality.ScoreBin bin : task.scores()) {
      double middle = (bin.from() + bin.to()) / 2;
      positives.add(new Series.Point(middle, 100 * bin.positives()));
      negatives.add(new Series.Point(middle, 100 * bin.negatives()));
    }
    return Charts.lines(
        List.of(new Series("positive", positives), new Series("negative", negatives)),
        "predicted probability of " + task.task(),
        "candidates, %",
        "Where the scores of positive and negative candidates lie, each in per cent of its kind."
            + " The less the two overlap, the better the model tells them apart.");
  }

  private Figure byHistoryLength() {
    List<String> titles =
        measured.tasks().stream()
            .flatMap(task -> task.aucByHistoryLength().stream())
            .sorted(
                Comparator.comparingLong(TaskQuality.ByHistory::from)
                    .thenComparing(TaskQuality.ByHistory::end))
            .map(TaskQuality.ByHistory::title)
            .distinct()
            .toList();
    return Charts.byHistoryLength(
        titles,
        series(
            task ->
                task.aucByHistoryLength().stream()
                    .map(
                        one ->
                            new Series.Point(
                                titles.indexOf(one.title()),
                                one.auc().estimate(),
                                one.auc().lower(),
                                one.auc().upper()))
                    .toList()),
        "AUC",
        "AUC by the number of events before the request; bars are 95 % bounds.");
  }

  private interface Points {
    List<Series.Point> of(TaskQuality task);
  }

  /** A line for each task that has points. */
  private List<Series> series(Points points) {
    List<Series> all = new ArrayList<>();
    for (TaskQuality task : measured.tasks()) {
      if (!points.of(task).isEmpty()) {
        all.add(new Series(task.task(), points.of(task)));
      }
    }
    return all;
  }

  private Table classes() {
    Table.Builder table =
        Table.builder()
            .text("task", "events before")
            .figures("candidates", "users", "positive", "AUC", "95 % bounds");
    for (TaskQuality task : measured.tasks()) {
      for (TaskQuality.ByHistory one : task.aucByHistoryLength()) {
        table.row(
            task.task(),
            one.title(),
            Numbers.count(one.candidates()),
            Numbers.count(one.users()),
            Numbers.percent(one.positiveRate()),
            Numbers.score(one.auc().estimate()),
            bounds(one.auc()));
      }
    }
    return table.build();
  }

  private Table settings() {
    LongerConfig config = model.config();
    Table.Builder table = Table.builder().text("setting", "value");
    table.row("history", Numbers.count(config.maxHistory()) + " events");
    table.row(
        "widths",
        "events %d, merged by %d to %d"
            .formatted(config.eventWidth(), config.mergeFactor(), config.modelWidth()));
    table.row(
        "inside a group",
        config.innerLayers() == 0
            ? "concatenation"
            : "%d InnerTransformer block%s, %d heads"
                .formatted(
                    config.innerLayers(),
                    config.innerLayers() == 1 ? "" : "s",
                    config.innerHeads()));
    table.row("queries", config.queries() + ", " + config.queryStrategy());
    table.row(
        "layers",
        "1 cross-causal and %d self-causal, %d heads"
            .formatted(config.selfLayers(), config.heads()));
    table.row(
        "global tokens",
        "%d of the user, %d CLS, %d of a candidate; %s"
            .formatted(
                config.globalTokens().size(),
                config.clsTokens(),
                config.candidateTokens().size(),
                config.globalVisibility()));
    table.row("time and positions", config.time() + ", counted from the " + config.anchor());
    table.row("head", String.valueOf(config.head()));
    return table.build();
  }

  private Table cost() {
    Flops flops = Flops.forward(model.config(), model.config().maxHistory(), COSTED_CANDIDATES);
    return Table.builder()
        .text("size and cost")
        .figures("")
        .row("dense parameters", Numbers.count(model.numParameters()))
        .row("rows of growing tables", Numbers.count(model.numTableRows()))
        .row("MFLOP to encode a full history", Numbers.count(flops.user() / 1e6))
        .row(
            "MFLOP to score %d candidates on top".formatted(COSTED_CANDIDATES),
            Numbers.count(flops.candidates() / 1e6))
        .row("events of the data", Numbers.count(counts.events()))
        .row("requests scored per second", Numbers.count(measured.requests() / measured.seconds()))
        .build();
  }
}
