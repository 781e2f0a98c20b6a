package ai.longer.samples.cli;

import ai.longer.Schema;
import ai.longer.data.ColumnsBuilder;
import ai.longer.data.DataListener;
import ai.longer.data.LogColumns;
import ai.longer.data.Prepared;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What the rows of files are, which columns they have, and how they become shards. */
final class RowOptions {
  /** What a row is. */
  enum Rows {
    INTERACTIONS,
    REQUESTS
  }

  private static final String AT_LEAST = ">=";

  @Option(
      names = "--rows",
      paramLabel = "KIND",
      description = "What a row is: one of ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Rows rows = Rows.INTERACTIONS;

  @Option(names = "--user", paramLabel = "COLUMN", description = "Column of user keys.")
  private @Nullable String user;

  @Option(names = "--text-user", description = "User keys are texts, not whole numbers.")
  private boolean isUserText;

  @Option(names = "--time", paramLabel = "COLUMN", description = "Column of times.")
  private @Nullable String time;

  @Option(
      names = "--time-unit",
      paramLabel = "UNIT",
      description = "Since 1970: one of ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private LogColumns.TimeUnit timeUnit = LogColumns.TimeUnit.SECONDS;

  @Option(
      names = "--column",
      paramLabel = "FEATURE=COLUMN",
      description =
          "Column of the features of a name, of requests: of a user or context feature (default:"
              + " that of the same name).")
  private Map<String, String> columns = new LinkedHashMap<>();

  @Option(
      names = "--texts",
      split = ",",
      paramLabel = "FEATURE",
      description = "Features whose ids are texts, not whole numbers.")
  private List<String> texts = new ArrayList<>();

  @Option(
      names = "--between",
      paramLabel = "CHAR",
      description = "What stands between many values in CSV (default: ${DEFAULT-VALUE}).")
  private char between = '|';

  @Option(
      names = "--label",
      paramLabel = "TASK=COLUMN[>=NUMBER]",
      description = "Label of a task: the column, or whether it is at least a number.")
  private Map<String, String> labels = new LinkedHashMap<>();

  @Mixin private LogOptions logs = new LogOptions();
  @Mixin private RequestFileOptions requests = new RequestFileOptions();

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command = CommandSpec.create();

  /** Whether a folder of data may be one of files: what is a request may lie in many. */
  boolean areRequests() {
    return rows == Rows.REQUESTS;
  }

  /** Whether some rows are for the test. */
  boolean hasTest() {
    return areRequests() ? requests.hasTest() : logs.hasTest();
  }

  /** Reads files and writes shards with the columns of a schema. */
  Prepared prepare(Schema schema, List<Path> files, Path folder) {
    if (user == null || time == null) {
      throw usage("files need --user and --time, their columns of users and times");
    }
    refuse(areRequests() ? LogOptions.NAMES : RequestFileOptions.NAMES);
    DataListener progress = DataListener.progressBar();
    if (areRequests()) {
      return requests
          .prepare(common(requests.columns(schema, columns), user, time))
          .run(files, folder, progress);
    }
    LogColumns.Builder builder = LogColumns.builder(schema);
    columns.forEach(builder::column);
    return logs.prepare(common(builder, user, time)).run(files, folder, progress);
  }

  /** Options of the other kind of rows would say nothing. */
  private void refuse(List<String> options) {
    for (String option : options) {
      if (command.commandLine().getParseResult().hasMatchedOption(option)) {
        throw usage(
            "%s does not go with --rows %s"
                .formatted(option, rows.name().toLowerCase(Locale.ROOT)));
      }
    }
  }

  private <B extends ColumnsBuilder<B>> B common(B builder, String userColumn, String timeColumn) {
    builder.between(between).time(timeColumn, timeUnit).texts(texts.toArray(String[]::new));
    if (isUserText) {
      builder.textUser(userColumn);
    } else {
      builder.user(userColumn);
    }
    labels.forEach((task, label) -> label(builder, task, label));
    return builder;
  }

  private void label(ColumnsBuilder<?> builder, String task, String label) {
    int at = label.indexOf(AT_LEAST);
    if (at < 0) {
      builder.label(task, label);
      return;
    }
    String number = label.substring(at + AT_LEAST.length());
    try {
      builder.label(task, label.substring(0, at), Double.parseDouble(number));
    } catch (NumberFormatException e) {
      throw usage(
          "--label must be TASK=COLUMN or TASK=COLUMN>=NUMBER; got %s=%s".formatted(task, label));
    }
  }

  private ParameterException usage(String problem) {
    return new ParameterException(command.commandLine(), problem);
  }
}
