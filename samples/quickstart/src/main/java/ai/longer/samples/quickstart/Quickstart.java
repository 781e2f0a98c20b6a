package ai.longer.samples.quickstart;

import ai.longer.Device;
import ai.longer.DeviceException;
import ai.longer.LongerConfig;
import ai.longer.LongerModel;
import ai.longer.data.RequestSource;
import ai.longer.evaluation.Evaluation;
import ai.longer.report.Numbers;
import ai.longer.report.TextTable;
import ai.longer.serving.Ranker;
import ai.longer.serving.RankerOptions;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Trains LONGER on MovieLens, measures it, and ranks movies for one user. */
@Command(
    name = "quickstart",
    mixinStandardHelpOptions = true,
    version = "LONGER quickstart 0.1.0",
    sortOptions = false,
    description = "Trains LONGER on MovieLens, measures it, and ranks movies for one user.")
public final class Quickstart implements Callable<Integer> {
  static final String POPULARITY = "popularity";

  /** Exit code where the device is missing, lost or out of memory. */
  static final int BAD_DEVICE = 4;

  private static final long ALL_USERS = Long.MAX_VALUE;
  private static final long SMALL_USERS = 60;
  private static final int SHOWN_USER_RATINGS = 200;
  private static final int LATENCY_CANDIDATES = 500;
  private static final int TITLE_WIDTH = 30;
  private static final long CACHE_BYTES = 64L << 20;

  @Option(names = "--data", description = "MovieLens folder (default: ${DEFAULT-VALUE}).")
  private Path data = Path.of("data", "ml-latest-small");

  @Option(names = "--out", description = "Where results go (default: ${DEFAULT-VALUE}).")
  private Path out = Path.of(".");

  @Option(names = "--seeds", description = "Trainings of each model (default: ${DEFAULT-VALUE}).")
  private int seeds = 1;

  @Option(names = "--epochs", description = "Passes at most (default: 4, or 2 with --small).")
  private @Nullable Integer epochs;

