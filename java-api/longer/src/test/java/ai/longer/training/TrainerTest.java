package ai.longer.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import ai.longer.Device;
import ai.longer.LongerModel;
import ai.longer.data.Request;
import ai.longer.data.RequestBuilder;
import ai.longer.data.RequestSource;
import ai.longer.evaluation.Evaluation;
import ai.longer.serving.Ranker;
import ai.longer.serving.RankingRequest;
import ai.longer.support.NoLeaks;
import ai.longer.support.Samples;
import ai.longer.training.TrainingResult.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(NoLeaks.class)
@Timeout(120)
class TrainerTest {
  private static final TrainerOptions OPTIONS =
      TrainerOptions.builder().batchSize(8).epochs(3).seed(5).learningRate(3e-3).build();

  @TempDir Path folder;

  private static Trainer trainer(TrainerOptions options) {
    return Trainer.create(Samples.CONFIG, Device.cpu(1), options);
  }

  @Test
  void fitLearnsAndTellsListeners() {
    RequestBuilder requests = Samples.plainLog(40, 40).testShare(0.25).build();
    Recorder recorder = new Recorder();
    TrainerOptions options = OPTIONS.toBuilder().epochs(8).build();
    try (Trainer trainer = Trainer.create(Samples.PLAIN_CONFIG, Device.cpu(), options)) {
      TrainingResult result = trainer.fit(requests.training(), requests.test(), recorder);
      assertThat(result.outcome()).isEqualTo(Outcome.COMPLETED);
      assertThat(result.epochs()).hasSize(8).isEqualTo(recorder.epochs);
      assertThat(result.validations()).hasSize(8).isEqualTo(recorder.validations);
      assertThat(recorder.result).isEqualTo(result);
      assertThat(recorder.plan).isNotNull();
      assertThat(recorder.steps.get(recorder.steps.size() - 1).step()).isEqualTo(result.step());
      double first = result.epochs().get(0).loss();
      double last = result.epochs().get(7).loss();
      assertThat(last).isLessThan(0.9 * first);
      assertThat(result.bestValidation().orElseThrow().auc()).isGreaterThan(0.7);
      assertThat(result.epochs().get(0).numCandidates()).isEqualTo(40 * 30);
    }
  }

  @Test
  void equalSeedsGiveEqualBitsForAnyNumberOfThreads() {
    List<float[]> trained = new ArrayList<>();
    for (int threads : new int[] {1, 2, 7}) {
      try (Trainer trainer = Trainer.create(Samples.CONFIG, Device.cpu(threads), OPTIONS)) {
        trainer.fit(Samples.source(50));
        trained.add(trainer.predict(Samples.labelled(9)));
      }
    }
    assertThat(trained.get(1)).isEqualTo(trained.get(0));
    assertThat(trained.get(2)).isEqualTo(trained.get(0));
    try (Trainer trainer = trainer(OPTIONS.toBuilder().seed(6).build())) {
      trainer.fit(Samples.source(50));
      assertThat(trainer.predict(Samples.labelled(9))).isNotEqualTo(trained.get(0));
    }
  }

  @Test
  void predictionsAreTheRankersScores() {
    List<Request> requests = Samples.labelled(6);
    try (Trainer trainer = trainer(OPTIONS)) {
      trainer.fit(Samples.source(30));
      float[] predicted = trainer.predict(requests);
      try (LongerModel model = trainer.model();
          Ranker ranker = model.ranker()) {
        int at = 0;
        for (Request request : requests) {
          float[] scores = ranker.rank(RankingRequest.of(request)).toArray();
          for (int i = 0; i < request.candidates().size(); i++) {
            assertThat(predicted[at]).isEqualTo(scores[i]);
            at++;
          }
        }
        assertThat(predicted).hasSize(2 * at);
      }
    }
  }

  @Test
  void gradientsAreThoseOfTheNextStep() {
    List<Request> requests = Samples.labelled(7);
    try (Trainer trainer = trainer(OPTIONS);
        LongerModel before = trainer.model()) {
      Gradients gradients = trainer.gradients(requests);
      assertThat(gradients.parameters().keySet())
          .containsExactlyInAnyOrderElementsOf(before.parameterNames());
      assertThat(gradients.tables()).containsOnlyKeys("item");
      double norm =
          Stream.concat(
                  gradients.parameters().values().stream(),
                  gradients.tables().values().stream().map(TableGradient::rows))
              .mapToDouble(TrainerTest::squares)
              .sum();
      StepResult step = trainer.step(requests);
      assertThat(step.loss()).isCloseTo(gradients.loss(), within(1e-12));
      assertThat(Math.sqrt(norm))
          .isCloseTo(step.gradientNorm(), within(1e-4 * step.gradientNorm()));
      assertThat(step.step()).isEqualTo(1);
      assertThat(step.skipped()).isFalse();
      assertThat(step.numRequests()).isEqualTo(7);
      assertThat(trainer.step(Samples.labelled(30)).newTableRows()).isPositive();
    }
  }

