package ai.longer.benchmarks.quality;

import ai.longer.report.Charts;
import ai.longer.report.Series;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

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

  /** Writes the charts that the experiment's figures allow. */
  static void write(Summary summary, Path folder) {
    List<Summary.HistoryClass> classes = summary.byHistory();
    if (classes.size() < 2) {
      return;
    }
    List<Series> series = new ArrayList<>();
    for (Contender contender : summary.experiment().contenders()) {
      boolean isShown = classes.get(0).auc().containsKey(contender.name());
      if (isShown && summary.experiment().plotted().contains(contender.name())) {
        List<Series.Point> points = new ArrayList<>();
        for (int i = 0; i < classes.size(); i++) {
          points.add(new Series.Point(i, classes.get(i).auc(contender.name())));
        }
        series.add(new Series(contender.title(), points));
      }
    }
    if (series.isEmpty()) {
      return;
    }
    String svg =
        Charts.byHistoryLength(
                classes.stream().map(Summary.HistoryClass::events).toList(),
                series,
                "test AUC",
                summary.experiment().title() + ": test AUC by length of the history")
            .svg();
    try {
      Files.writeString(folder.resolve(byHistory(summary.experiment().name())), svg);
    } catch (IOException e) {
      throw new UncheckedIOException("[results] cannot write a chart in " + folder, e);
    }
  }
}
