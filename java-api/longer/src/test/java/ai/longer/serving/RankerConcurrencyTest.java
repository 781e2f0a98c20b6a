package ai.longer.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.longer.Device;
import ai.longer.LongerModel;
import ai.longer.OverloadedException;
import ai.longer.support.NoLeaks;
import ai.longer.support.Samples;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(NoLeaks.class)
@Timeout(120)
class RankerConcurrencyTest {
  private static final int USERS = 32;

  private static LongerModel model() {
    return LongerModel.create(Samples.CONFIG, 3, Device.cpu(1));
  }

  private static List<RankingRequest> requests() {
    List<RankingRequest> requests = new ArrayList<>();
    for (int user = 0; user < USERS; user++) {
      requests.add(
          RankingRequest.of(Samples.request(user, 1 + user % 7, user)).cached(user, user + 1));
    }
    return requests;
  }

  private static List<float[]> expected(Ranker ranker, List<RankingRequest> requests) {
    return requests.stream()
        .map(request -> ranker.rank(RankingRequest.of(request.request())).toArray())
        .toList();
  }

  @Test
  void manyThreadsGetTheScoresOfOne() throws Exception {
    List<RankingRequest> requests = requests();
    ExecutorService threads = Executors.newFixedThreadPool(16);
    // A cache for a few users only, so that users are evicted all the time.
    RankerOptions options = RankerOptions.builder().userCacheBytes(20_000).build();
    try (LongerModel model = model();
        Ranker ranker = model.ranker(options)) {
      List<float[]> expected = expected(ranker, requests);
      List<Callable<Void>> tasks = new ArrayList<>();
      for (int thread = 0; thread < 16; thread++) {
        int start = thread;
        tasks.add(
            () -> {
              float[] scores = new float[64];
              for (int i = 0; i < 200; i++) {
                int user = (start * 5 + i) % USERS;
                RankingRequest request = requests.get(user);
                float[] want = expected.get(user);
                if (i % 3 == 0) {
                  assertThat(ranker.rankAsync(request).get().toArray()).isEqualTo(want);
                } else {
                  ranker.rank(request, scores);
                  assertThat(java.util.Arrays.copyOf(scores, want.length)).isEqualTo(want);
                }
                if (i % 17 == 0) {
                  ranker.evict(user);
                }
              }
              return null;
            });
      }
      for (Future<Void> done : threads.invokeAll(tasks)) {
        done.get();
      }
      assertThat(ranker.stats().requests()).isEqualTo(16 * 200 + USERS);
      assertThat(ranker.stats().cacheEvictions()).isPositive();
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void closeRacingCallsEndsInScoresOrAnIllegalState() throws Exception {
    List<RankingRequest> requests = requests();
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try (LongerModel model = model()) {
      for (int round = 0; round < 50; round++) {
        Ranker ranker = model.ranker();
        CountDownLatch started = new CountDownLatch(4);
        List<Future<?>> users = new ArrayList<>();
        for (int thread = 0; thread < 4; thread++) {
          int offset = thread;
          users.add(
              threads.submit(
                  () -> {
                    started.countDown();
                    for (int i = offset; ; i++) {
                      RankingRequest request = requests.get(i % USERS);
                      try {
                        if (offset % 2 == 0) {
                          ranker.rank(request);
                        } else {
                          ranker.rankAsync(request).join();
                        }
                      } catch (IllegalStateException e) {
                        assertThat(e).hasMessage("[ranker] is closed");
                        return;
                      }
                    }
                  }));
        }
        started.await();
        ranker.close();
        for (Future<?> user : users) {
          user.get();
        }
      }
    } finally {
      threads.shutdownNow();
    }
  }

  @Test
  void closeWaitsForFutures() {
    List<CompletableFuture<Scores>> futures = new ArrayList<>();
    try (LongerModel model = model();
        Ranker ranker = model.ranker()) {
      for (RankingRequest request : requests()) {
        futures.add(ranker.rankAsync(request));
      }
    }
    assertThat(futures).allMatch(CompletableFuture::isDone);
    assertThat(futures).noneMatch(CompletableFuture::isCompletedExceptionally);
  }

  @Test
  void fullQueuesRefuseAtOnce() {
    RankerOptions options = RankerOptions.builder().queueCapacity(1).build();
    RankingRequest slow = RankingRequest.of(Samples.request(24, 2000, 1));
    List<CompletableFuture<Scores>> accepted = new ArrayList<>();
    try (LongerModel model = model();
        Ranker ranker = model.ranker(options)) {
      assertThatThrownBy(
              () -> {
                for (int i = 0; i < 1000; i++) {
                  accepted.add(ranker.rankAsync(slow));
                }
              })
          .isInstanceOf(OverloadedException.class)
          .hasMessageContaining("1");
      float[] expected = ranker.rank(slow).toArray();
      assertThat(accepted).isNotEmpty();
      for (CompletableFuture<Scores> future : accepted) {
        assertThat(future.join().toArray()).isEqualTo(expected);
      }
    }
  }

  @Test
  void cancelledRequestsAreTakenBack() {
    RankingRequest slow = RankingRequest.of(Samples.request(24, 2000, 1));
    try (LongerModel model = model();
        Ranker ranker = model.ranker()) {
      List<CompletableFuture<Scores>> futures = new ArrayList<>();
      for (int i = 0; i < 60; i++) {
        futures.add(ranker.rankAsync(slow));
      }
      for (int i = 0; i < 60; i += 2) {
        futures.get(i).cancel(true);
      }
      float[] expected = ranker.rank(slow).toArray();
      for (int i = 0; i < 60; i++) {
        CompletableFuture<Scores> future = futures.get(i);
        if (i % 2 == 1) {
          assertThat(future.join().toArray()).isEqualTo(expected);
        } else if (future.isCancelled()) {
          assertThatThrownBy(future::join).isInstanceOf(CancellationException.class);
        }
      }
      // 30 were wanted and one ranked here; of the other 30 some never ran.
      assertThat(ranker.stats().requests()).isBetween(31L, 60L);
    }
  }

  @Test
  void futuresMayCloseTheRanker() throws Exception {
    try (LongerModel model = model()) {
      Ranker ranker = model.ranker();
      CountDownLatch closed = new CountDownLatch(1);
      CompletableFuture<Void> closing =
          ranker
              .rankAsync(RankingRequest.of(Samples.request(9, 3, 1)))
              .thenAccept(
                  scores -> {
                    ranker.close();
                    closed.countDown();
                  });
      closing.get(30, TimeUnit.SECONDS);
      assertThat(closed.getCount()).isZero();
      assertThatThrownBy(ranker::stats).isInstanceOf(IllegalStateException.class);
      while (ai.longer.internal.NativeHandle.liveHandles() > 1) {
        Thread.onSpinWait(); // Freed by a thread of its own.
      }
    }
  }

  @Test
  void futuresMayRankAgain() {
    RankingRequest request = RankingRequest.of(Samples.request(9, 3, 1));
    try (LongerModel model = model();
        Ranker ranker = model.ranker()) {
      CompletableFuture<Scores> second =
          ranker.rankAsync(request).thenCompose(scores -> ranker.rankAsync(request));
      assertThat(second.join().toArray()).isEqualTo(ranker.rank(request).toArray());
    }
  }

  @Test
  void virtualThreadsGetTheSameScores() throws Exception {
    Method start;
    try {
      start = Thread.class.getMethod("startVirtualThread", Runnable.class);
    } catch (NoSuchMethodException e) {
      Assumptions.abort("virtual threads need JDK 21");
      return;
    }
    List<RankingRequest> requests = requests();
    RankerOptions options = RankerOptions.builder().userCacheBytes(1 << 20).build();
    try (LongerModel model = model();
        Ranker ranker = model.ranker(options)) {
      List<float[]> expected = expected(ranker, requests);
      AtomicReference<Throwable> failure = new AtomicReference<>();
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        int user = i % USERS;
        Runnable work =
            () -> {
              try {
                assertThat(ranker.rank(requests.get(user)).toArray()).isEqualTo(expected.get(user));
                float[] tooShort = new float[1];
                assertThatThrownBy(() -> ranker.rank(requests.get(user), tooShort))
                    .isInstanceOf(IllegalArgumentException.class);
              } catch (Throwable e) {
                failure.set(e);
              }
            };
        threads.add((Thread) start.invoke(null, work));
      }
      for (Thread thread : threads) {
        thread.join();
      }
      assertThat(failure).hasValue(null);
    }
  }
}
