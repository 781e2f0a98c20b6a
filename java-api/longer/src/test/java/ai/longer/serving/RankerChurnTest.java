package ai.longer.serving;

import static org.assertj.core.api.Assertions.assertThat;

import ai.longer.Anchor;
import ai.longer.Device;
import ai.longer.LongerConfig;
import ai.longer.LongerModel;
import ai.longer.TimeMode;
import ai.longer.data.History;
import ai.longer.data.Request;
import ai.longer.internal.DoctorReport;
import ai.longer.support.NoLeaks;
import ai.longer.support.Records;
import ai.longer.support.Samples;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Rankers under everything at once: rank, append, evict, expiry, close. Runs for {@code
 * LONGER_CHURN_SECONDS}, or a few; {@link Records} keep what happened.
 */
@ExtendWith(NoLeaks.class)
class RankerChurnTest {
  private static final int THREADS = 16;
  private static final int USERS = 6;
  private static final int EVENTS = 30;
  private static final LongerConfig CONFIG =
      Samples.CONFIG.toBuilder()
          .anchor(Anchor.OLDEST)
          .time(TimeMode.EVENT_RELATIVE)
          .selfLayers(2)
          .build();

  /** A user's requests and scores after each number of events, whose version is one more. */
  private record User(long key, List<Request> states, List<float[]> scores) {
    History events(int from, int to) {
      return states.get(EVENTS).history().slice(from, to);
    }
  }

  private final AtomicLong calls = new AtomicLong();
  private final AtomicLong wrong = new AtomicLong();
  private final AtomicLong hits = new AtomicLong();
  private final AtomicLong appended = new AtomicLong();
  private final AtomicLong rebuilt = new AtomicLong();
  private final AtomicLong evicted = new AtomicLong();

  private static List<User> users(Ranker ranker) {
    List<User> users = new ArrayList<>();
    for (int user = 0; user < USERS; user++) {
      Request whole = Samples.request(EVENTS, 3, user);
      List<Request> states = new ArrayList<>();
      List<float[]> scores = new ArrayList<>();
      for (int events = 0; events <= EVENTS; events++) {
        Request state = whole.withHistory(whole.history().slice(0, events));
        states.add(state);
        scores.add(ranker.rank(RankingRequest.of(state)).toArray());
      }
      users.add(new User(user, states, scores));
    }
    return users;
  }

  private void check(float[] scores, User user, int events) {
    if (!Arrays.equals(scores, user.scores().get(events))) {
      wrong.incrementAndGet();
    }
  }

  private void rank(Ranker ranker, User user, int events, float[] scores) {
    ranker.rank(
        RankingRequest.of(user.states().get(events)).cached(user.key(), events + 1), scores);
    check(scores, user, events);
  }

  /** One call of some kind; versions name states, so a score is right or wrong for itself. */
  private void call(Ranker ranker, User user, Random random, float[] scores) {
    int events = random.nextInt(EVENTS + 1);
    int kind = random.nextInt(20);
    Request state = user.states().get(events);
    if (kind < 7) {
      rank(ranker, user, events, scores);
    } else if (kind < 10) {
      boolean[] asked = new boolean[1];
      Supplier<History> history =
          () -> {
            asked[0] = true;
            return state.history();
          };
      Request empty = state.withHistory(History.empty(Samples.SCHEMA));
      check(
          ranker.rank(RankingRequest.of(empty).cached(user.key(), events + 1), history).toArray(),
          user,
          events);
      if (!asked[0]) {
        hits.incrementAndGet();
      }
    } else if (kind < 17) {
      rank(ranker, user, events, scores);
      int next = Math.min(EVENTS, events + random.nextInt(5));
      Supplier<History> history = () -> user.states().get(next).history();
      if (ranker.append(user.key(), user.events(events, next), events + 1, next + 1, history)) {
        appended.incrementAndGet();
      } else {
        rebuilt.incrementAndGet();
      }
      rank(ranker, user, next, scores);
    } else if (kind == 17) {
      check(
          ranker
              .rankAsync(RankingRequest.of(state).cached(user.key(), events + 1))
              .join()
              .toArray(),
          user,
          events);
    } else if (kind == 18) {
      if (ranker.evict(user.key())) {
        evicted.incrementAndGet();
      }
    } else {
      assertThat(ranker.stats().cacheBytes()).isNotNegative();
    }
  }

  private void churn(Ranker ranker, List<User> users, long seed) {
    Random random = new Random(seed);
    float[] scores = new float[6];
    while (true) {
      try {
        call(ranker, users.get(random.nextInt(USERS)), random, scores);
        calls.incrementAndGet();
      } catch (IllegalStateException e) {
        assertThat(e).hasMessage("[ranker] is closed");
        return;
      }
    }
  }

  @Test
  void scoresAreLegalAndMemoryComesBack() throws Exception {
    String seconds = System.getenv("LONGER_CHURN_SECONDS");
    long start = System.nanoTime();
    long end = start + TimeUnit.SECONDS.toNanos(seconds == null ? 3 : Long.parseLong(seconds));
    ExecutorService threads = Executors.newFixedThreadPool(THREADS);
    long rankers = 0;
    long expired = 0;
    long evictions = 0;
    try (LongerModel model = LongerModel.create(CONFIG, 3, Device.cpu(1))) {
      List<User> users;
      long cacheBytes;
      try (Ranker alone = model.ranker(RankerOptions.builder().userCacheBytes(1 << 22).build())) {
        users = users(alone);
        for (User user : users) {
          rank(alone, user, EVENTS, new float[6]);
        }
        cacheBytes = alone.stats().cacheBytes() * 2 / 3; // Too little for all.
      }
      long level = DoctorReport.nativeBytes();
      RankerOptions options =
          RankerOptions.builder()
              .userCacheBytes(cacheBytes)
              .timeToLive(Duration.ofMillis(2))
              .build();
      for (; System.nanoTime() < end; rankers++) {
        Ranker ranker = model.ranker(options);
        List<Future<?>> work = new ArrayList<>();
        for (int thread = 0; thread < THREADS; thread++) {
          long seed = rankers * THREADS + thread;
          work.add(threads.submit(() -> churn(ranker, users, seed)));
        }
        Thread.sleep(400);
        RankerStats stats = ranker.stats();
        assertThat(stats.cacheBytes()).isBetween(0L, cacheBytes);
        expired += stats.cacheExpired();
        evictions += stats.cacheEvictions();
        ranker.close(); // While calls are in flight.
        for (Future<?> done : work) {
          done.get();
        }
        assertThat(DoctorReport.nativeBytes()).as("native bytes after closing").isEqualTo(level);
      }
    } finally {
      threads.shutdownNow();
    }
    assertThat(wrong).hasValue(0);
    for (AtomicLong count : List.of(hits, appended, rebuilt, evicted)) {
      assertThat(count.get()).isPositive();
    }
    assertThat(expired).isPositive();
    assertThat(evictions).isPositive();
    Records.write(
        "churn-java.json",
        """
        {
          "what": "rankers under rank, append, evict, expiry and close at once, in the JVM",
          "threads": %d,
          "seconds": %.1f,
          "rankers_closed_under_calls": %d,
          "calls": %d,
          "hits": %d,
          "appends": %d,
          "rebuilds": %d,
          "evictions": %d,
          "expired": %d,
          "wrong_scores": %d,
          "native_bytes_left_after_a_close": 0
        }
        """
            .formatted(
                THREADS,
                (System.nanoTime() - start) / 1e9,
                rankers,
                calls.get(),
                hits.get(),
                appended.get(),
                rebuilt.get(),
                evictions,
                expired,
                wrong.get()));
  }
}
