package ai.longer.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;

import ai.longer.CorruptDataException;
import ai.longer.Device;
import ai.longer.LongerConfig;
import ai.longer.data.Dataset;
import ai.longer.data.Request;
import ai.longer.data.RequestSource;
import ai.longer.data.Shards;
import ai.longer.internal.Access;
import ai.longer.internal.ReaderHandle;
import ai.longer.support.NoLeaks;
import ai.longer.support.Samples;
import ai.longer.training.TrainingResult.Outcome;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Training over shards, without request objects. */
@ExtendWith(NoLeaks.class)
@Timeout(300)
class ShardTrainingTest {
  private static final LongerConfig CONFIG = LongTraining.CONFIG;
  private static final TrainerOptions OPTIONS = LongTraining.options();
  private static final TrainerOptions IN_ORDER = OPTIONS.toBuilder().shuffleBuffer(1).build();

  @TempDir Path folder;

  private Path training;
  private Path validation;

  @BeforeEach
  void write() {
    training = folder.resolve("training.shards");
    validation = folder.resolve("validation.shards");
    Shards.write(training, CONFIG.schema(), LongTraining.training());
    Shards.write(validation, CONFIG.schema(), LongTraining.validation());
  }

  private static TrainingResult fit(
      LongerConfig config, TrainerOptions options, Dataset data, Dataset held, Path saved) {
    try (Trainer trainer = Trainer.create(config, Device.cpu(1), options)) {
      TrainingResult result = trainer.fit(data, held);
      trainer.save(saved);
      return result;
    }
  }

  @Test
  void shardsTrainAsTheirRequestsDo() throws IOException {
    TrainingResult expected =
        fit(
            CONFIG,
            IN_ORDER,
            LongTraining.training(),
            LongTraining.validation(),
            folder.resolve("requests"));
    try (Shards data = Shards.open(training);
        Shards held = Shards.open(validation)) {
      TrainingResult result = fit(CONFIG, IN_ORDER, data, held, folder.resolve("shards"));
      ResumeTest.assertSameRun(result, expected);
      // What is validated on may be either.
      result = fit(CONFIG, IN_ORDER, data, LongTraining.validation(), folder.resolve("mixed"));
      ResumeTest.assertSameRun(result, expected);
    }
    ResumeTest.assertSameBits(folder.resolve("shards"), folder.resolve("requests"));
    ResumeTest.assertSameBits(folder.resolve("mixed"), folder.resolve("requests"));
  }

  @Test
  void featuresOfEveryKindTrainAsTheirRequestsDo() throws IOException {
    List<Request> requests =
        IntStream.range(0, 40)
            .mapToObj(i -> Samples.kindsRequest(i * 7 % 30, 1 + i % 5, i))
            .toList();
    RequestSource source = RequestSource.of(requests);
    Path path = folder.resolve("kinds.shards");
    Shards.write(path, Samples.KINDS_SCHEMA, source);
    TrainingResult expected =
        fit(Samples.KINDS_CONFIG, IN_ORDER, source, source, folder.resolve("requests"));
    try (Shards shards = Shards.open(path)) {
      ResumeTest.assertSameRun(
          fit(Samples.KINDS_CONFIG, IN_ORDER, shards, shards, folder.resolve("shards")), expected);
    }
    ResumeTest.assertSameBits(folder.resolve("shards"), folder.resolve("requests"));
  }

  /** The keys of the users of a pass, in its order. */
  private static List<Long> order(Shards shards, long seed, long epoch) {
    List<Long> keys = new ArrayList<>();
    ReaderHandle.Pass pass = new ReaderHandle.Pass(7, true, seed, epoch, 0);
    try (ReaderHandle reader = Access.SHARDS.of(shards).read(CONFIG, pass)) {
      while (reader.next() != null) {
        LongStream.of(reader.userKeys()).forEach(keys::add);
      }
    }
    return keys;
  }

