package ai.longer.samples.cli;

import ai.longer.LongerConfig;
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

/** Logs, or requests, become shards. */
@Command(
    name = "prepare",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Turns files of any size into training, validation and test shards.",
      "A log has one row per interaction, in any order, and a header: CSV or TSV, also packed"
          + " (.gz), or Parquet. What a user did later than a request is in no history of it.",
      "With --rows requests a row is a whole request: the user, the time, lists of one element an"
          + " event (oldest first) and lists of one element a candidate, in Parquet columns of"
          + " lists, or in CSV. Requests stay in the order of the files."
    },
    footer = {
      "",
      "Options may stand in a file, one a line: longer prepare @FILE",
      "Examples:",
      "  longer prepare ratings.csv.gz --config config.json --out data --user userId"
          + " --time timestamp --column movie=movieId --label 'click=rating>=4' --test 0.1",
      "  longer prepare day-1.parquet day-2.parquet --rows requests --config config.json --out data"
          + " --user user_id --time request_time --event-times history_times"
          + " --event-column movie=history --candidate-column movie=shown --label click=clicks"
    })
final class PrepareCommand implements Callable<Integer> {
  private final Console console;

  @Parameters(
      paramLabel = "FILE",
      arity = "1..*",
      description = "Logs or requests: files, or folders of them.")
  private List<Path> files = new ArrayList<>();

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

  @Mixin private RowOptions rows = new RowOptions();
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
    Prepared prepared = rows.prepare(parsed.schema(), files, out);
    if (output.json) {
      console.json(prepared);
      return 0;
    }
    Long users = prepared.users();
    console.print(
        "%s: %s %s"
            .formatted(
                out,
                Numbers.count(prepared.rows()),
                users == null ? "requests" : "rows of %s users".formatted(Numbers.count(users))));
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