  @Option(
      names = "--device",
      description = "One of ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Device.Kind kind = Device.Kind.BEST;

  @Option(names = "--threads", description = "CPU threads (default: all processors).")
  private int threads;

  @Option(names = "--user", description = "Whom to rank for (default: one with about 200 ratings).")
  private @Nullable Long user;

  @Option(names = "--small", description = "60 users and short histories: a minute at most.")
  private boolean small;

  @Option(names = "--grid", description = "Compare settings on the validation requests, and stop.")
  private boolean grid;

  @Option(names = "--from", description = "Only write the report again, from this result.json.")
  private @Nullable Path from;

  @Option(names = "--pictures", description = "Also write SVG pictures to this folder.")
  private @Nullable Path pictures;

  @Spec private CommandSpec spec = CommandSpec.create();

  private final PrintStream console;

  Quickstart(PrintStream console) {
    this.console = console;
  }

  /** Runs the sample; the exit code is 0 if all went well. */
  public static void main(String[] arguments) {
    PrintStream console = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    System.exit(commandLine(console).execute(arguments));
  }

  static CommandLine commandLine(PrintStream console) {
    // run.sh names --data and --out; whoever calls it may name others.
    return new CommandLine(new Quickstart(console))
        .setOverwrittenOptionsAllowed(true)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setExecutionExceptionHandler(
            (error, command, parsed) -> {
              if (error instanceof DeviceException
                  || error instanceof UnsupportedOperationException) {
                command.getErr().println(error.getMessage());
                return BAD_DEVICE;
              }
              throw error;
            });
  }

  @Override
  public Integer call() throws IOException {
    if (seeds < 1 || (epochs != null && epochs < 1)) {
      throw new ParameterException(spec.commandLine(), "--seeds and --epochs must be at least 1");
    }
    if (threads < 0) {
      throw new ParameterException(spec.commandLine(), "--threads must not be negative");
    }
    if (from != null) {
      writeReport(Results.read(from));
      return 0;
    }
    long start = System.nanoTime();
    Path modelFolders = Files.createDirectories(out.resolve("models"));
    MovieLens movieLens = MovieLens.read(data, small ? SMALL_USERS : ALL_USERS);
    LongerConfig config =
        LongerConfig.builder(movieLens.schema())
            .maxHistory(small ? 128 : 512)
            .eventWidth(16)
            .mergeFactor(4)
            .recentQueries(32)
            .selfLayers(1)
            .build();
    Split split = Split.of(movieLens, config.schema());
    Results.DataSet dataSet = Results.DataSet.of(movieLens, split);
    describe(dataSet, config);

    int passes = epochs != null ? epochs : small ? 2 : 4;
    Device device = new Device(kind, 0, threads);
    Experiment experiment = new Experiment(config, device, split, passes, modelFolders, console);
    if (grid) {
      console.println(new Grid(experiment).compare());
      return 0;
    }

    List<Run> runs = new ArrayList<>();
    for (long seed = 1; seed <= seeds; seed++) {
      for (Variant variant : Variant.values()) {
        runs.add(experiment.run(variant, seed));
      }
    }
    console.println();

    Popularity popularity = new Popularity(split);
    List<Results.Model> models = new ArrayList<>();
    models.add(Results.Model.of(POPULARITY, null, popularity.predict(split.test())));
    runs.forEach(r -> models.add(Results.Model.of(r.variant().title(), r, r.test())));
    List<Results.Difference> differences =
        List.of(
            Results.Difference.of(Variant.FULL, Variant.NO_SEQUENCE, runs),
            Results.Difference.of(Variant.FULL, Variant.NEWEST_50, runs));
    describe(models, differences);

    RankerOptions options = RankerOptions.builder().userCacheBytes(CACHE_BYTES).build();
    try (LongerModel model = LongerModel.load(runs.get(0).model(), device);
        Ranker ranker = model.ranker(options)) {
      checkLoaded(ranker, runs.get(0), split);
      long shown = user != null ? user : movieLens.userWithAbout(SHOWN_USER_RATINGS);
      Recommendation recommendation =
          Recommendation.forUser(shown, movieLens, popularity, config, ranker);
      describe(recommendation);
      Latency latency =
          Latency.measure(
              movieLens, popularity, config, ranker, LATENCY_CANDIDATES, small ? 11 : 51);
      describe(latency);

      Results results =
          new Results(
              dataSet,
              Results.json(config),
              models,
              differences,
              Results.byHistory(split, runs),
              recommendation,
              latency,
              (System.nanoTime() - start) * 1e-9);
      write(results);
    }
    return 0;
  }

  /** The loaded model must score exactly as the trained one did. */
  private static void checkLoaded(Ranker ranker, Run run, Split split) {
    float[] scores = Evaluation.predict(ranker, RequestSource.of(split.test())).scores();
    int differs = Arrays.mismatch(scores, run.test().scores());
    if (differs >= 0) {
      throw new IllegalStateException(
          "[quickstart] the model in %s scores test candidate %d differently once loaded"
              .formatted(run.model(), differs));
    }
  }

  private void describe(Results.DataSet set, LongerConfig config) {
    console.printf(
        "MovieLens: %s ratings of %s movies by %s users%n",
        Numbers.count(set.ratings()), Numbers.count(set.movies()), Numbers.count(set.users()));
    console.printf(
        "Requests:  %s for training, %s for validation, %s for the test; nothing leaks%n",
        Numbers.count(set.trainingRequests()),
        Numbers.count(set.validationRequests()),
        Numbers.count(set.testRequests()));
    console.printf(
        "Model:     %d events, d %d, K %d, D %d, %d queries, 1 + %d layers%n%n",
        config.maxHistory(),
        config.eventWidth(),
        config.mergeFactor(),
        config.modelWidth(),
        config.queries(),
        config.selfLayers());
  }

  private void describe(List<Results.Model> models, List<Results.Difference> differences) {
    TextTable table = new TextTable("<test", "seed", "AUC", "GAUC", "log loss", "NE");
    for (Results.Model m : models) {
      table.row(
          m.model(),
          m.seed() == null ? "–" : m.seed().toString(),
          Numbers.score(m.auc()),
          Numbers.score(m.gauc()),
          Numbers.score(m.logLoss()),
          Numbers.score(m.normalizedEntropy()));
    }
    console.println(table);
    TextTable intervals = new TextTable("<difference of AUC", "mean", "95 % from", "to");
    for (Results.Difference d : differences) {
      intervals.row(
          d.model() + " − " + d.than(),
          Numbers.signed(d.estimate()),
          Numbers.signed(d.lower()),
          Numbers.signed(d.upper()));
    }
    console.println(intervals);
  }

  private void describe(Recommendation recommendation) {
    TextTable table =
        new TextTable(
            "#", "<for user " + recommendation.user(), "score", "<most attention on", "<and on");
    int rank = 1;
    for (Recommendation.Item item : recommendation.items()) {
      table.row(
          Integer.toString(rank++),
          Numbers.shortened(item.title(), TITLE_WIDTH),
          Numbers.percent(item.score()),
          past(item.because().get(0)),
          past(item.because().get(1)));
    }
    console.println(table);
  }

  private static String past(Recommendation.Past past) {
    return Numbers.shortened(past.title(), TITLE_WIDTH) + " ★ " + past.stars();
  }

  private void describe(Latency latency) {
    console.println(
        new TextTable(
                "<" + latency.candidates() + " candidates, " + latency.events() + " events",
                "median")
            .row("without user cache", Numbers.millis(latency.uncachedMillis()))
            .row("with user cache", Numbers.millis(latency.cachedMillis()))
            .row("scores", "equal"));
  }

  private void write(Results results) {
    Path json = out.resolve("result.json");
    results.write(json);
    writeReport(results);
    console.printf("Wrote %s after %s%n", json, Numbers.seconds(results.seconds()));
  }

  private void writeReport(Results results) {
    QuickstartReport report = new QuickstartReport(results);
    Path html = out.resolve("report.html");
    report.write(html);
    console.println("Wrote " + html);
    if (pictures != null) {
      report.writePictures(pictures);
    }
  }
}
