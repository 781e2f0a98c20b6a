package ai.longer.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.xml.sax.InputSource;

class ReportTest {
  private static final String HOSTILE = "<script>alert('x')</script> & \"Wall·E\" (2008)";

  @Test
  void aWholePageNeedsNothingFromOutside() throws Exception {
    Path file = Path.of("target", "sample-report.html"); // kept, to look at
    page().write(file);
    String html = Files.readString(file);
    assertTrue(html.startsWith("<!doctype html>"));
    assertEquals(5, count(html, "<svg "));
    assertFalse(html.contains("<script"), "a script");
    assertFalse(html.replaceAll("xmlns(:xlink)?=\"[^\"]*\"", "").contains("http"), "a link");
    assertFalse(html.replace("url(#", "").contains("url("), "something to load");
  }

  @Test
  void everyTextIsEscaped() {
    String html =
        new Report(HOSTILE, HOSTILE)
            .section(
                HOSTILE,
                HOSTILE,
                Table.builder().text(HOSTILE).caption(HOSTILE).row(HOSTILE).build(),
                new Tiles(List.of(new Tiles.Tile(HOSTILE, HOSTILE, HOSTILE))),
                Charts.bars(Map.of(HOSTILE, 1.0), HOSTILE, HOSTILE),
                Charts.byHistoryLength(
                    List.of(HOSTILE), List.of(line(HOSTILE, 1)), HOSTILE, HOSTILE))
            .toHtml();
    assertFalse(html.contains("<script"));
    assertFalse(html.contains("& \"Wall"));
    assertTrue(count(html, "&lt;script&gt;") >= 12);
  }

