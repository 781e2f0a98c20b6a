package ai.longer.benchmarks;

import ai.longer.Device;
import ai.longer.LongerConfig;
import ai.longer.LongerModel;
import ai.longer.data.Request;
import ai.longer.report.Charts;
import ai.longer.report.Figure;
import ai.longer.report.Series;
import ai.longer.serving.Ranker;
import ai.longer.serving.RankingRequest;
import ai.longer.training.Trainer;
import ai.longer.training.TrainerOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * What a request costs by the length of its history, up to 10 000 events: ranking with the history
 * encoded, and its share of a training step. Writes JSON and a chart.
 *
 * <p>Arguments: folder for results, threads.
 */
final class HistoryLengths {
  private static final int[] LENGTHS = {500, 1000, 2000, 3000, 4000, 6000, 8000, 10_000};
  private static final int CANDIDATES = 8;
  private static final int REQUESTS_PER_STEP = 8;
  private static final double SAMPLE_SECONDS = 0.02;

  private static final double MAX_DISTANCE = 0.1;

  private HistoryLengths() {}

  /**
   * One history length.
   *
   * @param events in the history
   * @param rankMillis to encode the history and score 8 candidates
   * @param trainMillis of a training step, for each of its requests
   */
  record Row(int events, double rankMillis, double trainMillis) {}

  /**
   * The least-squares line through the costs.
   *
   * @param microsPerEvent its slope
   * @param rSquared share of the variance that it explains
   * @param worstDistance greatest distance of a cost from it, as a share of its value there
   */
  record Line(double microsPerEvent, double rSquared, double worstDistance) {
    static Line through(List<Row> rows, ToDoubleFunction<Row> cost) {
      double meanX = rows.stream().mapToDouble(Row::events).average().orElseThrow();
      double meanY = rows.stream().mapToDouble(cost).average().orElseThrow();
      double covariance = 0;
      double varianceX = 0;
      double varianceY = 0;
      for (Row row : rows) {
        double x = row.events() - meanX;
        double y = cost.applyAsDouble(row) - meanY;
        covariance += x * y;
        varianceX += x * x;
        varianceY += y * y;
      }
      double slope = covariance / varianceX;
      double worst = 0;
      for (Row row : rows) {
        double line = meanY + slope * (row.events() - meanX);
        worst = Math.max(worst, Math.abs(cost.applyAsDouble(row) / line - 1));
      }
      return new Line(1e3 * slope, covariance * covariance / (varianceX * varianceY), worst);
    }
  }

  public static void main(String[] arguments) throws IOException {
    Path folder = Path.of(arguments[0]);
    int threads = Integer.parseInt(arguments[1]);
    List<Row> rows = new ArrayList<>();
    for (int events : LENGTHS) {
      Row row = measure(events, threads);
      System.out.println(row);
      rows.add(row);
    }
    Line rank = Line.through(rows, Row::rankMillis);
    Line train = Line.through(rows, Row::trainMillis);
    List<Gate> gates =
        List.of(
            Gate.atMost(
                "history length: ranking, worst distance from a line",
                rank.worstDistance(),
                MAX_DISTANCE),
            Gate.atMost(
                "history length: training, worst distance from a line",
                train.worstDistance(),
                MAX_DISTANCE));
    Results.write(
        folder,
        "history-lengths",
        Map.of("threads", threads, "rows", rows, "rank", rank, "train", train, "gates", gates));
    Figure chart =
        Charts.lines(
            List.of(
                series("rank: encode and score", rows, Row::rankMillis),
                series("train: per request of a step", rows, Row::trainMillis)),
            "events in the history",
            "milliseconds per request",
            "Cost of a request by the length of its history, 8 candidates");
    Files.writeString(folder.resolve("history-lengths.svg"), chart.svg());
    System.exit(Gate.report(gates) ? 0 : 1);
  }

  private static Row measure(int events, int threads) {
    LongerConfig config = Workload.config(events);
    Workload workload = new Workload(config.schema(), 4);
    List<Request> batch = workload.requests(REQUESTS_PER_STEP, events, CANDIDATES);
    RankingRequest request = RankingRequest.of(batch.get(0));
    float[] scores = new float[CANDIDATES];
    double rank;
    try (LongerModel model = LongerModel.create(config, 1, Device.cpu(threads));
        Ranker ranker = model.ranker()) {
      rank = Timer.medianSeconds(SAMPLE_SECONDS, () -> ranker.rank(request, scores));
    }
    double step;
    try (Trainer trainer = Trainer.create(config, Device.cpu(threads), TrainerOptions.defaults())) {
      step = Timer.medianSeconds(SAMPLE_SECONDS, () -> trainer.step(batch));
    }
    return new Row(events, rank * 1e3, step * 1e3 / REQUESTS_PER_STEP);
  }

  private static Series series(String name, List<Row> rows, ToDoubleFunction<Row> cost) {
    return new Series(
        name,
        rows.stream().map(row -> new Series.Point(row.events(), cost.applyAsDouble(row))).toList());
  }
}
