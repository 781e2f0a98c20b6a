package ai.longer.samples.quickstart;

import ai.longer.report.Charts;
import ai.longer.report.Figure;
import ai.longer.report.Numbers;
import ai.longer.report.Report;
import ai.longer.report.Series;
import ai.longer.report.Table;
import ai.longer.report.Tiles;
import ai.longer.report.Wording;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The results as one page, and as pictures. */
record QuickstartReport(Results results) {

  void write(Path file) {
    Results.DataSet data = results.data();
    Results.Difference gain = results.differences().get(0);
    new Report(
            "LONGER on MovieLens",
            "%s ratings of %s movies by %s users. A click is a rating of 4 stars or more; each user’s last 20 %% are the test."
                .formatted(
                    Numbers.count(data.ratings()),
                    Numbers.count(data.movies()),
                    Numbers.count(data.users())))
        .section("", "", headlines(gain))
        .section(
            "Quality on the test period",
            "%s candidates in %s requests; %s of all ratings are clicks. "
                    .formatted(
                        Numbers.count(data.testCandidates()),
                        Numbers.count(data.testRequests()),
                        Numbers.percent(data.clickRate()))
                + Wording.METRICS,
            models(),
            differences())
        .section(
            "Training",
            "The validation requests, the last before each user’s test period, tell how many epochs"
                + " are best. The model tested is then trained for that many on training and"
                + " validation requests together.",
            loss(),
            trainings())
        .section("Calibration", "", calibration())
        .section("Length of the history", "", byHistoryLength())
        .section(
            "What one user’s history contributes",
            "User %d has rated %d movies. These ten lead the %s others that at least ten users had rated."
                .formatted(
                    results.recommendation().user(),
                    results.recommendation().attention().length,
                    Numbers.count(results.recommendation().candidates())),
            items(),
            attention(),
            strongest())
        .section(
            "Latency",
            "One request of %s candidates for the user with the longest history, %s events. The scores are equal bit for bit."
                .formatted(
                    Numbers.count(results.latency().candidates()),
                    Numbers.count(results.latency().events())),
            latency())
        .write(file);
  }

  /** Writes pictures for a page of text: the loss, and AUC by length of history. */
  void writePictures(Path folder) {
    try {
      Files.createDirectories(folder);
      Files.writeString(folder.resolve("quickstart-loss.svg"), loss().svg() + "\n");
      Files.writeString(folder.resolve("quickstart.svg"), byHistoryLength().svg() + "\n");
    } catch (IOException e) {
      throw new UncheckedIOException("[report] cannot write pictures to " + folder, e);
    }
  }

  private Tiles headlines(Results.Difference gain) {
    return new Tiles(
        List.of(
            new Tiles.Tile(
                Numbers.score(mean(Variant.FULL)),
                "test AUC",
                "full history, " + seeds(gain.seeds())),
            new Tiles.Tile(
                Numbers.signed(gain.estimate()),
                "over the model without sequence",
                "95 %%: %s to %s"
                    .formatted(Numbers.signed(gain.lower()), Numbers.signed(gain.upper()))),
            new Tiles.Tile(
                "%.1f ×".formatted(results.latency().speedUp()),
                "faster with the user cache",
                Numbers.millis(results.latency().cachedMillis()) + " a request")));
  }

  private static String seeds(int count) {
    return count == 1 ? "one seed" : "mean of " + count + " seeds";
  }

  private double mean(Variant variant) {
    return results.models().stream()
        .filter(m -> m.model().equals(variant.title()))
        .mapToDouble(Results.Model::auc)
        .average()
        .orElseThrow();
  }

  private Table models() {
    Table.Builder table =
        Table.builder().text("model", "seed").figures("AUC", "GAUC", "log loss", "NE", "ECE");
    for (Results.Model m : results.models()) {
      String[] cells = {
        m.model(),
        m.seed() == null ? "–" : m.seed().toString(),
        Numbers.score(m.auc()),
        Numbers.score(m.gauc()),
        Numbers.score(m.logLoss()),
        Numbers.score(m.normalizedEntropy()),
        Numbers.score(m.calibrationError())
      };
      if (m.model().equals(Variant.FULL.title())) {
        table.strongRow(cells);
      } else {
        table.row(cells);
      }
    }
    return table.build();
  }

