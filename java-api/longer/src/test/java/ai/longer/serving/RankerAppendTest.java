package ai.longer.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.longer.Anchor;
import ai.longer.Device;
import ai.longer.LongerConfig;
import ai.longer.LongerModel;
import ai.longer.TimeMode;
import ai.longer.data.Candidates;
import ai.longer.data.History;
import ai.longer.data.Request;
import ai.longer.support.NoLeaks;
import ai.longer.support.Samples;
import ai.longer.training.Trainer;
import ai.longer.training.TrainerOptions;
import java.lang.reflect.Method;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(NoLeaks.class)
class RankerAppendTest {
  private static final long USER = 7;
  private static final RankerOptions CACHED =
      RankerOptions.builder().userCacheBytes(1 << 22).build();
  private static final LongerConfig CONFIG =
      Samples.CONFIG.toBuilder().anchor(Anchor.OLDEST).time(TimeMode.EVENT_RELATIVE).build();

  private final LongerModel model = LongerModel.create(CONFIG, 3, Device.cpu(1));
  private final Request whole = Samples.request(60, 5, 1);

  @AfterEach
  void closeModel() {
    model.close();
  }

  private static History never() {
    throw new AssertionError("asked");
  }

  /** The request of a user with the first {@code events} events. */
  private Request until(int events) {
    return whole.withHistory(whole.history().slice(0, events));
  }

  private static float[] full(Ranker ranker, Request request) {
    return ranker.rank(RankingRequest.of(request)).toArray();
  }

  /** Scores from the cache alone. */
  private float[] cached(Ranker ranker, long version) {
    Request empty = whole.withHistory(History.empty(Samples.SCHEMA));
    return ranker
        .rank(RankingRequest.of(empty).cached(USER, version), RankerAppendTest::never)
        .toArray();
  }

  @Test
  void appendsEqualRebuilds() {
    try (Ranker ranker = model.ranker(CACHED)) {
      ranker.rank(RankingRequest.of(until(0)).cached(USER, 1));
      int rebuilt = 0;
      for (int events = 0; events < 60; events += 3) {
        History added = whole.history().slice(events, events + 3);
        Request now = until(events + 3);
        if (!ranker.append(USER, added, events + 1, events + 4)) {
          rebuilt++;
          ranker.rank(RankingRequest.of(now).cached(USER, events + 4));
        }
        assertThat(cached(ranker, events + 4)).isEqualTo(full(ranker, now));
      }
      RankerStats stats = ranker.stats();
      assertThat(rebuilt).isBetween(1, 15);
      assertThat(stats.cacheRebuilt()).isEqualTo(rebuilt);
      assertThat(stats.cacheAppended()).isEqualTo(20 - rebuilt);
    }
  }

  @Test
  void theHashGoesOn() {
    try (Ranker ranker = model.ranker(CACHED)) {
      ranker.rank(RankingRequest.of(until(10)).cached(USER, 0));
      assertThat(ranker.append(USER, whole.history().slice(10, 12))).isTrue();
      assertThat(ranker.append(USER, whole.history().slice(12, 17))).isTrue();
      float[] scores = ranker.rank(RankingRequest.of(until(17)).cached(USER, 0)).toArray();
      assertThat(scores).isEqualTo(full(ranker, until(17)));
      assertThat(ranker.stats().cacheHits()).isEqualTo(1);
      assertThat(ranker.stats().cacheMisses()).isEqualTo(1);
    }
  }

  @Test
  void versionsAndOrdinalsDecide() {
    try (Ranker ranker = model.ranker(CACHED)) {
      History added = whole.history().slice(10, 12);
      assertThat(ranker.append(USER, added, 1, 2)).as("nothing is cached").isFalse();
      ranker.rank(RankingRequest.of(until(10)).cached(USER, 1));
      assertThat(ranker.append(USER, added, 5, 2)).as("another version").isFalse();
      assertThat(ranker.append(USER, whole.history().slice(11, 12), 1, 2)).as("a gap").isFalse();
      assertThat(ranker.append(USER, added, 1, 2)).isTrue();
      assertThat(ranker.append(USER, added, 1, 2)).as("the second of two").isFalse();
      assertThat(cached(ranker, 2)).isEqualTo(full(ranker, until(12)));
      assertThatThrownBy(() -> ranker.append(USER, Samples.history(2, 1), 2, 3))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("older than the newest event");
      assertThatThrownBy(() -> ranker.append(USER, Samples.plainHistory(2, 1), 2, 3))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("schema");
    }
  }

