package ai.longer.benchmarks.quality;

import ai.longer.Device;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Runs experiments and writes what they show. */
@Command(
    name = "quality",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description =
        "Trains and compares the contenders of experiments. Every training leaves a file below"
            + " --out; started again, the command goes on where it stopped.")
public final class Quality implements Callable<Integer> {
  @Parameters(arity = "0..*", description = "Experiments: files of --experiments, without .json.")
  private List<String> names = List.of();

  @Option(names = "--device", description = "cpu or cuda (default: ${DEFAULT-VALUE}).")
  private String device = "cpu";

  @Option(
      names = "--threads",
      description = "CPU threads of a training (default: ${DEFAULT-VALUE}).")
  private int threads = 1;

  @Option(names = "--jobs", description = "Trainings at a time (default: ${DEFAULT-VALUE}).")
  private int jobs = 1;

  @Option(names = "--seeds", description = "Final trainings of a contender (default: the file's).")
  private @Nullable Integer seeds;

  @Option(names = "--contenders", split = ",", description = "Only these (default: all).")
  private List<String> contenders = List.of();

  @Option(names = "--smoke", description = "Only so many requests of each part; not for figures.")
  private int smoke;

  @Option(names = "--out", description = "Where trainings leave files (default: ${DEFAULT-VALUE}).")
  private Path out = Path.of("out");

  @Option(
      names = "--data",
      split = ",",
      description = "Folders with data sets, searched in order (default: ${DEFAULT-VALUE}).")
  private List<Path> data = List.of(Path.of("shared", "data"), Path.of("..", "shared", "data"));

  @Option(names = "--experiments", description = "Folder of experiment files.")
  private Path experiments = Path.of("experiments");

  @Option(
      names = "--merge",
      arity = "1..*",
      description = "Only write RESULTS.md, tables and charts, from these --out folders.")
  private List<Path> merge = List.of();

  @Option(names = "--into", description = "Where results are written (default: the --out folder).")
  private @Nullable Path into;

  @Spec private CommandSpec spec = CommandSpec.create();

  private final PrintStream console = new PrintStream(System.out, true, StandardCharsets.UTF_8);
  private final PrintStream errors = new PrintStream(System.err, true, StandardCharsets.UTF_8);

  /** Runs the command; the exit code is 0 if all went well. */
  public static void main(String[] arguments) {
    CommandLine command = new CommandLine(new Quality());
    // run.sh names folders; whoever calls it may name others.
    System.exit(command.setOverwrittenOptionsAllowed(true).execute(arguments));
  }

  @Override
  public Integer call() throws IOException {
    if (threads < 0 || jobs < 1 || smoke < 0 || (seeds != null && seeds < 1)) {
      throw new ParameterException(
          spec.commandLine(), "--threads, --jobs, --seeds and --smoke must not be negative or 0");
    }
    boolean allDone = true;
    for (String name : names) {
      allDone &= run(Experiment.read(experiments, name));
    }
    if (!names.isEmpty() || !merge.isEmpty()) {
      summarize(merge.isEmpty() ? List.of(out) : merge, into == null ? out : into);
    }
    return allDone ? 0 : 1;
  }

  private Device device() {
    return switch (device) {
      case "cpu" -> Device.cpu(threads);
      case "cuda" -> Device.cuda();
      default -> throw new ParameterException(spec.commandLine(), "--device must be cpu or cuda");
    };
  }

  @SuppressWarnings("SystemConsoleNull") // Java 22 and later make a console without a terminal
  private static boolean isTerminal() {
    return System.console() != null;
  }

  private boolean run(Experiment experiment) {
    for (String name : contenders) {
      if (experiment.contenders().stream().noneMatch(c -> c.name().equals(name))) {
        throw new ParameterException(
            spec.commandLine(), experiment.name() + " has no contender " + name);
      }
    }
    DataSet set = DataSets.open(experiment.data(), new DataFolders(data));
    Runner.Options options =
        new Runner.Options(device(), seeds == null ? experiment.seeds() : seeds, smoke);
    ExecutorService executor = Executors.newFixedThreadPool(jobs);
    try {
      Progress progress = new Progress(errors, isTerminal());
      Runner runner = new Runner(experiment, set, options, out, executor, progress);
      runner.describe();
      Map<String, CompletableFuture<Void>> started = new LinkedHashMap<>();
      for (Contender contender : experiment.contenders()) {
        if (contenders.isEmpty() || contenders.contains(contender.name())) {
          started.put(contender.name(), runner.start(contender));
        }
      }
      boolean allDone = true;
      for (Map.Entry<String, CompletableFuture<Void>> one : started.entrySet()) {
        Throwable failure = one.getValue().handle((done, thrown) -> thrown).join();
        if (failure != null) {
          allDone = false;
          Throwable cause = failure.getCause() == null ? failure : failure.getCause();
          errors.printf("%s/%s failed: %s%n", experiment.name(), one.getKey(), cause);
          cause.printStackTrace(errors);
        }
      }
      return allDone;
    } finally {
      executor.shutdown();
    }
  }

  private void summarize(List<Path> folders, Path target) throws IOException {
    Map<String, List<Path>> byExperiment = new LinkedHashMap<>();
    for (Path folder : folders) {
      try (Stream<Path> all = Files.list(folder)) {
        all.filter(f -> Files.exists(f.resolve(Summary.EXPERIMENT_FILE)))
            .sorted()
            .forEach(
                f ->
                    byExperiment
                        .computeIfAbsent(f.getFileName().toString(), n -> new ArrayList<>())
                        .add(f));
      }
    }
    Path results = Files.createDirectories(target.resolve("results"));
    byExperiment.forEach(
        (name, parts) -> Json.write(results.resolve(name + ".json"), Summary.of(parts)));
    List<Summary> summaries = new ArrayList<>();
    try (Stream<Path> all = Files.list(results)) {
      all.filter(f -> f.toString().endsWith(".json"))
          .sorted()
          .forEach(f -> summaries.add(Json.read(f, Summary.class)));
    }
    boolean hasCharts = Pictures.areAvailable();
    if (hasCharts) {
      summaries.forEach(summary -> Pictures.write(summary, results));
    }
    Files.writeString(target.resolve("RESULTS.md"), new ResultsPage(summaries, hasCharts).text());
    console.println("Wrote " + target.resolve("RESULTS.md"));
  }
}
