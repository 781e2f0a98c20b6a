package ai.longer.samples.cli;

import ai.longer.CorruptDataException;
import ai.longer.Schema;
import ai.longer.Schema.Feature;
import ai.longer.Schema.Kind;
import ai.longer.data.Candidates;
import ai.longer.data.History;
import ai.longer.data.Request;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonToken;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reads ranking requests from JSON, one after another, holding one at a time. Not thread-safe.
 *
 * <p>Errors are {@link CorruptDataException}s that name line, column and field.
 */
final class RequestReader implements AutoCloseable {
  /** The format, for help texts; lines of at most 80 columns, without per cent signs. */
  static final String FORMAT =
      """

      A request is a JSON object. An input holds any number of them, one after
      another, on a line each or on several:
        {"time": 1700000300, "user": {"user": 7}, "context": {"hour": 13},
         "event_times": [1700000000, 1700000100],
         "events": {"movie": [1, 3], "genres": [["war", "drama"], []],
                    "price": [9.5, null]},
         "candidates": {"movie": [5, 7, 9]}}
      time           epoch second of the request; default: its newest event's
      user, context  values of the model's user and context features, by name
      event_times    epoch seconds of the user's past events, oldest first
      events         event features, by name: one value an event
      candidates     candidate features, by name: one value a candidate
      first_ordinal  events that the user had before these; default: 0
      id             a text or number that the results repeat
      The features are those that config.json lists; all must be there, and
      nothing else. An id is a whole number or a text, which is hashed as the SDK's
      StringIds does; a feature of many values takes lists of ids, a numeric one
      numbers; null is a missing value. A user without past events has neither
      event_times nor events.""";

  private final Schema schema;
  private final JsonTokens tokens;
  private int number;

  private RequestReader(Schema schema, JsonTokens tokens) {
    this.schema = schema;
    this.tokens = tokens;
  }

  /**
   * Opens a file, or standard input for {@code -}.
   *
   * @throws UncheckedIOException if it cannot be read
   */
  static RequestReader open(Path file, Schema schema) {
    return new RequestReader(schema, JsonTokens.open(file));
  }

  /** Returns the next request, null after the last. */
  @Nullable JsonRequest next() {
    if (tokens.next() == null) {
      return null;
    }
    number++;
    JsonLocation begin = tokens.location();
    Fields fields = new Fields();
    tokens.expect(JsonToken.START_OBJECT, "a request must be an object");
    while (tokens.next() != JsonToken.END_OBJECT) {
      readField(fields);
    }
    try {
      return fields.request();
    } catch (IllegalArgumentException e) {
      throw tokens.error(begin, "request %d: %s".formatted(number, withoutSource(e)), e);
    }
  }

  private static String withoutSource(IllegalArgumentException error) {
    return String.valueOf(error.getMessage()).replaceFirst("^\\[\\w+] ", "");
  }

  private void readField(Fields fields) {
    String key = tokens.name();
    tokens.next();
    switch (key) {
      case "id" -> fields.id = tokens.id();
      case "time" -> fields.time = tokens.wholeNumber();
      case "first_ordinal" -> fields.firstOrdinal = tokens.wholeNumber();
      case "event_times" -> fields.times = times();
      case "user" -> fields.user = object(schema.userFeatures(), this::single);
      case "context" -> fields.context = object(schema.contextFeatures(), this::single);
      case "events" -> fields.events = object(schema.eventFeatures(), this::column);
      case "candidates" -> fields.candidates = object(schema.candidateFeatures(), this::column);
      default ->
          throw tokens.error(
              "is unknown; expected id, time, user, context, event_times, events, first_ordinal"
                  + " or candidates");
    }
  }

  /** What one request has had so far. */
  private final class Fields {
    private @Nullable Object id;
    private @Nullable Long time;
    private long firstOrdinal;
    private long @Nullable [] times;
    private List<JsonColumn> user = List.of();
    private List<JsonColumn> context = List.of();
    private @Nullable List<JsonColumn> events;
    private @Nullable List<JsonColumn> candidates;

    JsonRequest request() {
      if (candidates == null) {
        throw new IllegalArgumentException("candidates are missing");
      }
      Candidates.Builder items = Candidates.builder(schema);
      candidates.forEach(column -> column.addTo(items));
      Request.Builder request = Request.builder(history(), items.build()).groupKey(number);
      user.forEach(column -> request.user(column.feature().name(), column.single()));
      context.forEach(column -> request.context(column.feature().name(), column.single()));
      if (time != null) {
        request.referenceTime(time);
      }
      List<JsonColumn> past = events == null ? List.of() : events;
      return new JsonRequest(number, id, request.build(), past, candidates);
    }

    private History history() {
      if (events == null && (times == null || times.length == 0)) {
        return History.empty(schema);
      }
      if (events == null || times == null) {
        throw new IllegalArgumentException(
            "event_times and events go together; got %s alone"
                .formatted(times == null ? "events" : "event_times"));
      }
      History.Builder history = History.builder(schema).times(times).firstOrdinal(firstOrdinal);
      events.forEach(column -> column.addTo(history));
      return history.build();
    }
  }

  private interface ColumnReader {
    List<@Nullable Object> read(Feature feature);
  }

  /** An object with a member for each of the features. */
  private List<JsonColumn> object(List<Feature> features, ColumnReader reader) {
    tokens.expect(JsonToken.START_OBJECT, "must be an object");
    @Nullable JsonColumn[] columns = new @Nullable JsonColumn[features.size()];
    while (tokens.next() != JsonToken.END_OBJECT) {
      String key = tokens.name();
      List<String> names = features.stream().map(Feature::name).toList();
      int index = names.indexOf(key);
      if (index < 0) {
        throw tokens.error("is no feature of the model; expected " + names);
      }
      tokens.next();
      columns[index] = new JsonColumn(features.get(index), reader.read(features.get(index)));
    }
    List<JsonColumn> all = new ArrayList<>();
    for (int i = 0; i < columns.length; i++) {
      JsonColumn column = columns[i];
      if (column == null) {
        throw tokens.error("has no \"%s\"".formatted(features.get(i).name()));
      }
      all.add(column);
    }
    return all;
  }

  private List<@Nullable Object> single(Feature feature) {
    List<@Nullable Object> one = new ArrayList<>();
    one.add(value(feature.kind()));
    return one;
  }

  private List<@Nullable Object> column(Feature feature) {
    tokens.expect(JsonToken.START_ARRAY, "must be a list with one value a row");
    List<@Nullable Object> values = new ArrayList<>();
    while (tokens.next() != JsonToken.END_ARRAY) {
      values.add(value(feature.kind()));
    }
    return values;
  }

  private @Nullable Object value(Kind kind) {
    if (tokens.isNull()) {
      return null;
    }
    return switch (kind) {
      case CATEGORICAL -> tokens.id();
      case MANY_VALUED -> ids();
      case NUMERIC -> tokens.number();
    };
  }

  private List<Object> ids() {
    tokens.expect(JsonToken.START_ARRAY, "must be a list of ids");
    List<Object> ids = new ArrayList<>();
    while (tokens.next() != JsonToken.END_ARRAY) {
      ids.add(tokens.id());
    }
    return ids;
  }

  private long[] times() {
    tokens.expect(JsonToken.START_ARRAY, "must be a list of epoch seconds");
    List<Long> times = new ArrayList<>();
    while (tokens.next() != JsonToken.END_ARRAY) {
      times.add(tokens.wholeNumber());
    }
    return times.stream().mapToLong(Long::longValue).toArray();
  }

  @Override
  public void close() {
    tokens.close();
  }
}
