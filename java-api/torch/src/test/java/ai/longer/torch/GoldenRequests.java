package ai.longer.torch;

import ai.longer.Schema;
import ai.longer.data.Candidates;
import ai.longer.data.History;
import ai.longer.data.Request;
import ai.longer.data.Value;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;

/** The batch of a file in native/tests/golden, whose columns lie in the order of the schema. */
final class GoldenRequests {
  private final Schema schema;
  private final JsonNode batch;

  private GoldenRequests(Schema schema, JsonNode batch) {
    this.schema = schema;
    this.batch = batch;
  }

  static List<Request> read(Schema schema, JsonNode batch) {
    GoldenRequests reader = new GoldenRequests(schema, batch);
    return IntStream.range(0, batch.get("reference_times").size())
        .mapToObj(reader::request)
        .toList();
  }

  private Request request(int row) {
    Request.Builder request =
        Request.builder(history(row), candidates(row))
            .referenceTime(batch.get("reference_times").get(row).longValue());
    int column = 0;
    for (Schema.Feature feature : schema.userFeatures()) {
      request.user(feature.name(), value(feature, column++, row));
    }
    for (Schema.Feature feature : schema.contextFeatures()) {
      request.context(feature.name(), value(feature, column++, row));
    }
    int begin = batch.get("candidate_offsets").get(row).intValue();
    int end = batch.get("candidate_offsets").get(row + 1).intValue();
    int numCandidates =
        batch.get("candidate_offsets").get(batch.get("candidate_offsets").size() - 1).intValue();
    int task = 0;
    for (Schema.Task named : schema.tasks()) {
      int first = numCandidates * task++;
      request.labels(named.name(), floats(batch.get("labels"), first + begin, first + end));
    }
    return request.weights(floats(batch.get("weights"), begin, end)).build();
  }

  private History history(int row) {
    int begin = batch.get("event_offsets").get(row).intValue();
    int end = batch.get("event_offsets").get(row + 1).intValue();
    History.Builder history =
        History.builder(schema)
            .times(longs(batch.get("event_times"), begin, end))
            .firstOrdinal(batch.get("first_ordinals").get(row).longValue());
    int index = 0;
    for (Schema.Feature feature : schema.eventFeatures()) {
      JsonNode column = batch.get("event_columns").get(index++);
      switch (feature.kind()) {
        case CATEGORICAL ->
            history.longs(
                feature.name(), longs(column.get("ids"), begin, end), missing(column, begin, end));
        case MANY_VALUED -> history.longs(feature.name(), lists(column, begin, end));
        case NUMERIC -> history.floats(feature.name(), floats(column.get("numbers"), begin, end));
      }
    }
    return history.build();
  }

  private Candidates candidates(int row) {
    int begin = batch.get("candidate_offsets").get(row).intValue();
    int end = batch.get("candidate_offsets").get(row + 1).intValue();
    Candidates.Builder candidates = Candidates.builder(schema);
    int index = 0;
    for (Schema.Feature feature : schema.candidateFeatures()) {
      JsonNode column = batch.get("candidate_columns").get(index++);
      switch (feature.kind()) {
        case CATEGORICAL ->
            candidates.longs(
                feature.name(), longs(column.get("ids"), begin, end), missing(column, begin, end));
        case MANY_VALUED -> candidates.longs(feature.name(), lists(column, begin, end));
        case NUMERIC ->
            candidates.floats(feature.name(), floats(column.get("numbers"), begin, end));
      }
    }
    return candidates.build();
  }

  private Value value(Schema.Feature feature, int index, int row) {
    JsonNode column = batch.get("user_columns").get(index);
    if (missing(column, row, row + 1).get(0)) {
      return Value.missing();
    }
    return switch (feature.kind()) {
      case CATEGORICAL -> Value.id(column.get("ids").get(row).longValue());
      case MANY_VALUED -> Value.ids(lists(column, row, row + 1)[0]);
      case NUMERIC -> {
        float number = floats(column.get("numbers"), row, row + 1)[0];
        yield Float.isNaN(number) ? Value.missing() : Value.number(number);
      }
    };
  }

  /** Rows whose validity bit is 0. */
  private static BitSet missing(JsonNode column, int begin, int end) {
    BitSet missing = new BitSet();
    if (column.has("valid")) {
      for (int row = begin; row < end; row++) {
        int bits = column.get("valid").get(row / Byte.SIZE).intValue();
        missing.set(row - begin, (bits >> (row % Byte.SIZE) & 1) == 0);
      }
    }
    return missing;
  }

  private static long[][] lists(JsonNode column, int begin, int end) {
    List<long[]> rows = new ArrayList<>();
    for (int row = begin; row < end; row++) {
      int first = column.get("offsets").get(row).intValue();
      int last = column.get("offsets").get(row + 1).intValue();
      rows.add(first == last ? new long[0] : longs(column.get("ids"), first, last));
    }
    return rows.toArray(long[][]::new);
  }

  private static long[] longs(JsonNode values, int begin, int end) {
    return IntStream.range(begin, end).mapToLong(i -> values.get(i).longValue()).toArray();
  }

  private static float[] floats(JsonNode values, int begin, int end) {
    float[] floats = new float[end - begin];
    Arrays.fill(floats, Float.NaN);
    for (int i = begin; i < end; i++) {
      if (!values.get(i).isNull()) {
        floats[i - begin] = values.get(i).floatValue();
      }
    }
    return floats;
  }
}
