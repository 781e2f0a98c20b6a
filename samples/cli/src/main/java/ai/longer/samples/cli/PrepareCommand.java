package ai.longer.samples.cli;

import ai.longer.LongerConfig;
import ai.longer.data.DataListener;
import ai.longer.data.Prepared;
import ai.longer.data.ShardCounts;
import ai.longer.report.Numbers;
import ai.longer.report.TextTable;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Logs become shards. */
@Command(
    name = "prepare",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Turns logs of any size into training, validation and test shards.",
      "A log has one row per interaction, in any order, and a header: CSV or TSV, also packed"
          + " (.gz), or Parquet. What a user did later than a request is in no history of it."
    },
    footer = {
      "",
      "Options may stand in a file, one a line: longer prepare @FILE",
      "Example:",
      "  longer prepare ratings.csv.gz --config config.json --out data --user userId"
          + " --time timestamp --column movie=movieId --label 'click=rating>=4' --test 0.1"
    })
final class PrepareCommand implements Callable<Integer> {
  private final Console console;

  @Parameters(paramLabel = "LOG", arity = "1..*", description = "Logs.")
  private List<Path> logs = new ArrayList<>();

  @Option(
      names = "--config",
      required = true,
      paramLabel = "FILE",
      description = "config.json, whose features and tasks are read.")
  private Path config = Path.of(".");

  @Option(
      names = "--out",
      required = true,
      paramLabel = "FOLDER",
      description = "New folder for training.shards, validation.shards and test.shards.")
  private Path out = Path.of(".");

  @Mixin private LogOptions options = new LogOptions();
  @Mixin private OutputOptions output = new OutputOptions();

  PrepareCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws Exception {
    return Interrupts.heed(this::prepare);
  }

  private int prepare() throws IOException {
    LongerConfig parsed = LongerConfig.parse(Files.readString(config));
    Prepared prepared = options.prepare(parsed.schema()).run(logs, out, DataListener.progressBar());
    if (output.json) {
      console.json(prepared);
      return 0;
    }
    console.print(
        "%s: %s rows of %s users"
            .formatted(out, Numbers.count(prepared.rows()), Numbers.count(prepared.users())));
    TextTable parts = new TextTable("<part", "requests", "candidates", "events", "MB");
    row(parts, "training", prepared.training());
    row(parts, "validation", prepared.validation());
    row(parts, "test", prepared.test());
    console.print(parts);
    return 0;
  }

  private static void row(TextTable table, String part, ShardCounts counts) {
    table.row(
        part,
        Numbers.count(counts.requests()),
        Numbers.count(counts.candidates()),
        Numbers.count(counts.events()),
        "%.1f".formatted(counts.bytes() / 1e6));
  }
}
