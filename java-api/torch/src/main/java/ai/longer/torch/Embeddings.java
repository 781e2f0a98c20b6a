package ai.longer.torch;

import ai.longer.Schema;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/** The features of one batch as the tokens read them. Pads hold some row; nothing reads them. */
final class Embeddings {
  private final Schema schema;
  private final Features features;
  private final Parameters parameters;
  private final Precision precision;
  private final List<@Nullable NamedRows> tables = new ArrayList<>();
  private final Tensor events;
  private final Map<String, Tensor> users;
  private final Map<String, Tensor> candidates;

  /**
   * @param growable the growable tables by table index, null where a table is dense
   * @param insert count the ids and give those that are admitted a row, as training does
   */
  Embeddings(
      Schema schema,
      Parameters parameters,
      List<@Nullable GrowableTable> growable,
      RequestBatch requests,
      PaddedBatch batch,
      boolean insert) {
    this.schema = schema;
    this.features = new Features(schema);
    this.parameters = parameters;
    this.precision = parameters.precision();
    for (GrowableTable table : growable) {
      tables.add(table == null ? null : new NamedRows(table, insert));
    }
    int numRequests = batch.numRequests();
    // All ids become rows before the first leaf is read: features share tables.
    Map<String, Supplier<Tensor>> ofEvents =
        inputs(schema.eventFeatures(), requests.events(), batch.events);
    Map<String, Supplier<Tensor>> ofUsers =
        inputs(features.ofUsers(), requests.users(), IntStream.range(0, numRequests).toArray());
    Map<String, Supplier<Tensor>> ofCandidates =
        inputs(schema.candidateFeatures(), requests.candidates(), candidatePlaces(requests, batch));
    this.events =
        Layers.concat(1, ofEvents.values().stream().map(Supplier::get).toArray(Tensor[]::new))
            .view(numRequests, batch.numSlots(), features.width(schema.eventFeatures()));
    this.users = new LinkedHashMap<>();
    ofUsers.forEach((name, input) -> users.put(name, input.get()));
    this.candidates = new LinkedHashMap<>();
    for (Schema.Feature feature : schema.candidateFeatures()) {
      Tensor rows = Objects.requireNonNull(ofCandidates.get(feature.name())).get();
      candidates.put(
          feature.name(), rows.view(numRequests, batch.numCandidates, features.width(feature)));
    }
  }

  /** [B, S·K, event features' width]. */
  Tensor events() {
    return events;
  }

  /** [B, width] of all user and context features side by side; null without such features. */
  @Nullable Tensor users() {
    return users.isEmpty() ? null : ofUsers(List.copyOf(users.keySet()));
  }

  /** [B, C, width] of all candidate features side by side. */
  Tensor candidates() {
    return ofCandidates(List.copyOf(candidates.keySet()));
  }

  /** [B, width] of these user and context features side by side. */
  Tensor ofUsers(List<String> names) {
    return Layers.concat(1, named(users, names));
  }

  /** [B, C, width] of these candidate features side by side. */
  Tensor ofCandidates(List<String> names) {
    return Layers.concat(2, named(candidates, names));
  }

  /** The rows of each growable table that the batch names. */
  List<NamedRows> namedRows() {
    return tables.stream().filter(Objects::nonNull).toList();
  }

  /** [B·C] index of the candidate in the ragged batch, or {@link PaddedBatch#PAD}. */
  private static int[] candidatePlaces(RequestBatch requests, PaddedBatch batch) {
    int padded = batch.numCandidates;
    return IntStream.range(0, requests.numRequests() * padded)
        .map(
            i -> {
              int b = i / padded;
              int c = i % padded;
              return c < requests.numCandidates(b)
                  ? requests.candidateOffsets()[b] + c
                  : PaddedBatch.PAD;
            })
        .toArray();
  }

  private Map<String, Supplier<Tensor>> inputs(
      List<Schema.Feature> ofKind, List<FeatureColumn> columns, int[] places) {
    Map<String, Supplier<Tensor>> inputs = new LinkedHashMap<>();
    for (int f = 0; f < ofKind.size(); f++) {
      Schema.Feature feature = ofKind.get(f);
      FeatureColumn column = columns.get(f);
      inputs.put(
          feature.name(),
          switch (feature.kind()) {
            case NUMERIC -> numeric(feature, column, places);
            case CATEGORICAL -> categorical(features.table(feature), column, places);
            case MANY_VALUED -> manyValued(features.table(feature), column, places);
          });
    }
    return inputs;
  }

  /** [places, 2]: the scaled number and 1, or 0 and 0 where it is missing. */
  private Supplier<Tensor> numeric(Schema.Feature feature, FeatureColumn column, int[] places) {
    double[] inputs = new double[2 * places.length];
    for (int i = 0; i < places.length; i++) {
      float number = places[i] == PaddedBatch.PAD ? Float.NaN : column.numbers()[places[i]];
      if (!Float.isNaN(number)) {
        inputs[2 * i] = (number - feature.mean()) / feature.scale();
        inputs[2 * i + 1] = 1;
      }
    }
    return () -> precision.tensor(inputs, places.length, 2);
  }

  /** Finds the rows of the ids; what is returned reads them: [places, width], 0 where missing. */
  private Supplier<Tensor> categorical(int table, FeatureColumn column, int[] places) {
    if (column.ids().length < column.numRows()) {
      return manyValued(table, column, places); // where missing, none of many
    }
    long[] rows = new long[places.length];
    for (int i = 0; i < places.length; i++) {
      rows[i] = places[i] == PaddedBatch.PAD ? 0 : row(table, column.ids()[places[i]]);
    }
    return () -> source(table).index_select(0, Tensor.create(rows, rows.length));
  }

  /** As {@link #categorical}, the mean over the ids of a place. */
  private Supplier<Tensor> manyValued(int table, FeatureColumn column, int[] places) {
    long[] rows = new long[column.ids().length];
    long[] placeOfRow = new long[rows.length];
    float[] counts = new float[places.length];
    int numRows = 0;
    for (int i = 0; i < places.length; i++) {
      int numIds = places[i] == PaddedBatch.PAD ? 0 : column.numIds(places[i]);
      counts[i] = Math.max(1, numIds);
      for (int j = 0; j < numIds; j++) {
        rows[numRows] = row(table, column.id(places[i], j));
        placeOfRow[numRows++] = i;
      }
    }
    int count = numRows;
    return () -> {
      int width = schema.tables().get(table).width();
      Tensor zeros = precision.tensor(new float[places.length * width], places.length, width);
      if (count == 0) {
        return zeros;
      }
      Tensor read = source(table).index_select(0, Tensor.create(Arrays.copyOf(rows, count), count));
      return zeros
          .index_add(0, Tensor.create(Arrays.copyOf(placeOfRow, count), count), read)
          .div(precision.tensor(counts, counts.length, 1));
    };
  }

  private int row(int table, long id) {
    NamedRows rows = tables.get(table);
    if (rows != null) {
      return rows.leafRow(id);
    }
    int numIds = schema.tables().get(table).rows();
    return id >= 0 && id < numIds ? (int) id + 1 : 0;
  }

  private Tensor source(int table) {
    NamedRows growable = tables.get(table);
    return growable != null
        ? growable.leaf()
        : parameters.get(ParameterShapes.ofTable(schema.tables().get(table)));
  }

  private static Tensor[] named(Map<String, Tensor> inputs, List<String> names) {
    return names.stream()
        .map(name -> Objects.requireNonNull(inputs.get(name), name))
        .toArray(Tensor[]::new);
  }
}