  private static double squares(float[] values) {
    double sum = 0;
    for (float value : values) {
      sum += (double) value * value;
    }
    return sum;
  }

  @Test
  void earlyStoppingKeepsTheBestWeights() {
    // Labels that nothing explains: validation gets worse while training fits noise.
    RequestSource noise = Samples.source(40);
    RequestSource other = RequestSource.of(Samples.labelled(80).subList(40, 80));
    TrainerOptions options =
        OPTIONS.toBuilder()
            .epochs(200)
            .learningRate(2e-2)
            .earlyStopping(TrainerOptions.Metric.LOG_LOSS, 2)
            .build();
    try (Trainer trainer = trainer(options)) {
      assertThatThrownBy(trainer::bestModel).isInstanceOf(IllegalStateException.class);
      TrainingResult result = trainer.fit(noise, other);
      assertThat(result.outcome()).isEqualTo(Outcome.STOPPED_EARLY);
      int passes = result.validations().size();
      ValidationResult best = result.bestValidation().orElseThrow();
      assertThat(best).isEqualTo(result.validations().get(passes - 3));
      assertThat(result.validations())
          .allMatch(validation -> validation.logLoss() >= best.logLoss());
      List<Request> requests = Samples.labelled(80).subList(40, 80);
      try (Trainer again = Trainer.create(trainer.bestModel(), Device.cpu(1), options)) {
        double logLoss = Evaluation.predict(again, RequestSource.of(requests)).logLoss();
        assertThat(logLoss).isCloseTo(best.logLoss(), within(1e-9));
      }
    }
  }

  @Test
  void interruptsEndTheRunAfterTheStep() {
    try (Trainer trainer = trainer(OPTIONS)) {
      TrainingResult result =
          trainer.fit(
              Samples.source(200),
              new TrainingListener() {
                @Override
                public void onStep(StepResult step) {
                  if (step.step() == 5) {
                    Thread.currentThread().interrupt();
                  }
                }
              });
      assertThat(Thread.interrupted()).isTrue();
      assertThat(result.outcome()).isEqualTo(Outcome.INTERRUPTED);
      assertThat(result.step()).isEqualTo(5);
      assertThat(trainer.step(Samples.labelled(3)).step()).isEqualTo(6);
    }
  }

  @Test
  void listenersMayUseTheTrainerAndEndTheRunByThrowing() {
    try (Trainer trainer = trainer(OPTIONS)) {
      RuntimeException thrown = new RuntimeException("enough");
      assertThatThrownBy(
              () ->
                  trainer.fit(
                      Samples.source(50),
                      new TrainingListener() {
                        @Override
                        public void onEpoch(EpochResult result) {
                          assertThat(trainer.predict(Samples.labelled(2))).isNotEmpty();
                          throw thrown;
                        }
                      }))
          .isSameAs(thrown);
      assertThat(trainer.step(Samples.labelled(3)).step()).isEqualTo(8);
    }
  }

