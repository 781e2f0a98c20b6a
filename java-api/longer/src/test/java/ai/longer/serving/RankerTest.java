package ai.longer.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.longer.Device;
import ai.longer.LongerModel;
import ai.longer.data.Candidates;
import ai.longer.data.History;
import ai.longer.data.Request;
import ai.longer.support.NoLeaks;
import ai.longer.support.Samples;
import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(NoLeaks.class)
class RankerTest {
  private static final RankerOptions CACHED =
      RankerOptions.builder().userCacheBytes(1 << 20).build();

  private final LongerModel model = LongerModel.create(Samples.CONFIG, 3, Device.cpu(1));
  private final LongerModel plain = LongerModel.create(Samples.PLAIN_CONFIG, 3, Device.cpu(1));

  @AfterEach
  void closeModels() {
    model.close();
    plain.close();
  }

  @Test
  void allWaysGiveEqualBits() {
    Request request = Samples.request(20, 6, 1);
    try (Ranker ranker = model.ranker(CACHED)) {
      Scores scores = ranker.rank(RankingRequest.of(request));
      assertThat(scores.numTasks()).isEqualTo(2);
      assertThat(scores.numCandidates()).isEqualTo(6);
      assertThat(scores.toArray()).hasSize(12);
      for (float score : scores.toArray()) {
        assertThat(score).isBetween(0f, 1f);
      }
      assertThat(scores.get(1, 2)).isEqualTo(scores.toArray()[8]);
      for (int version : new int[] {0, 7}) {
        RankingRequest cached = RankingRequest.of(request).cached(5, version);
        assertThat(ranker.rank(cached).toArray()).isEqualTo(scores.toArray()); // miss
        assertThat(ranker.rank(cached).toArray()).isEqualTo(scores.toArray()); // hit
        assertThat(ranker.rankAsync(cached).join().toArray()).isEqualTo(scores.toArray());
      }
      RankerStats stats = ranker.stats();
      assertThat(stats.requests()).isEqualTo(7);
      assertThat(stats.candidates()).isEqualTo(42);
      assertThat(stats.cacheHits()).isEqualTo(4);
      assertThat(stats.cacheMisses()).isEqualTo(2);
      assertThat(stats.cacheBytes()).isPositive();
      for (int i = 0; i < 6; i++) {
        Request alone =
            Request.builder(request.history(), request.candidates().slice(i, i + 1))
                .user("country", request.userId(0))
                .context("hour", request.userId(1))
                .referenceTime(request.referenceTime())
                .build();
        assertThat(ranker.rank(RankingRequest.of(alone)).get(0)).isEqualTo(scores.get(i));
      }
    }
  }

  @Test
  void historiesAreAskedForOnlyWhenNothingIsCached() {
    History history = Samples.plainHistory(15, 1);
    Candidates candidates = Samples.plainCandidates(4, 2);
    AtomicInteger asked = new AtomicInteger();
    Supplier<History> supplier =
        () -> {
          asked.incrementAndGet();
          return history;
        };
    try (Ranker ranker = plain.ranker(CACHED)) {
      float[] expected =
          ranker
              .rank(
                  RankingRequest.of(
                      Request.builder(history, candidates).referenceTime(9000).build()))
              .toArray();
      for (int i = 0; i < 3; i++) {
        assertThat(ranker.rank(8, 1, 9000, candidates, supplier).toArray()).isEqualTo(expected);
      }
      assertThat(asked).hasValue(1);
      assertThat(ranker.rank(8, 2, 9000, candidates, supplier).toArray()).isEqualTo(expected);
      assertThat(asked).hasValue(2);
      assertThat(ranker.evict(8)).isTrue();
      assertThat(ranker.evict(8)).isFalse();
      assertThat(ranker.rank(8, 2, 9000, candidates, supplier).toArray()).isEqualTo(expected);
      assertThat(asked).hasValue(3);
    }
  }