  @Test
  void theWholeHistoryIsAskedForWhenItIsNeeded() {
    try (Ranker ranker = model.ranker(CACHED)) {
      AtomicInteger asked = new AtomicInteger();
      Supplier<History> history =
          () -> {
            asked.incrementAndGet();
            return whole.history().slice(0, 12);
          };
      History added = whole.history().slice(10, 12);
      assertThat(ranker.append(USER, added, 1, 2, history)).isFalse();
      assertThat(asked).hasValue(1);
      assertThat(cached(ranker, 2)).isEqualTo(full(ranker, until(12)));
      History next = whole.history().slice(12, 13);
      assertThat(ranker.append(USER, next, 2, 3, RankerAppendTest::never)).isTrue();
      assertThat(cached(ranker, 3)).isEqualTo(full(ranker, until(13)));
    }
  }

  @Test
  void modelsOfAnotherKindEncodeAnew() {
    try (LongerModel newest = LongerModel.create(Samples.CONFIG, 3, Device.cpu(1));
        Ranker ranker = newest.ranker(CACHED)) {
      ranker.rank(RankingRequest.of(until(10)).cached(USER, 1));
      assertThat(ranker.append(USER, whole.history().slice(10, 12), 1, 2)).isFalse();
      assertThat(ranker.stats().cacheRebuilt()).isEqualTo(1);
    }
  }

  @Test
  void trainingPredictsWhatIsServed() {
    try (Trainer trainer = Trainer.create(CONFIG, Device.cpu(1), TrainerOptions.defaults());
        LongerModel trained = trainer.model();
        Ranker ranker = trained.ranker(CACHED)) {
      float[] predicted = trainer.predict(List.of(until(20)));
      ranker.rank(RankingRequest.of(until(9)).cached(USER, 1));
      assertThat(ranker.append(USER, whole.history().slice(9, 20), 1, 2)).isTrue();
      assertThat(cached(ranker, 2)).isEqualTo(predicted);
      assertThat(full(ranker, until(20))).isEqualTo(predicted);
      float[] shares =
          ranker.explain(RankingRequest.of(until(20)).cached(USER, 2), 1).attribution();
      assertThat(ranker.explain(RankingRequest.of(until(20)), 1).attribution()).isEqualTo(shares);
    }
  }

  @Test
  void virtualThreadsAppendToo() throws Exception {
    Method start;
    try {
      start = Thread.class.getMethod("startVirtualThread", Runnable.class);
    } catch (NoSuchMethodException e) {
      Assumptions.abort("virtual threads need JDK 21");
      return;
    }
    try (Ranker ranker = model.ranker(CACHED)) {
      ranker.rank(RankingRequest.of(until(10)).cached(USER, 1));
      AtomicReference<Throwable> failure = new AtomicReference<>();
      Runnable work =
          () -> {
            try {
              assertThat(ranker.append(USER, whole.history().slice(10, 12), 1, 2)).isTrue();
              assertThatThrownBy(() -> ranker.append(USER, Samples.history(2, 1), 2, 3))
                  .isInstanceOf(IllegalArgumentException.class);
            } catch (Throwable e) {
              failure.set(e);
            }
          };
      ((Thread) start.invoke(null, work)).join();
      assertThat(failure).hasValue(null);
      assertThat(cached(ranker, 2)).isEqualTo(full(ranker, until(12)));
    }
  }

  @Test
  void candidatesMayBeMany() {
    Candidates many = Samples.candidates(200, 4);
    try (Ranker ranker = model.ranker(CACHED)) {
      ranker.rank(RankingRequest.of(until(10)).cached(USER, 1));
      assertThat(ranker.append(USER, whole.history().slice(10, 12), 1, 2)).isTrue();
      Request request =
          Request.builder(until(12).history(), many)
              .user("country", 1)
              .context("hour", 2)
              .referenceTime(10_000)
              .build();
      assertThat(ranker.rank(RankingRequest.of(request).cached(USER, 2)).toArray())
          .isEqualTo(full(ranker, request));
      assertThat(ranker.stats().cacheHits()).isEqualTo(1);
    }
  }
}
