package ai.longer.device;

import static org.assertj.core.api.Assertions.assertThat;

import ai.longer.Anchor;
import ai.longer.Device;
import ai.longer.Doctor;
import ai.longer.LongerConfig;
import ai.longer.LongerModel;
import ai.longer.TimeMode;
import ai.longer.data.History;
import ai.longer.data.Request;
import ai.longer.serving.Ranker;
import ai.longer.serving.RankerOptions;
import ai.longer.serving.RankingRequest;
import ai.longer.serving.Scores;
import ai.longer.support.NoLeaks;
import ai.longer.support.Samples;
import ai.longer.training.StepResult;
import ai.longer.training.Trainer;
import ai.longer.training.TrainerOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Trainer, ranker, appends and checkpoints on a GPU, beside the CPU. */
@OnCuda
@ExtendWith(NoLeaks.class)
class CudaDeviceTest {
  private static final long USER = 7;

  // fp32 on both sides, sums in other orders: 1e-5 for a forward pass; five optimizer steps feed
  // the difference back, with rates that move every weight.
  private static final Offset<Float> FORWARD = Offset.offset(1e-5f);
  private static final Offset<Float> TRAINED = Offset.offset(1e-3f);

  private static final TrainerOptions OPTIONS =
      TrainerOptions.builder().learningRate(0.01).tableLearningRate(0.05).build();
  private static final RankerOptions CACHED =
      RankerOptions.builder().userCacheBytes(1 << 22).build();

  @TempDir Path folder;

  private static List<Request> batch(int step) {
    return Samples.labelled(60).subList(10 * step, 10 * step + 10);
  }

  private static void assertNear(float[] actual, float[] expected, Offset<Float> offset) {
    assertThat(actual).hasSameSizeAs(expected);
    for (int i = 0; i < actual.length; i++) {
      assertThat(actual[i]).as("score %d", i).isCloseTo(expected[i], offset);
    }
  }

  @Test
  void theGpuIsTheBestDevice() {
    assertThat(Doctor.report())
        .contains("best device: cuda")
        .containsPattern("cuda: device 0 is .*compute capability")
        .containsPattern("native library: .*linux-x86_64-cuda13");
  }

  @Test
  void trainingFollowsTheCpuAndRepeatsItsBits() {
    float[][] scores = new float[3][];
    Device[] devices = {Device.cuda(), Device.cuda(), Device.cpu(2)};
    for (int d = 0; d < devices.length; d++) {
      try (Trainer trainer = Trainer.create(Samples.CONFIG, devices[d], OPTIONS)) {
        for (int i = 0; i < 5; i++) {
          StepResult result = trainer.step(batch(i));
          assertThat(result.skipped()).isFalse();
          assertThat(result.loss()).isFinite();
        }
        scores[d] = trainer.predict(Samples.labelled(9));
      }
    }
    assertThat(scores[1]).isEqualTo(scores[0]);
    assertNear(scores[0], scores[2], TRAINED);
  }

  @Test
  void fittingLearns() {
    TrainerOptions options = OPTIONS.toBuilder().epochs(8).batchSize(16).build();
    try (Trainer trainer = Trainer.create(Samples.CONFIG, Device.cuda(), options)) {
      var result = trainer.fit(Samples.source(64));
      assertThat(result.epochs().get(7).loss()).isLessThan(0.9 * result.epochs().get(0).loss());
    }
  }

  @Test
  void checkpointsCrossBetweenDevices() {
    for (Device[] way :
        new Device[][] {{Device.cuda(), Device.cpu(2)}, {Device.cpu(2), Device.cuda()}}) {
      Path checkpoint = folder.resolve(way[0].kind().name());
      float[] straight;
      try (Trainer trainer = Trainer.create(Samples.CONFIG, way[0], OPTIONS)) {
        for (int i = 0; i < 5; i++) {
          trainer.step(batch(i));
          if (i == 2) {
            trainer.save(checkpoint);
          }
        }
        straight = trainer.predict(Samples.labelled(9));
      }
      try (Trainer resumed = Trainer.load(checkpoint, way[1], OPTIONS)) {
        for (int i = 3; i < 5; i++) {
          assertThat(resumed.step(batch(i)).step()).isEqualTo(i + 1);
        }
        assertNear(resumed.predict(Samples.labelled(9)), straight, TRAINED);
      }
      try (Trainer same = Trainer.load(checkpoint, way[0], OPTIONS)) {
        for (int i = 3; i < 5; i++) {
          same.step(batch(i));
        }
        assertThat(same.predict(Samples.labelled(9))).isEqualTo(straight);
      }
    }
  }

  @Test
  void rankingFollowsTheCpuByEveryWay() {
    try (LongerModel model = LongerModel.create(Samples.CONFIG, 3, Device.cuda())) {
      Path saved = folder.resolve("model");
      model.save(saved);
      Request request = Samples.request(20, 6, 1);
      try (Ranker ranker = model.ranker(CACHED);
          LongerModel onCpu = LongerModel.load(saved, Device.cpu(1));
          Ranker cpu = onCpu.ranker()) {
        float[] scores = ranker.rank(RankingRequest.of(request)).toArray();
        assertNear(scores, cpu.rank(RankingRequest.of(request)).toArray(), FORWARD);
        RankingRequest cached = RankingRequest.of(request).cached(USER, 1);
        assertThat(ranker.rank(cached).toArray()).as("miss").isEqualTo(scores);
        assertThat(ranker.rank(cached).toArray()).as("hit").isEqualTo(scores);
        assertThat(ranker.stats().cacheHits()).isEqualTo(1);
        List<CompletableFuture<float[]>> futures =
            IntStream.range(0, 16)
                .mapToObj(i -> ranker.rankAsync(cached).thenApply(Scores::toArray))
                .toList();
        futures.forEach(future -> assertThat(future.join()).isEqualTo(scores));
      }
    }
  }

  @Test
  void appendsEqualRebuilds() {
    LongerConfig config =
        Samples.CONFIG.toBuilder().anchor(Anchor.OLDEST).time(TimeMode.EVENT_RELATIVE).build();
    Request whole = Samples.request(30, 5, 1);
    try (LongerModel model = LongerModel.create(config, 3, Device.cuda());
        Ranker ranker = model.ranker(CACHED)) {
      Request start = whole.withHistory(whole.history().slice(0, 10));
      ranker.rank(RankingRequest.of(start).cached(USER, 10));
      int appended = 0;
      for (int events = 10; events < 30; events += 2) {
        History added = whole.history().slice(events, events + 2);
        Request now = whole.withHistory(whole.history().slice(0, events + 2));
        float[] full = ranker.rank(RankingRequest.of(now)).toArray();
        if (ranker.append(USER, added, events, events + 2)) {
          appended++;
        }
        assertThat(ranker.rank(RankingRequest.of(now).cached(USER, events + 2)).toArray())
            .isEqualTo(full);
      }
      assertThat(appended).isPositive();
    }
  }
}