  private Table differences() {
    Table.Builder table =
        Table.builder()
            .caption("Difference of AUC with 95 % bounds, users drawn with replacement")
            .text("model", "than")
            .figures("difference", "lower", "upper");
    for (Results.Difference d : results.differences()) {
      table.row(
          d.model(),
          d.than(),
          Numbers.signed(d.estimate()),
          Numbers.signed(d.lower()),
          Numbers.signed(d.upper()));
    }
    return table.build();
  }

  private Table trainings() {
    Table.Builder table =
        Table.builder()
            .text("model", "seed")
            .figures("epochs", "validation AUC", "seconds", "requests/s", "events/s");
    for (Results.Model m : results.models()) {
      Results.Training t = m.training();
      if (t != null) {
        table.row(
            m.model(),
            String.valueOf(m.seed()),
            Integer.toString(t.epochs()),
            Numbers.score(t.validationAuc()),
            Numbers.count(t.seconds()),
            Numbers.count(t.requestsPerSecond()),
            Numbers.count(t.eventsPerSecond()));
      }
    }
    return table.build();
  }

  private Figure loss() {
    Results.Training training = first(Variant.FULL).training();
    if (training == null) {
      throw new IllegalStateException("[report] the full model has no training");
    }
    return Charts.loss(
        List.of(
            new Series(
                "training",
                training.losses().stream()
                    .map(p -> new Series.Point(p.step(), p.loss()))
                    .toList())),
        List.of(
            new Series(
                "validation",
                training.validations().stream()
                    .map(v -> new Series.Point(v.step(), v.logLoss()))
                    .toList())),
        "Log loss of the model with the full history, seed %d."
            .formatted(first(Variant.FULL).seed()));
  }

  private Figure calibration() {
    List<Series> series = new ArrayList<>();
    for (String name :
        List.of(Variant.FULL.title(), Variant.NO_SEQUENCE.title(), Quickstart.POPULARITY)) {
      series.add(
          new Series(
              name,
              first(name).calibration().stream()
                  .map(b -> new Series.Point(b.meanScore(), b.positiveRate()))
                  .toList()));
    }
    return Charts.calibration(series, "Test candidates of the first seed " + Wording.CALIBRATION);
  }

  private Figure byHistoryLength() {
    List<String> classes = new ArrayList<>();
    for (Results.ByHistory one : results.aucByHistoryLength()) {
      classes.add(one.events());
    }
    List<Series> series = new ArrayList<>();
    for (Variant variant : Variant.values()) {
      List<Series.Point> points = new ArrayList<>();
      for (int i = 0; i < classes.size(); i++) {
        Double auc = results.aucByHistoryLength().get(i).auc().get(variant.title());
        if (auc != null) {
          points.add(new Series.Point(i, auc));
        }
      }
      series.add(new Series(variant.title(), points));
    }
    return Charts.byHistoryLength(
        classes,
        series,
        "AUC",
        "Test AUC by the number of ratings before the request, mean over seeds.");
  }

  private Table items() {
    Table.Builder table =
        Table.builder().figures("#").text("movie").figures("score").text("most attention on");
    int rank = 1;
    for (Recommendation.Item item : results.recommendation().items()) {
      table.row(
          Integer.toString(rank++),
          item.title(),
          Numbers.percent(item.score()),
          item.because().get(0).title());
    }
    return table.build();
  }

  private Figure attention() {
    return Charts.attention(
        results.recommendation().attention(),
        results.recommendation().strongest().stream().map(Recommendation.Past::event).toList(),
        "Share of attention on each rating, mean over the ten movies above. The numbers are the"
            + " rows below.");
  }

  private Table strongest() {
    Table.Builder table =
        Table.builder().figures("#").text("past movie").figures("stars", "rated on", "attention");
    int rank = 1;
    for (Recommendation.Past past : results.recommendation().strongest()) {
      table.row(
          Integer.toString(rank++),
          past.title(),
          Double.toString(past.stars()),
          past.date(),
          Numbers.percent(past.attention()));
    }
    return table.build();
  }

  private Figure latency() {
    Map<String, Double> bars = new LinkedHashMap<>();
    bars.put("without user cache", results.latency().uncachedMillis());
    bars.put("with user cache", results.latency().cachedMillis());
    return Charts.bars(bars, "ms", "Median time of a request; less is better.");
  }

  private Results.Model first(Variant variant) {
    return first(variant.title());
  }

  private Results.Model first(String name) {
    return results.models().stream().filter(m -> m.model().equals(name)).findFirst().orElseThrow();
  }
}
