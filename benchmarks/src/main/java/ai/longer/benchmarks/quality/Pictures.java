package ai.longer.benchmarks.quality;

import ai.longer.report.Charts;
import ai.longer.report.Figure;
import ai.longer.report.Series;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The charts of an experiment as SVG files. */
final class Pictures {
  private Pictures() {}

  /** Whether the module that draws is on the class path: machines that only train go without. */
  static boolean areAvailable() {
    try {
      Class.forName("ai.longer.report.Charts");
      return true;
    } catch (ClassNotFoundException e) {
      return false;
    }
  }

  static String byHistory(String experiment) {
    return experiment + "-by-history.svg";
  }

  static String differences(String experiment) {
    return experiment + "-differences.svg";
  }

  /** Writes the charts that the experiment's figures allow. */
  static void write(Summary summary, Path folder) {
    String name = summary.experiment().name();
    if (summary.byHistory().size() > 1) {
      write(folder.resolve(byHistory(name)), drawByHistory(summary));
    }
    if (!summary.differences().isEmpty()) {
      write(folder.resolve(differences(name)), drawDifferences(summary));
    }
  }

  private static Figure drawByHistory(Summary summary) {
    List<Summary.HistoryClass> classes = summary.byHistory();
    List<Series> series = new ArrayList<>();
    for (Summary.Model model : summary.models()) {
      if (summary.experiment().plotted().contains(model.contender())) {
        List<Series.Point> points = new ArrayList<>();
        for (int i = 0; i < classes.size(); i++) {
          points.add(new Series.Point(i, classes.get(i).auc(model.contender())));
        }
        series.add(new Series(summary.experiment().titleOf(model.contender()), points));
      }
    }
    return Charts.byHistoryLength(
        classes.stream().map(Summary.HistoryClass::events).toList(),
        series,
        "test AUC",
        summary.experiment().title() + ": test AUC by length of the history");
  }

  private static Figure drawDifferences(Summary summary) {
    String first = summary.experiment().titleOf(summary.models().get(0).contender());
    Map<String, Charts.Interval> intervals = new LinkedHashMap<>();
    for (Summary.Difference d : summary.differences()) {
      intervals.put(
          summary.experiment().labelOf(d.than()),
          new Charts.Interval(d.lower(), d.estimate(), d.upper()));
    }
    return Charts.intervals(
        intervals,
        "AUC of " + first + " less that of the model, 95 % bounds",
        summary.experiment().title() + ": differences of test AUC");
  }

  private static void write(Path file, Figure figure) {
    try {
      Files.writeString(file, figure.svg());
    } catch (IOException e) {
      throw new UncheckedIOException("[results] cannot write " + file, e);
    }
  }
}