  @Test
  void cachedUsersExpire() {
    RankerOptions options =
        RankerOptions.builder().userCacheBytes(1 << 20).timeToLive(Duration.ofMillis(1)).build();
    RankingRequest request = RankingRequest.of(Samples.request(20, 6, 1)).cached(5, 1);
    try (Ranker ranker = model.ranker(options)) {
      float[] scores = ranker.rank(request).toArray();
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
      while (ranker.stats().cacheExpired() == 0 && System.nanoTime() < deadline) {
        Thread.onSpinWait();
      }
      RankerStats stats = ranker.stats();
      assertThat(stats.cacheExpired()).isEqualTo(1);
      assertThat(stats.cacheEntries()).isZero();
      assertThat(stats.cacheBytes()).isZero();
      assertThat(stats.cacheEvictions()).isZero();
      assertThat(ranker.rank(request).toArray()).isEqualTo(scores);
    }
  }

  @Test
  void suppliersNeedAVersionAndAnEmptyHistory() {
    try (Ranker ranker = model.ranker(CACHED)) {
      RankingRequest full = RankingRequest.of(Samples.request(3, 1, 1));
      RankingRequest empty = RankingRequest.of(Samples.request(0, 1, 1));
      Supplier<History> never =
          () -> {
            throw new AssertionError("asked");
          };
      assertThatThrownBy(() -> ranker.rank(empty, never))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> ranker.rank(empty.cached(1, 0), never))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> ranker.rank(full.cached(1, 1), never))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("must be empty");
    }
  }

  @Test
  void explanationsShareOutTheHistory() {
    try (Ranker ranker = model.ranker()) {
      RankingRequest request = RankingRequest.of(Samples.request(40, 5, 1));
      Explanation explanation = ranker.explain(request, 2);
      float[] shares = explanation.attribution();
      assertThat(shares).hasSize(40);
      double sum = 0;
      for (int i = 0; i < 40; i++) {
        assertThat(shares[i]).isGreaterThanOrEqualTo(0);
        if (i < 40 - Samples.CONFIG.maxHistory()) {
          assertThat(shares[i]).isZero();
        }
        sum += shares[i];
      }
      assertThat(sum).isCloseTo(1, within(1e-5));
      int[] top = explanation.top(3);
      assertThat(top).hasSize(3);
      assertThat(shares[top[0]]).isGreaterThanOrEqualTo(shares[top[1]]);
      assertThatThrownBy(() -> ranker.explain(request, 5))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("5");
      assertThatThrownBy(() -> ranker.explain(request, -1))
          .isInstanceOf(IllegalArgumentException.class);
      assertThatThrownBy(() -> ranker.explain(request, 0, 2))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void representationsAreWhatTheHeadReads() {
    try (Ranker ranker = model.ranker()) {
      Representation vectors = ranker.represent(RankingRequest.of(Samples.request(9, 3, 1)));
      int width = Samples.CONFIG.modelWidth();
      assertThat(vectors.width()).isEqualTo(width);
      assertThat(vectors.globals()).hasSize(Samples.CONFIG.numGlobals() * width);
      assertThat(vectors.candidates()).hasSize(3 * width);
      assertThat(vectors.user()).isEqualTo(Arrays.copyOfRange(vectors.globals(), width, 2 * width));
      assertThat(vectors.candidate(1))
          .isEqualTo(Arrays.copyOfRange(vectors.candidates(), width, 2 * width));
    }
  }

  @Test
  void emptyHistoriesAndNoCandidatesAreFine() {
    try (Ranker ranker = model.ranker(CACHED)) {
      assertThat(ranker.rank(RankingRequest.of(Samples.request(0, 2, 1))).numCandidates())
          .isEqualTo(2);
      assertThat(ranker.rank(RankingRequest.of(Samples.request(9, 0, 1))).toArray()).isEmpty();
      assertThat(ranker.rank(RankingRequest.of(Samples.request(9, 0, 1)).cached(1, 1)).toArray())
          .isEmpty();
      assertThat(ranker.rankAsync(RankingRequest.of(Samples.request(0, 0, 1))).join().toArray())
          .isEmpty();
      assertThat(ranker.explain(RankingRequest.of(Samples.request(0, 1, 1)), 0).attribution())
          .isEmpty();
    }
  }

  @Test
  void badRequestsAreNamed() {
    try (Ranker ranker = model.ranker()) {
      RankingRequest other =
          RankingRequest.of(Samples.plainHistory(3, 1), Samples.plainCandidates(2, 1));
      assertThatThrownBy(() -> ranker.rank(other))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("another schema");
      assertThatThrownBy(() -> ranker.rankAsync(other))
          .isInstanceOf(IllegalArgumentException.class);
      RankingRequest request = RankingRequest.of(Samples.request(3, 2, 1));
      assertThatThrownBy(() -> ranker.rank(request, new float[3]))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("4 values; got 3");
      float[] roomy = {9, 9, 9, 9, 9};
      ranker.rank(request, roomy);
      assertThat(roomy[3]).isBetween(0f, 1f);
      assertThat(roomy[4]).isEqualTo(9);
    }
    assertThatThrownBy(() -> RankingRequest.of(Samples.history(1, 1), Samples.candidates(1, 1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("[country, hour]");
    assertThatThrownBy(() -> RankerOptions.builder().userCacheBytes(-1).build())
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> RankerOptions.builder().queueCapacity(0).build())
        .isInstanceOf(IllegalArgumentException.class);
    for (Duration age :
        new Duration[] {Duration.ofMillis(-1), Duration.ofNanos(1), Duration.ofDays(40_000)}) {
      assertThatThrownBy(() -> RankerOptions.builder().timeToLive(age).build())
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("got " + age);
    }
  }

  @Test
  void equalSchemasOfOtherObjectsAreFine() {
    try (Ranker ranker = model.ranker()) {
      ai.longer.Schema same = model.config().toBuilder().build().schema();
      assertThat(same).isNotSameAs(Samples.SCHEMA).isEqualTo(Samples.SCHEMA);
      Request request = Samples.request(3, 2, 1);
      Request rebuilt =
          Request.builder(
                  History.builder(same)
                      .longs("item", request.history().column("item").ids())
                      .longs("genre", request.history().column("genre").ids())
                      .times(request.history().times())
                      .build(),
                  Candidates.builder(same)
                      .longs("item", request.candidates().column("item").ids())
                      .longs("genre", request.candidates().column("genre").ids())
                      .build())
              .user("country", request.userId(0))
              .context("hour", request.userId(1))
              .referenceTime(request.referenceTime())
              .build();
      assertThat(ranker.rank(RankingRequest.of(rebuilt)).toArray())
          .isEqualTo(ranker.rank(RankingRequest.of(request)).toArray());
    }
  }

  @Test
  void rankingIntoAnArrayAllocatesNothing() {
    RankingRequest full = RankingRequest.of(Samples.request(20, 6, 1));
    RankingRequest none = RankingRequest.of(Samples.request(20, 0, 1));
    assertAllocatesNothing(model, full, full.cached(1, 1), none);
    RankingRequest kinds = RankingRequest.of(Samples.kindsRequest(20, 6, 1));
    try (LongerModel everyKind = LongerModel.create(Samples.KINDS_CONFIG, 1, Device.cpu(1))) {
      assertAllocatesNothing(everyKind, kinds, kinds.cached(1, 1));
    }
  }

  private static void assertAllocatesNothing(LongerModel model, RankingRequest... requests) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    float[] scores = new float[12];
    try (Ranker ranker = model.ranker(CACHED)) {
      for (RankingRequest request : requests) {
        for (int i = 0; i < 2000; i++) {
          ranker.rank(request, scores);
        }
        int calls = 2000;
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < calls; i++) {
          ranker.rank(request, scores);
        }
        long bytes = threads.getCurrentThreadAllocatedBytes() - before;
        // The JIT may trade places with this thread once; a call that allocates does so each time.
        assertThat(bytes).as(request.toString()).isLessThan(calls);
      }
    }
  }

  @Test
  void useAfterCloseIsAnIllegalState() {
    Ranker ranker = model.ranker();
    RankingRequest request = RankingRequest.of(Samples.request(3, 2, 1));
    ranker.close();
    ranker.close();
    assertThatThrownBy(() -> ranker.rank(request))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("[ranker] is closed");
    assertThatThrownBy(() -> ranker.rankAsync(request)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> ranker.explain(request, 0)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> ranker.represent(request)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(ranker::stats).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> ranker.evict(1)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void topIsStable() {
    Scores scores = new Scores(new float[] {0.2f, 0.9f, 0.2f, 0.5f}, 1, 4);
    assertThat(scores.top(3)).containsExactly(1, 3, 0);
    assertThat(scores.top(9)).containsExactly(1, 3, 0, 2);
    assertThatThrownBy(() -> scores.get(4)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> scores.get(1, 0)).isInstanceOf(IndexOutOfBoundsException.class);
  }
}
