package ai.longer.samples.cli;

import ai.longer.LongerConfig;
import ai.longer.LongerModel;
import ai.longer.training.Trainer;
import ai.longer.training.TrainerOptions;
import ai.longer.training.TrainingListener;
import ai.longer.training.TrainingResult;
import ai.longer.training.TrainingResult.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Shards, logs or requests become a model. */
@Command(
    name = "train",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Trains a model on shards, or on logs or requests, which become shards first.",
      "With validation shards the weights of the best pass are kept, else the last ones.",
      "Checkpoints lie beside the model, in MODEL.run, until the run is complete. Interrupted"
          + " (SIGINT, SIGTERM), it saves one and ends; the same command with --resume goes on, to"
          + " the bits of a run that was not interrupted."
    })
final class TrainCommand implements Callable<Integer> {
  private final Console console;

  @Option(
      names = "--data",
      required = true,
      arity = "1..*",
      paramLabel = "PATH",
      description = "A folder that prepare wrote, shards, logs, or requests.")
  private List<Path> data = new ArrayList<>();

  @Option(
      names = "--validation-data",
      paramLabel = "FOLDER",
      description = "Shards to validate on (default: those of the prepared folder).")
  private @Nullable Path validationData;

  @Option(
      names = "--config",
      required = true,
      paramLabel = "FILE",
      description = "config.json of the model.")
  private Path config = Path.of(".");

  @Option(
      names = "--model",
      required = true,
      paramLabel = "FOLDER",
      description = "Model folder, replaced at the end.")
  private Path model = Path.of(".");

  @Option(names = "--resume", description = "Go on from the checkpoint, if there is one.")
  private boolean isResumed;

  @Option(
      names = "--checkpoint-minutes",
      paramLabel = "N",
      description = "Minutes between checkpoints (default: ${DEFAULT-VALUE}).")
  private double checkpointMinutes = 10;

  @Mixin private TrainingOptions training = new TrainingOptions();
  @Mixin private DeviceOptions device = new DeviceOptions();
  @Mixin private OutputOptions output = new OutputOptions();
  @Mixin private RowOptions rows = new RowOptions();

  @Spec private CommandSpec command = CommandSpec.create();

  TrainCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws Exception {
    return Interrupts.heed(this::train);
  }

  private int train() throws IOException {
    LongerConfig parsed = LongerConfig.parse(Files.readString(config));
    for (Path path : data) {
      if (!Files.exists(path)) {
        throw new NoSuchFileException(path.toString());
      }
    }
    RunFolder run = RunFolder.of(model);
    try {
      return train(parsed, run);
    } finally {
      run.deleteIfEmpty();
    }
  }

  private int train(LongerConfig parsed, RunFolder run) throws IOException {
    if (run.hasCheckpoint() && !isResumed) {
      throw usage("%s has a checkpoint: go on with --resume, or delete it".formatted(run.folder()));
    }
    try (TrainingData shards = open(parsed, run);
        Trainer trainer = trainer(parsed, run)) {
      TrainingResult result = fit(trainer, shards, run);
      if (result.outcome() == Outcome.INTERRUPTED) {
        Thread.interrupted(); // it was heard
        console.err().println("Saved " + run.checkpoint() + "; go on with --resume");
      } else {
        save(trainer, shards.validation() != null);
      }
      new TrainingSummary(result, model, trainer.config()).print(console, output.json);
      if (result.outcome() == Outcome.INTERRUPTED) {
        return Cli.INTERRUPTED;
      }
    }
    run.delete();
    return 0;
  }

  private TrainingData open(LongerConfig parsed, RunFolder run) throws IOException {
    if (data.size() == 1 && Files.isDirectory(data.get(0)) && !rows.areRequests()) {
      return TrainingData.open(data.get(0), validationData);
    }
    // A run that goes on needs its own shards; others may be of other files or options.
    if (!run.hasCheckpoint() || !Files.isDirectory(run.data())) {
      run.deleteData();
      rows.prepare(parsed.schema(), data, run.data());
    }
    return TrainingData.open(run.data(), validationData);
  }

  private Trainer trainer(LongerConfig parsed, RunFolder run) {
    // At the end and when interrupted; a listener saves the others.
    TrainerOptions options =
        training.options().checkpoint(run.checkpoint(), Long.MAX_VALUE).build();
    return run.hasCheckpoint()
        ? Trainer.load(run.checkpoint(), device.device(), options)
        : Trainer.create(parsed, device.device(), options);
  }

  private TrainingResult fit(Trainer trainer, TrainingData shards, RunFolder run) {
    Duration between = Duration.ofMillis((long) (checkpointMinutes * 60_000));
    TrainingListener[] listeners = {
      TrainingListener.progressBar(), new Checkpoints(trainer, run.checkpoint(), between)
    };
    if (shards.validation() == null) {
      return run.hasCheckpoint()
          ? trainer.resume(shards.training(), listeners)
          : trainer.fit(shards.training(), listeners);
    }
    return run.hasCheckpoint()
        ? trainer.resume(shards.training(), shards.validation(), listeners)
        : trainer.fit(shards.training(), shards.validation(), listeners);
  }

  private void save(Trainer trainer, boolean isValidated) {
    if (isValidated) {
      trainer.bestModel().save(model);
    } else {
      try (LongerModel last = trainer.model()) {
        last.save(model);
      }
    }
  }

  private ParameterException usage(String problem) {
    return new ParameterException(command.commandLine(), problem);
  }
}
