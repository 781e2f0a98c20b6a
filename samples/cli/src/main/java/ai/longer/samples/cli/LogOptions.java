package ai.longer.samples.cli;

import ai.longer.Schema;
import ai.longer.data.LogColumns;
import ai.longer.data.Prepare;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Which columns of logs are what, and how their rows become requests. */
final class LogOptions {
  private static final String AT_LEAST = ">=";
  private static final long MEBIBYTE = 1L << 20;

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
      description = "Column of the features of a name (default: that of the same name).")
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

  @Option(
      names = "--candidates",
      paramLabel = "N",
      description = "Most candidates of a request (default: ${DEFAULT-VALUE}).")
  private int candidates = 8;

  @Option(
      names = "--min-history",
      paramLabel = "N",
      description = "Leave out requests with fewer past events (default: ${DEFAULT-VALUE}).")
  private int minHistory;

  @Option(
      names = "--validation",
      paramLabel = "SHARE",
      description = "Share of each user's rows, before the test's, to validate on (default: 0).")
  private double validation;

  @Option(
      names = "--test",
      paramLabel = "SHARE",
      description = "Newest share of each user's rows, for the test (default: 0).")
  private double test;

  @Option(
      names = "--sort-memory",
      paramLabel = "MIB",
      description = "Memory to sort in (default: a quarter of the heap, at most 1024).")
  private long sortMemory;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command = CommandSpec.create();

  /** Reads logs with the columns of a schema. */
  Prepare prepare(Schema schema) {
    Prepare.Builder prepare =
        Prepare.builder(columns(schema))
            .requests(
                rules ->
                    rules
                        .candidatesPerRequest(candidates)
                        .minHistory(minHistory)
                        .validationShare(validation)
                        .testShare(test));
    if (sortMemory > 0) {
      prepare.memoryBytes(Math.multiplyExact(sortMemory, MEBIBYTE));
    }
    return prepare.build();
  }

  /** Whether some rows are for the test. */
  boolean hasTest() {
    return test > 0;
  }

  private LogColumns columns(Schema schema) {
    if (user == null || time == null) {
      throw usage("logs need --user and --time, their columns of users and times");
    }
    LogColumns.Builder builder = LogColumns.builder(schema).between(between);
    builder.time(time, timeUnit);
    if (isUserText) {
      builder.textUser(user);
    } else {
      builder.user(user);
    }
    columns.forEach(builder::column);
    builder.texts(texts.toArray(String[]::new));
    labels.forEach((task, label) -> label(builder, task, label));
    return builder.build();
  }

  private void label(LogColumns.Builder builder, String task, String label) {
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