  @Test
  void shuffledPassesVisitEachRequestOnceInOrdersOfTheirOwn() throws IOException {
    Map<Long, Request> byKey = new HashMap<>();
    LongTraining.training().stream().forEach(r -> byKey.put(r.groupKey(), r));
    try (Shards shards = Shards.open(training)) {
      List<List<Long>> orders = new ArrayList<>();
      for (long epoch = 1; epoch <= LongTraining.EPOCHS; epoch++) {
        orders.add(order(shards, OPTIONS.seed(), 1L << 32 | epoch));
      }
      orders.add(order(shards, OPTIONS.seed(), 2L << 32 | 1));
      orders.add(order(shards, OPTIONS.seed() + 1, 1L << 32 | 1));
      assertThat(orders).doesNotHaveDuplicates();
      for (List<Long> order : orders) {
        assertThat(order).containsExactlyInAnyOrderElementsOf(byKey.keySet());
      }
      AtomicInteger pass = new AtomicInteger();
      RequestSource inThatOrder = () -> orders.get(pass.getAndIncrement()).stream().map(byKey::get);
      TrainingResult expected =
          fit(CONFIG, IN_ORDER, inThatOrder, LongTraining.validation(), folder.resolve("requests"));
      TrainingResult result =
          fit(CONFIG, OPTIONS, shards, LongTraining.validation(), folder.resolve("shards"));
      ResumeTest.assertSameRun(result, expected);
    }
    ResumeTest.assertSameBits(folder.resolve("shards"), folder.resolve("requests"));
  }

  @Test
  void runsInterruptedAtAnyStepEndWithTheSameBits() throws IOException {
    Path whole = folder.resolve("whole");
    TrainingResult expected;
    try (Shards data = Shards.open(training);
        Shards held = Shards.open(validation)) {
      expected = fit(CONFIG, OPTIONS, data, held, whole);
    }
    for (long step = 1; step <= expected.step(); step++) {
      Path checkpoint = folder.resolve("step-" + step);
      TrainerOptions options = OPTIONS.toBuilder().checkpoint(checkpoint, 1000).build();
      try (Shards data = Shards.open(training);
          Shards held = Shards.open(validation);
          Trainer trainer = Trainer.create(CONFIG, Device.cpu(1), options)) {
        TrainingResult result = trainer.fit(data, held, ResumeTest.interruptAt(step));
        assertThat(Thread.interrupted()).isTrue();
        assertThat(result.outcome()).isEqualTo(Outcome.INTERRUPTED);
        assertThat(result.step()).isEqualTo(step);
      }
      try (Shards data = Shards.openUnverified(training);
          Shards held = Shards.openUnverified(validation);
          Trainer trainer = Trainer.load(checkpoint, Device.cpu(2), options)) {
        ResumeTest.assertSameRun(trainer.resume(data, held), expected);
      }
      ResumeTest.assertSameBits(checkpoint, whole);
    }
  }

  @Test
  void otherDataIsNoRunToResume() {
    try (Shards data = Shards.open(training);
        Shards other = Shards.open(validation);
        Trainer trainer = Trainer.create(CONFIG, Device.cpu(1), OPTIONS)) {
      trainer.fit(data, ResumeTest.interruptAt(2));
      assertThat(Thread.interrupted()).isTrue();
      for (Dataset wrong : List.of(other, LongTraining.training())) {
        assertThatThrownBy(() -> trainer.resume(wrong))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("the run to resume had")
            .hasMessageContaining("shards=");
      }
      assertThat(trainer.resume(data).outcome()).isEqualTo(Outcome.COMPLETED);
    }
  }

