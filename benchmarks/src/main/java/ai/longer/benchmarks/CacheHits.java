package ai.longer.benchmarks;

import ai.longer.Device;
import ai.longer.Flops;
import ai.longer.LongerConfig;
import ai.longer.LongerModel;
import ai.longer.data.Request;
import ai.longer.serving.Ranker;
import ai.longer.serving.RankerOptions;
import ai.longer.serving.RankingRequest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * A cached user against one whose history is encoded again, 8 candidates, beside what the
 * floating-point operations allow.
 *
 * <p>Arguments: folder for results, threads.
 */
final class CacheHits {
  private static final int CANDIDATES = 8;
  private static final double SAMPLE_SECONDS = 0.02;

  private CacheHits() {}

  /**
   * One history length.
   *
   * @param events in the history
   * @param encodeMicros to encode the history and score
   * @param hitMicros to score with cached keys and values
   * @param ratio of the two
   * @param flopRatio of their floating-point operations
   */
  record Row(int events, double encodeMicros, double hitMicros, double ratio, double flopRatio) {}

  public static void main(String[] arguments) throws IOException {
    int threads = Integer.parseInt(arguments[1]);
    List<Row> rows = new ArrayList<>();
    for (int events : new int[] {1000, 2000}) {
      rows.add(measure(events, threads));
    }
    List<Gate> gates = new ArrayList<>();
    for (Row row : rows) {
      String name = "cache hit at " + row.events() + " events: ";
      gates.add(Gate.atLeast(name + "times faster than encoding", row.ratio(), 7));
      gates.add(Gate.atLeast(name + "share of the FLOP ratio", row.ratio() / row.flopRatio(), 0.8));
    }
    Results.write(
        Path.of(arguments[0]),
        "cache-hits",
        Map.of("threads", threads, "rows", rows, "gates", gates));
    System.exit(Gate.report(gates) ? 0 : 1);
  }

  private static Row measure(int events, int threads) {
    LongerConfig config = Workload.config(events);
    Request request = new Workload(config.schema(), 3).requests(1, events, CANDIDATES).get(0);
    RankingRequest encoding = RankingRequest.of(request);
    RankingRequest cached = RankingRequest.of(request).cached(1, 1);
    float[] encoded = new float[CANDIDATES];
    float[] scores = new float[CANDIDATES];
    try (LongerModel model = LongerModel.create(config, 1, Device.cpu(threads));
        Ranker ranker = model.ranker(RankerOptions.builder().userCacheBytes(1 << 26).build())) {
      ranker.rank(encoding, encoded);
      ranker.rank(cached, scores);
      ranker.rank(cached, scores);
      if (!Arrays.equals(encoded, scores) || ranker.stats().cacheHits() == 0) {
        throw new IllegalStateException("a cache hit must give the scores of encoding the history");
      }
      double encode = Timer.medianSeconds(SAMPLE_SECONDS, () -> ranker.rank(encoding, encoded));
      double hit = Timer.medianSeconds(SAMPLE_SECONDS, () -> ranker.rank(cached, scores));
      Flops flops = Flops.forward(config, events, CANDIDATES);
      return new Row(
          events, encode * 1e6, hit * 1e6, encode / hit, flops.total() / flops.candidates());
    }
  }
}
