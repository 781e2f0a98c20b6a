package ai.longer.training;

import ai.longer.Device;
import ai.longer.LongerConfig;
import ai.longer.Schema;
import ai.longer.data.Candidates;
import ai.longer.data.Dataset;
import ai.longer.data.History;
import ai.longer.data.Request;
import ai.longer.data.RequestSource;
import ai.longer.data.Shards;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * A training of some 24 steps in which everything has state: admission counts, dropout,
 * accumulation, a shuffle that holds less than a pass, validation with a best model.
 */
final class LongTraining {
  static final int EPOCHS = 3;

  private static final Schema SCHEMA =
      Schema.builder()
          .table("item", 8, 3)
          .event("item", "item")
          .candidate("item", "item")
          .task("click", 1.0, 0.5)
          .build();

  static final LongerConfig CONFIG =
      LongerConfig.builder(SCHEMA)
          .maxHistory(24)
          .eventWidth(8)
          .mergeFactor(2)
          .innerHeads(2)
          .heads(2)
          .recentQueries(4)
          .timeWidth(4)
          .dropout(0.2)
          .build();

  private LongTraining() {}

  static TrainerOptions options() {
    return TrainerOptions.builder()
        .batchSize(4)
        .batchesPerStep(2)
        .shuffleBuffer(16)
        .epochs(EPOCHS)
        .seed(11)
        .learningRate(1e-2)
        .build();
  }

  static RequestSource training() {
    return source(0, 60);
  }

  static RequestSource validation() {
    return source(1000, 20);
  }

  private static RequestSource source(int first, int count) {
    List<Request> requests =
        IntStream.range(first, first + count).mapToObj(LongTraining::request).toList();
    return RequestSource.of(requests);
  }

  private static Request request(int number) {
    SplittableRandom random = new SplittableRandom(number);
    int events = random.nextInt(30);
    History history =
        History.builder(SCHEMA)
            .longs("item", random.longs(events, 0, 200).toArray())
            .times(IntStream.range(0, events).mapToLong(i -> 60L * i).toArray())
            .build();
    Candidates candidates =
        Candidates.builder(SCHEMA).longs("item", random.longs(3, 0, 200).toArray()).build();
    float[] clicks = new float[3];
    for (int i = 0; i < clicks.length; i++) {
      clicks[i] = random.nextInt(2);
    }
    return Request.builder(history, candidates)
        .referenceTime(3600)
        .labels("click", clicks)
        .groupKey(number)
        .build();
  }

  /**
   * Trains, from the checkpoint if there is one, and says each step and the end on standard output.
   *
   * @param args where the checkpoint lies; shards of the training source, or it is read itself
   */
  public static void main(String[] args) {
    Path checkpoint = Path.of(args[0]);
    if (args.length == 1) {
      train(checkpoint, training());
    } else {
      try (Shards shards = Shards.open(Path.of(args[1]))) {
        train(checkpoint, shards);
      }
    }
  }

  private static void train(Path checkpoint, Dataset training) {
    TrainerOptions options = options().toBuilder().checkpoint(checkpoint, 1).build();
    TrainingListener steps =
        new TrainingListener() {
          @Override
          public void onStep(StepResult result) {
            System.out.println("step " + result.step());
            System.out.flush();
          }
        };
    boolean isResumed = Files.exists(checkpoint);
    try (Trainer trainer =
        isResumed
            ? Trainer.load(checkpoint, Device.cpu(1), options)
            : Trainer.create(CONFIG, Device.cpu(1), options)) {
      TrainingResult result =
          isResumed
              ? trainer.resume(training, validation(), steps)
              : trainer.fit(training, validation(), steps);
      System.out.println(result.outcome());
    }
  }
}
