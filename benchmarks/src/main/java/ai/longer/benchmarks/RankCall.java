package ai.longer.benchmarks;

import ai.longer.Device;
import ai.longer.LongerConfig;
import ai.longer.LongerModel;
import ai.longer.data.Candidates;
import ai.longer.data.History;
import ai.longer.data.Request;
import ai.longer.serving.Ranker;
import ai.longer.serving.RankerOptions;
import ai.longer.serving.RankingRequest;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a ranking call costs: the way through Java and back with nothing to score, and with 8
 * candidates.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class RankCall {
  private static final int HISTORY = 1000;
  private static final int CANDIDATES = 8;
  private static final long USER = 7;

  private final LongerModel model;
  private final Ranker ranker;
  private final RankingRequest withoutCandidates;
  private final RankingRequest encoding;
  private final RankingRequest hit;
  private final float[] none;
  private final float[] scores;

  /** Makes a model with random weights and puts one user into its cache. */
  public RankCall() {
    LongerConfig config = Workload.config(HISTORY);
    model = LongerModel.create(config, 1, Device.cpu(1));
    ranker = model.ranker(RankerOptions.builder().userCacheBytes(1 << 26).build());
    Request request = new Workload(config.schema(), 2).requests(1, HISTORY, CANDIDATES).get(0);
    Request empty =
        Request.builder(History.empty(config.schema()), Candidates.empty(config.schema()))
            .user("user", request.userId(0))
            .build();
    withoutCandidates = RankingRequest.of(empty);
    encoding = RankingRequest.of(request);
    hit = RankingRequest.of(request).cached(USER, 1);
    none = new float[0];
    scores = new float[CANDIDATES];
    ranker.rank(hit, scores);
  }

  /** Frees the model. */
  @TearDown
  public void close() {
    ranker.close();
    model.close();
  }

  /** The whole way through Java and the border, with nothing to copy or to score. */
  @Benchmark
  public void zeroCandidates() {
    ranker.rank(withoutCandidates, none);
  }

  /** Scores 8 candidates of a cached user. */
  @Benchmark
  public float[] cacheHit() {
    ranker.rank(hit, scores);
    return scores;
  }

  /** Encodes 1 000 events and scores 8 candidates. */
  @Benchmark
  public float[] encodeAndScore() {
    ranker.rank(encoding, scores);
    return scores;
  }
}