  /** Overwrites the second half of a tensor. */
  private static void damage(Path file, String tensor) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    int header = (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    Matcher place =
        Pattern.compile(tensor + "\":[^}]*\"data_offsets\":\\[(\\d+),(\\d+)]")
            .matcher(new String(bytes, Long.BYTES, header, StandardCharsets.UTF_8));
    assertThat(place.find()).isTrue();
    int begin = Integer.parseInt(place.group(1));
    int end = Integer.parseInt(place.group(2));
    int data = Long.BYTES + header;
    Arrays.fill(bytes, data + (begin + end) / 2, data + end, (byte) 0x7f);
    Files.write(file, bytes);
  }

  @Test
  void aDamagedShardIsNamedInMidRun() throws IOException {
    Path file = training.resolve("shard-00000.safetensors");
    damage(file, "request.history_end");
    assertThatThrownBy(() -> Shards.open(training))
        .isInstanceOf(CorruptDataException.class)
        .hasMessageContaining(file.toString());
    try (Shards damaged = Shards.openUnverified(training);
        Trainer trainer = Trainer.create(CONFIG, Device.cpu(1), OPTIONS)) {
      assertThatThrownBy(() -> trainer.fit(damaged))
          .isInstanceOf(CorruptDataException.class)
          .hasMessageContaining(file.toString())
          .hasMessageContaining("request.history_begin"); // of the pair, the first one's name
      // The trainer is as good as before.
      assertThat(trainer.fit(LongTraining.training()).outcome()).isEqualTo(Outcome.COMPLETED);
    }
  }

  @Test
  void shardsOfAnotherSchemaAreRefused() {
    try (Shards shards = Shards.open(training);
        Trainer trainer = Trainer.create(Samples.CONFIG, Device.cpu(1), OPTIONS)) {
      assertThatThrownBy(() -> trainer.fit(shards))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("the shards have no event feature \"genre\"");
    }
  }

  @Test
  void emptyShardsAreRefused() {
    Path empty = folder.resolve("empty.shards");
    Shards.write(empty, CONFIG.schema(), RequestSource.of(List.of()));
    try (Shards shards = Shards.open(empty);
        Trainer trainer = Trainer.create(CONFIG, Device.cpu(1), OPTIONS)) {
      assertThatThrownBy(() -> trainer.fit(shards))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("has no requests");
      assertThatThrownBy(() -> trainer.fit(LongTraining.training(), shards))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("no labelled candidates");
    }
  }

  private static TrainingListener closeAt(long step, AutoCloseable closed) {
    return new TrainingListener() {
      @Override
      public void onStep(StepResult result) {
        if (result.step() == step) {
          Thread closer = new Thread(() -> assertDoesNotThrow(closed::close));
          closer.start();
          try {
            closer.join();
          } catch (InterruptedException e) {
            throw new AssertionError(e);
          }
        }
      }
    };
  }

  @Test
  void aTrainerClosedInMidRunEndsIt() {
    try (Shards shards = Shards.open(training);
        Trainer trainer = Trainer.create(CONFIG, Device.cpu(1), OPTIONS)) {
      assertThatThrownBy(() -> trainer.fit(shards, closeAt(3, trainer)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("[trainer] is closed");
    }
  }

  @Test
  void shardsClosedInMidRunEndItAfterThePass() throws IOException {
    Path whole = folder.resolve("whole");
    Path pieces = folder.resolve("pieces");
    TrainingResult expected;
    try (Shards data = Shards.open(training)) {
      expected = fit(CONFIG, OPTIONS, data, LongTraining.validation(), whole);
    }
    try (Shards shards = Shards.open(training);
        Trainer trainer = Trainer.create(CONFIG, Device.cpu(1), OPTIONS)) {
      assertThatThrownBy(() -> trainer.fit(shards, LongTraining.validation(), closeAt(3, shards)))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("[shards] is closed");
      try (Shards again = Shards.open(training)) {
        ResumeTest.assertSameRun(trainer.resume(again, LongTraining.validation()), expected);
      }
      trainer.save(pieces);
    }
    ResumeTest.assertSameBits(pieces, whole);
  }
}