  @Test
  void otherThreadsAreRefusedWhileOneTrains() throws Exception {
    CountDownLatch training = new CountDownLatch(1);
    CountDownLatch end = new CountDownLatch(1);
    try (Trainer trainer = trainer(OPTIONS)) {
      Thread fitting =
          new Thread(
              () ->
                  trainer.fit(
                      Samples.source(10),
                      new TrainingListener() {
                        @Override
                        public void onBegin(TrainingPlan plan) {
                          training.countDown();
                          try {
                            end.await();
                          } catch (InterruptedException e) {
                            Thread.currentThread().interrupt();
                          }
                        }
                      }));
      fitting.start();
      training.await();
      assertThatThrownBy(() -> trainer.step(Samples.labelled(1)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("in use by another thread");
      end.countDown();
      fitting.join();
    }
  }

  @Test
  void closeDuringFitEndsItWithAnIllegalState() throws Exception {
    AtomicReference<Throwable> failure = new AtomicReference<>();
    CountDownLatch stepped = new CountDownLatch(3);
    Trainer trainer = trainer(OPTIONS.toBuilder().epochs(1_000_000).build());
    Thread fitting =
        new Thread(
            () -> {
              try {
                trainer.fit(
                    Samples.source(50),
                    new TrainingListener() {
                      @Override
                      public void onStep(StepResult result) {
                        stepped.countDown();
                      }
                    });
              } catch (Throwable e) {
                failure.set(e);
              }
            });
    fitting.start();
    stepped.await();
    trainer.close();
    fitting.join();
    assertThat(failure.get())
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("[trainer] is closed");
  }

  @Test
  void checkpointsResumeBitForBit() {
    Path checkpoint = folder.resolve("checkpoint");
    List<List<Request>> batches = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      batches.add(Samples.labelled(60).subList(10 * i, 10 * i + 10));
    }
    float[] straight;
    try (Trainer trainer = trainer(OPTIONS)) {
      for (int i = 0; i < 6; i++) {
        trainer.step(batches.get(i));
        if (i == 2) {
          trainer.save(checkpoint);
        }
      }
      straight = trainer.predict(Samples.labelled(9));
    }
    try (Trainer resumed = Trainer.load(checkpoint, Device.cpu(2), OPTIONS)) {
      assertThat(resumed.config()).isEqualTo(Samples.CONFIG);
      StepResult last = null;
      for (int i = 3; i < 6; i++) {
        last = resumed.step(batches.get(i));
      }
      assertThat(last).isNotNull().extracting(StepResult::step).isEqualTo(6L);
      assertThat(resumed.predict(Samples.labelled(9))).isEqualTo(straight);
      // A checkpoint is a model folder too.
      try (LongerModel model = LongerModel.load(checkpoint, Device.cpu(1))) {
        assertThat(model.config()).isEqualTo(Samples.CONFIG);
      }
    }
  }

  @Test
  void modelFoldersAreNotCheckpoints() throws IOException {
    Path model = folder.resolve("model");
    try (Trainer trainer = trainer(OPTIONS);
        LongerModel snapshot = trainer.model()) {
      snapshot.save(model);
    }
    assertThatThrownBy(() -> Trainer.load(model, Device.cpu(1), OPTIONS))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(model.toString());
    assertThat(Files.isDirectory(model)).isTrue();
  }

  @Test
  void badRequestsAreRefusedAndChangeNothing() {
    try (Trainer trainer = trainer(OPTIONS)) {
      assertThatThrownBy(() -> trainer.step(List.of()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("at least one request");
      assertThatThrownBy(() -> trainer.step(List.of(Samples.request(3, 2, 1))))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("request 0 has no labels");
      assertThatThrownBy(() -> trainer.fit(RequestSource.of(List.of())))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("no requests");
      assertThatThrownBy(() -> trainer.fit(Samples.plainLog(2, 9).build().training()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("another schema");
      RuntimeException broken = new RuntimeException("disk gone");
      AtomicInteger closed = new AtomicInteger();
      RequestSource failing =
          () ->
              Stream.concat(
                      Samples.labelled(20).stream(),
                      Stream.<Request>generate(
                          () -> {
                            throw broken;
                          }))
                  .onClose(closed::incrementAndGet);
      assertThatThrownBy(() -> trainer.fit(failing)).isSameAs(broken);
      assertThat(closed).hasValue(1);
      assertThat(trainer.step(Samples.labelled(1)).step()).isGreaterThanOrEqualTo(1);
    }
  }

  @Test
  void badOptionsAreNamed() {
    assertThatThrownBy(() -> trainer(OPTIONS.toBuilder().learningRate(Double.NaN).build()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("learning_rate");
    assertThatThrownBy(() -> TrainerOptions.builder().batchSize(0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("batch size must be at least 1; got 0");
  }

  @Test
  void useAfterCloseIsAnIllegalState() {
    Trainer trainer = trainer(OPTIONS);
    trainer.fit(Samples.source(10), Samples.source(10));
    trainer.close();
    trainer.close();
    assertThatThrownBy(() -> trainer.step(Samples.labelled(1)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("[trainer] is closed");
    assertThatThrownBy(trainer::model).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> trainer.fit(Samples.source(10)))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> trainer.save(folder.resolve("late")))
        .isInstanceOf(IllegalStateException.class);
  }

  /** Keeps what it is told. */
  private static final class Recorder implements TrainingListener {
    @org.jspecify.annotations.Nullable TrainingPlan plan;
    @org.jspecify.annotations.Nullable TrainingResult result;
    final List<StepResult> steps = new ArrayList<>();
    final List<EpochResult> epochs = new ArrayList<>();
    final List<ValidationResult> validations = new ArrayList<>();

    @Override
    public void onBegin(TrainingPlan begun) {
      plan = begun;
    }

    @Override
    public void onStep(StepResult step) {
      steps.add(step);
    }

    @Override
    public void onEpoch(EpochResult epoch) {
      epochs.add(epoch);
    }

    @Override
    public void onValidation(ValidationResult validation) {
      validations.add(validation);
    }

    @Override
    public void onEnd(TrainingResult ended) {
      result = ended;
    }
  }
}