  @Test
  void chartsAreWellFormedXmlAndTheSameEachTime() throws Exception {
    for (int i = 0; i < 2; i++) {
      for (Figure figure : charts()) {
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new InputSource(new StringReader(figure.svg())));
      }
    }
    assertEquals(charts(), charts());
  }

  @Test
  void chartsFollowThePagesColours() {
    for (Figure figure : charts()) {
      assertTrue(figure.svg().contains("var(--muted, #6e7781)"), figure.caption());
      assertFalse(figure.svg().contains("rgb(110,119,129)"), figure.caption());
      assertFalse(figure.svg().contains("fill=\"rgb(255,255,255)\""), figure.caption());
    }
  }

  @Test
  void idsDifferBetweenCharts() {
    List<String> ids = new ArrayList<>();
    for (Figure figure : charts()) {
      Pattern.compile(" id=\"([^\"]+)\"")
          .matcher(figure.svg())
          .results()
          .forEach(m -> ids.add(m.group(1)));
    }
    assertTrue(ids.size() >= 5);
    assertEquals(ids.size(), ids.stream().distinct().count());
  }

  @Test
  void badInputIsNamed() {
    assertThrows(IllegalArgumentException.class, () -> new Series("empty", List.of()));
    Exception e =
        assertThrows(
            IllegalArgumentException.class,
            () -> new Series("loss", List.of(new Series.Point(3, Double.NaN))));
    assertEquals(
        "[report] series 'loss' has the point (3.0, NaN), which is not finite", e.getMessage());
    assertThrows(
        IllegalArgumentException.class, () -> Table.builder().text("a").figures("b").row("1"));
    assertThrows(IllegalArgumentException.class, () -> new Tiles(List.of()));
    assertThrows(
        IllegalArgumentException.class, () -> Charts.attention(new double[0], List.of(), ""));
  }

  private static int count(String text, String part) {
    return text.split(Pattern.quote(part), -1).length - 1;
  }

  private static Series line(String name, int points) {
    SplittableRandom random = new SplittableRandom(name.hashCode());
    List<Series.Point> all = new ArrayList<>();
    for (int i = 0; i < points; i++) {
      all.add(new Series.Point(i, 0.55 + 0.14 * Math.exp(-i / 20.0) + 0.01 * random.nextDouble()));
    }
    return new Series(name, all);
  }

  private static List<Figure> charts() {
    SplittableRandom random = new SplittableRandom(7);
    double[] attention = new double[240];
    for (int i = 0; i < attention.length; i++) {
      attention[i] = 0.001 + 0.012 * Math.pow(random.nextDouble(), 6) + 1e-5 * i;
    }
    attention[31] = .034;
    attention[180] = .027;
    Map<String, Double> latencies = new LinkedHashMap<>();
    latencies.put("without user cache", 8.31);
    latencies.put("with user cache", 1.07);
    List<Series.Point> calibrated = new ArrayList<>();
    List<Series.Point> overconfident = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      double p = 0.12 + 0.075 * i;
      calibrated.add(new Series.Point(p, p + 0.012 * Math.sin(3 * i)));
      overconfident.add(new Series.Point(p, 0.5 + 0.7 * (p - 0.5)));
    }
    return List.of(
        Charts.loss(
            List.of(line("training", 160)),
            List.of(
                new Series(
                    "validation",
                    List.of(
                        new Series.Point(40, .602),
                        new Series.Point(80, .575),
                        new Series.Point(120, .569),
                        new Series.Point(160, .571)))),
            "Loss while training."),
        Charts.calibration(
            List.of(new Series("LONGER", calibrated), new Series("popularity", overconfident)),
            "Ten buckets of equally many test rows."),
        Charts.byHistoryLength(
            List.of("0–49", "50–99", "100–199", "200–499", "500 or more"),
            List.of(line("full history", 5), line("newest 50", 5), line("no sequence", 5)),
            "AUC",
            "AUC by length of history."),
        Charts.attention(attention, List.of(31, 180, 200), "Attention over one history."),
        Charts.bars(latencies, "ms", "Median time to score 500 candidates."));
  }

  private static Report page() {
    List<Figure> charts = charts();
    return new Report(
            "LONGER on MovieLens",
            "610 users, 100 836 ratings. Trained on the first 80 % of each user's requests, tested"
                + " on the last 20 %.")
        .section(
            "",
            "",
            new Tiles(
                List.of(
                    new Tiles.Tile("0.795", "test AUC", "full history"),
                    new Tiles.Tile("+0.030", "over no sequence", "95 %: +0.021 to +0.038"),
                    new Tiles.Tile("7.8 ×", "faster with the user cache", "500 candidates"))))
        .section(
            "Quality on the test period",
            "Means over seeds.",
            Table.builder()
                .text("model", "seed")
                .figures("AUC", "GAUC", "log loss", "NE")
                .row("popularity", "–", "0.7313", "0.6402", "0.6101", "0.891")
                .strongRow("LONGER, full history", "1", "0.7951", "0.7012", "0.5420", "0.790")
                .row("LONGER, no sequence", "1", "0.7650", "0.6702", "0.5734", "0.834")
                .build())
        .section("Training", "", charts.get(0))
        .section("Calibration", "", charts.get(1))
        .section("Length of history", "", charts.get(2))
        .section(
            "What one user's history contributes",
            "",
            charts.get(3),
            Table.builder()
                .figures("#")
                .text("movie", "rated", "on")
                .figures("attention")
                .row("1", "Amélie (2001)", "★ 5.0", "2006-05-01", "3.4 %")
                .row("2", HOSTILE, "★ 4.0", "2006-05-02", "2.7 %")
                .build())
        .section("Latency", "", charts.get(4));
  }

  @Test
  void intervalsAreNamedPointsWithTheirBoundsBesideZero() {
    Map<String, Charts.Interval> intervals = new LinkedHashMap<>();
    intervals.put("first <a>", new Charts.Interval(0.01, 0.02, 0.03));
    intervals.put("second", new Charts.Interval(-0.01, 0.004, 0.02));
    String svg = Charts.intervals(intervals, "difference", "Differences").svg();
    assertTrue(svg.contains("first &lt;a&gt;"), svg);
    assertTrue(svg.indexOf("second") > 0, svg);
    List<Double> points = numbers(svg, "<circle [^>]*cx=\"([\\d.]+)\"");
    List<Double> lower = numbers(svg, "<line x1=\"([\\d.]+)\"[^>]*stroke=\"var\\(--blue");
    List<Double> zero = numbers(svg, "<line x1=\"([\\d.]+)\"[^>]*stroke-dasharray");
    assertEquals(2, points.size(), svg);
    assertEquals(1, zero.size(), svg);
    assertTrue(points.get(0) > points.get(1) && points.get(1) > zero.get(0), svg);
    assertTrue(lower.get(0) > zero.get(0) && lower.get(1) < zero.get(0), svg);
  }

  @Test
  void boundsOfSeriesStandBesideEachOther() {
    List<Series.Point> points =
        List.of(new Series.Point(0, 0.7, 0.6, 0.8), new Series.Point(1, 0.75));
    String one =
        Charts.byHistoryLength(
                List.of("0–49", "50 or more"), List.of(new Series("click", points)), "AUC", "One")
            .svg();
    List<Double> bound = numbers(one, "<line x1=\"([\\d.]+)\"[^>]*stroke=\"var\\(--blue");
    List<Double> marks = numbers(one, "<circle [^>]*cx=\"([\\d.]+)\"");
    assertEquals(1, bound.size(), one);
    assertEquals(marks.get(0), bound.get(0), 0.5, "bounds stand at their point");
    String two =
        Charts.byHistoryLength(
                List.of("0–49", "50 or more"),
                List.of(new Series("click", points), new Series("buy", points)),
                "AUC",
                "Two")
            .svg();
    List<Double> first = numbers(two, "<line x1=\"([\\d.]+)\"[^>]*stroke=\"var\\(--blue");
    List<Double> second = numbers(two, "<line x1=\"([\\d.]+)\"[^>]*stroke=\"var\\(--amber");
    assertTrue(first.get(0) + 5 < second.get(0), two);
    assertEquals(
        "[report] series 'x' has the point (1.0, 2.0 in NaN … 3.0), which is not finite",
        assertThrows(
                IllegalArgumentException.class,
                () -> new Series("x", List.of(new Series.Point(1, 2, Double.NaN, 3))))
            .getMessage());
  }

  private static List<Double> numbers(String text, String pattern) {
    return Pattern.compile(pattern)
        .matcher(text)
        .results()
        .map(match -> Double.valueOf(match.group(1)))
        .toList();
  }
}
