package ai.longer.benchmarks.quality;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** {@code RESULTS.md}: the figures of all experiments as tables. */
final class ResultsPage {
  private static final String INTRODUCTION =
      """
      # Quality: what was compared, and what came out

      Written by `run.sh --merge`; the figures are in `results/`, the experiments in `experiments/`. Every contender of an
      experiment gets the same features, requests, order, batches and grid. The grid is searched on the validation requests; the
      best point is then trained on training and validation requests together, once for each seed, and scores the test
      requests, which nothing before has seen. ± is the standard deviation over seeds. Intervals are 95 % bounds over 2 000
      paired draws of users. FLOPs count the matrix products of scoring one test request with all its candidates, a
      multiply-add as 2. Parameters include embedding rows.

      """;

  private final List<Summary> summaries;
  private final boolean hasCharts;

  ResultsPage(List<Summary> summaries, boolean hasCharts) {
    this.summaries = List.copyOf(summaries);
    this.hasCharts = hasCharts;
  }

  String text() {
    StringBuilder page = new StringBuilder(INTRODUCTION);
    for (Summary summary : summaries) {
      section(page, summary);
    }
    return page.toString();
  }

  private void section(StringBuilder page, Summary summary) {
    Experiment experiment = summary.experiment();
    Description data = summary.data();
    page.append("## ").append(experiment.title()).append("\n");
    page.append(experiment.about()).append("\n\n");
    page.append(
        format(
            "%,d requests for training, %,d for validation, %,d with %,d candidates of %,d users"
                + " for the test, %.1f %% positive; events of a test request: median %,d, 90 %%"
                + " quantile %,d, most %,d.%n%n",
            data.trainingRequests(),
            data.validationRequests(),
            data.testRequests(),
            data.testCandidates(),
            data.testUsers(),
            100 * data.positiveRate(),
            data.medianHistory(),
            data.longHistory(),
            data.maxHistory()));
    models(page, summary);
    if (hasCharts && !summary.differences().isEmpty()) {
      picture(page, "Differences of AUC", Pictures.differences(experiment.name()));
    }
    byHistory(page, summary);
    inspections(page, summary);
    searches(page, summary);
    page.append("Machine: ").append(summary.machine()).append("\n\n");
  }

  private static void models(StringBuilder page, Summary summary) {
    List<List<String>> rows = new ArrayList<>();
    for (Summary.Model model : summary.models()) {
      String difference =
          summary.differences().stream()
              .filter(d -> d.than().equals(model.contender()))
              .map(d -> format("%+.4f (%+.4f … %+.4f)", d.estimate(), d.lower(), d.upper()))
              .findAny()
              .orElse("");
      rows.add(
          List.of(
              titleAndLabel(summary, model.contender()),
              spread(model.auc()),
              spread(model.gauc()),
              spread(model.logLoss()),
              spread(model.normalizedEntropy()),
              difference,
              format("%.2f", model.flops() / 1e6),
              format("%,d", model.parameters()),
              format("%.0f", model.seconds()),
              Integer.toString(model.seeds())));
    }
    if (!rows.isEmpty()) {
      String first = title(summary, summary.models().get(0).contender());
      table(
          page,
          List.of(
              "model",
              "AUC",
              "GAUC",
              "log loss",
              "NE",
              "AUC of " + first + " less this",
              "MFLOP",
              "parameters",
              "seconds",
              "seeds"),
          rows);
    }
  }

  private void byHistory(StringBuilder page, Summary summary) {
    List<Summary.HistoryClass> classes = summary.byHistory();
    if (classes.size() < 2) {
      return;
    }
    List<String> header = new ArrayList<>(List.of("AUC by events in the history"));
    classes.forEach(c -> header.add(format("%s (%,d rows)", c.events(), c.rows())));
    List<List<String>> rows = new ArrayList<>();
    for (Summary.Model model : summary.models()) {
      List<String> row = new ArrayList<>(List.of(title(summary, model.contender())));
      classes.forEach(c -> row.add(format("%.4f", c.auc(model.contender()))));
      rows.add(row);
    }
    table(page, header, rows);
    if (hasCharts) {
      picture(
          page, "AUC by length of the history", Pictures.byHistory(summary.experiment().name()));
    }
  }

  private static void picture(StringBuilder page, String title, String file) {
    page.append("![").append(title).append("](results/").append(file).append(")\n\n");
  }

  private static void inspections(StringBuilder page, Summary summary) {
    Set<String> figures = new LinkedHashSet<>();
    summary.models().forEach(m -> figures.addAll(m.inspection().keySet()));
    if (figures.isEmpty()) {
      return;
    }
    List<String> header = new ArrayList<>(List.of("model"));
    header.addAll(figures);
    List<List<String>> rows = new ArrayList<>();
    for (Summary.Model model : summary.models()) {
      if (!model.inspection().isEmpty()) {
        List<String> row = new ArrayList<>(List.of(title(summary, model.contender())));
        figures.forEach(f -> row.add(format("%.3f", model.inspection().getOrDefault(f, 0.0))));
        rows.add(row);
      }
    }
    table(page, header, rows);
  }

  private static void searches(StringBuilder page, Summary summary) {
    Set<String> points = new LinkedHashSet<>();
    summary.searches().values().forEach(s -> points.addAll(s.keySet()));
    if (points.isEmpty()) {
      return;
    }
    List<String> header = new ArrayList<>(List.of("validation AUC"));
    List<List<String>> rows = new ArrayList<>();
    summary.searches().keySet().forEach(name -> header.add(title(summary, name)));
    for (String point : points) {
      List<String> row = new ArrayList<>(List.of(point));
      for (Map<String, Double> searched : summary.searches().values()) {
        double best = Collections.max(searched.values());
        Double auc = searched.get(point);
        String shown = auc == null ? "" : format("%.4f", auc);
        row.add(auc != null && auc == best ? "**" + shown + "**" : shown);
      }
      rows.add(row);
    }
    table(page, header, rows);
  }

  private static String title(Summary summary, String contender) {
    return summary.experiment().titleOf(contender);
  }

  /** With the name that the charts use, where that is another. */
  private static String titleAndLabel(Summary summary, String contender) {
    String title = title(summary, contender);
    String label = summary.experiment().labelOf(contender);
    return label.equals(title) ? title : "%s (`%s`)".formatted(title, label);
  }

  private static String spread(Summary.Spread spread) {
    return format("%.4f ± %.4f", spread.mean(), spread.deviation());
  }

  private static void table(StringBuilder page, List<String> header, List<List<String>> rows) {
    page.append("| ").append(String.join(" | ", header)).append(" |\n|");
    page.append("---|".repeat(header.size())).append("\n");
    rows.forEach(row -> page.append("| ").append(String.join(" | ", row)).append(" |\n"));
    page.append("\n");
  }

  private static String format(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
