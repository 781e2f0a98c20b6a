package ai.longer.benchmarks;

import ai.longer.Device;
import ai.longer.LongerConfig;
import ai.longer.LongerModel;
import ai.longer.data.Candidates;
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
import org.openjdk.jmh.annotations.Setup;
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

  private LongerModel model;
  private Ranker ranker;
  private RankingRequest withoutCandidates;
  private RankingRequest encoding;
  private RankingRequest hit;
  private float[] none;
  private float[] scores;

  /** Makes a model with random weights and puts one user into its cache. */
  @Setup
  public void open() {
    LongerConfig config = Workload.config(HISTORY);
    model = LongerModel.create(config, 1, Device.cpu(1));
    ranker = model.ranker(RankerOptions.builder().userCacheBytes(1 << 26).build());
    Request request = new Workload(config.schema(), 2).requests(1, HISTORY, CANDIDATES).get(0);
    Request empty =
        Request.builder(request.history(), Candidates.empty(config.schema()))
            .user("user", request.userId(0))
            .referenceTime(request.referenceTime())
            .build();
    withoutCandidates = RankingRequest.of(empty).cached(USER, 1);
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

  /** The least that crosses the border: asks the native cache for a user who is not there. */
  @Benchmark
  public boolean border() {
    return ranker.evict(-1);
  }

  /** The whole Java path of a cached user with nothing to score. */
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
