package ai.longer.samples.cli;

import ai.longer.LongerConfig;
import ai.longer.LongerModel;
import ai.longer.data.DataListener;
import ai.longer.data.Shards;
import ai.longer.evaluation.Bootstrap;
import ai.longer.evaluation.Evaluation;
import ai.longer.evaluation.Predictions;
import ai.longer.report.Numbers;
import ai.longer.report.TextTable;
import ai.longer.serving.Ranker;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How good a model is on data whose outcome is known. */
@Command(
    name = "evaluate",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Measures a model on data whose outcome is known.",
      "Of each task: AUC, GAUC, log loss, normalised entropy (log loss over the entropy of the"
          + " positive rate), expected calibration error, and AUC by the length of the history."
          + " Bounds hold 95 %% of draws of users with replacement."
    })
final class EvaluateCommand implements Callable<Integer> {
  private static final int LEAST_REPLICATES = 40;

  /**
   * What was measured.
   *
   * @param requests requests of the data
   * @param seconds that scoring them took
   */
  record Measured(
      String model,
      List<String> data,
      long requests,
      int replicates,
      double seconds,
      List<TaskQuality> tasks) {}

  private final Console console;

  @Option(names = "--model", required = true, paramLabel = "FOLDER", description = "Model folder.")
  private Path model = Path.of(".");

  @Option(
      names = "--data",
      required = true,
      arity = "1..*",
      paramLabel = "PATH",
      description =
          "A folder that prepare wrote, whose test shards are taken; shards; or logs or requests,"
              + " of which --test or --test-from tells those to measure on (default: all).")
  private List<Path> data = new ArrayList<>();

  @Option(
      names = "--report",
      paramLabel = "FILE",
      description = "Also write a page of tables and charts, HTML that opens without a network.")
  private @Nullable Path report;

  @Option(
      names = "--replicates",
      paramLabel = "N",
      description = "Draws of users for the bounds (default: ${DEFAULT-VALUE}).")
  private int replicates = 1000;

  @Mixin private DeviceOptions device = new DeviceOptions();
  @Mixin private OutputOptions output = new OutputOptions();
  @Mixin private RowOptions rows = new RowOptions();

  @Spec private CommandSpec command = CommandSpec.create();

  EvaluateCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws Exception {
    check();
    return Interrupts.heed(this::evaluate);
  }

  private int evaluate() throws IOException {
    try (LongerModel loaded = LongerModel.load(model, device.device());
        Ranker ranker = loaded.ranker();
        EvaluationData opened = EvaluationData.open(data, rows, loaded.config().schema())) {
      Measured measured = measure(ranker, opened.shards());
      if (report != null) {
        new EvaluationPage(measured, loaded, opened.shards().counts()).write(report);
        console.err().println("Wrote " + report);
      }
      if (output.json) {
        console.json(measured);
      } else {
        print(measured, loaded.config());
      }
    }
    return 0;
  }

  /** What would be found out only after long work. */
  private void check() {
    if (replicates < LEAST_REPLICATES) {
      throw usage(
          "--replicates must be at least %d; got %d".formatted(LEAST_REPLICATES, replicates));
    }
    if (report != null && !Files.isDirectory(parent(report))) {
      throw usage("--report must lie in a folder that is there; got " + report);
    }
  }

  private static Path parent(Path file) {
    Path parent = file.toAbsolutePath().getParent();
    return parent == null ? file : parent;
  }

  private ParameterException usage(String problem) {
    return new ParameterException(command.commandLine(), problem);
  }

  private Measured measure(Ranker ranker, Shards shards) {
    long start = System.nanoTime();
    Map<String, Predictions> predictions =
        Evaluation.predictTasks(ranker, shards, DataListener.progressBar());
    double seconds = (System.nanoTime() - start) * 1e-9;
    List<TaskQuality> tasks =
        predictions.entrySet().stream()
            .map(task -> TaskQuality.of(task.getKey(), task.getValue(), replicates))
            .toList();
    return new Measured(
        model.toString(),
        data.stream().map(Path::toString).toList(),
        shards.counts().requests(),
        replicates,
        seconds,
        tasks);
  }

  private void print(Measured measured, LongerConfig config) {
    console.print(
        "%s requests in %s; the model reads at most %s events%n"
            .formatted(
                Numbers.count(measured.requests()),
                Numbers.seconds(measured.seconds()),
                Numbers.count(config.maxHistory())));
    TextTable tasks =
        new TextTable(
            "<task",
            "candidates",
            "users",
            "positives",
            "AUC",
            "95 % from",
            "to",
            "GAUC",
            "log loss",
            "NE",
            "ECE");
    for (TaskQuality task : measured.tasks()) {
      tasks.row(
          task.task(),
          Numbers.count(task.candidates()),
          Numbers.count(task.users()),
          Numbers.percent(task.positiveRate()),
          score(estimate(task.auc())),
          score(task.auc() == null ? null : task.auc().lower()),
          score(task.auc() == null ? null : task.auc().upper()),
          score(task.gauc()),
          Numbers.score(task.logLoss()),
          score(task.normalizedEntropy()),
          Numbers.score(task.calibrationError()));
    }
    console.print(tasks);
    for (TaskQuality task : measured.tasks()) {
      TextTable classes =
          new TextTable(
              "<%s by events before".formatted(task.task()),
              "candidates",
              "users",
              "positives",
              "AUC",
              "95 % from",
              "to");
      for (TaskQuality.ByHistory one : task.aucByHistoryLength()) {
        classes.row(
            one.title(),
            Numbers.count(one.candidates()),
            Numbers.count(one.users()),
            Numbers.percent(one.positiveRate()),
            Numbers.score(one.auc().estimate()),
            Numbers.score(one.auc().lower()),
            Numbers.score(one.auc().upper()));
      }
      console.print(classes);
    }
  }

  static @Nullable Double estimate(Bootstrap.@Nullable Interval interval) {
    return interval == null ? null : interval.estimate();
  }

  /** A score, a dash where there is none. */
  static String score(@Nullable Double value) {
    return value == null ? "–" : Numbers.score(value);
  }
}
