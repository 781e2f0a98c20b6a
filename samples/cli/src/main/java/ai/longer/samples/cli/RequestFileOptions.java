package ai.longer.samples.cli;

import ai.longer.Schema;
import ai.longer.data.PrepareRequests;
import ai.longer.data.RequestColumns;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which columns rows that are requests have beside, and which of them are for what. */
final class RequestFileOptions {
  static final List<String> NAMES =
      List.of(
          "--event-times",
          "--event-column",
          "--candidate-column",
          "--first-ordinal",
          "--weights",
          "--between-elements",
          "--validation-from",
          "--test-from");

  @Option(
      names = "--event-times",
      paramLabel = "COLUMN",
      description = "Of requests: list of the events' times (default: event_times).")
  private @Nullable String eventTimes;

  @Option(
      names = "--event-column",
      paramLabel = "FEATURE=COLUMN",
      description = "Of requests: list of an event feature (default: event_FEATURE).")
  private Map<String, String> eventColumns = new LinkedHashMap<>();

  @Option(
      names = "--candidate-column",
      paramLabel = "FEATURE=COLUMN",
      description = "Of requests: list of a candidate feature (default: candidate_FEATURE).")
  private Map<String, String> candidateColumns = new LinkedHashMap<>();

  @Option(
      names = "--first-ordinal",
      paramLabel = "COLUMN",
      description = "Of requests: how many events the user had before those (default: 0).")
  private @Nullable String firstOrdinal;

  @Option(
      names = "--weights",
      paramLabel = "COLUMN",
      description = "Of requests: list of the candidates' sample weights (default: 1).")
  private @Nullable String weights;

  @Option(
      names = "--between-elements",
      paramLabel = "CHAR",
      description = "Of requests: what stands between elements in CSV (default: ;).")
  private char betweenElements = ';';

  @Option(
      names = "--validation-from",
      paramLabel = "SECOND",
      description = "Of requests: epoch second from which they are to validate on.")
  private @Nullable Long validationFrom;

  @Option(
      names = "--test-from",
      paramLabel = "SECOND",
      description = "Of requests: epoch second from which they are for the test.")
  private @Nullable Long testFrom;

  /** Whether some rows are for the test. */
  boolean hasTest() {
    return testFrom != null;
  }

  /** The columns; {@code own} are those of user and context features. */
  RequestColumns.Builder columns(Schema schema, Map<String, String> own) {
    RequestColumns.Builder builder =
        RequestColumns.builder(schema).betweenElements(betweenElements);
    own.forEach(builder::column);
    eventColumns.forEach(builder::eventColumn);
    candidateColumns.forEach(builder::candidateColumn);
    if (eventTimes != null) {
      builder.eventTimes(eventTimes);
    }
    if (firstOrdinal != null) {
      builder.firstOrdinal(firstOrdinal);
    }
    if (weights != null) {
      builder.weights(weights);
    }
    return builder;
  }

  PrepareRequests prepare(RequestColumns.Builder columns) {
    PrepareRequests.Builder prepare = PrepareRequests.builder(columns.build());
    if (validationFrom != null) {
      prepare.validationFrom(validationFrom);
    }
    if (testFrom != null) {
      prepare.testFrom(testFrom);
    }
    return prepare.build();
  }
}
