package ai.longer.data;

import ai.longer.Schema;
import ai.longer.Schema.Feature;
import ai.longer.Schema.Kind;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * Which fields of a log's row are the values and labels of an {@link Interaction}, and how these
 * are packed to be sorted. A field that several features read is kept once. Not thread-safe.
 */
final class LogRow {
  /** A field. */
  record Field(String column, Kind kind, boolean isText) {}

  private final LogColumns columns;
  private final List<Field> fields;
  private final int[] event;
  private final int[] candidate;
  private final int[] user;
  private final List<Label> labels;

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final DataOutputStream packed = new DataOutputStream(bytes);

  LogRow(LogColumns columns) {
    this.columns = columns;
    Schema schema = columns.schema();
    List<Feature> userFeatures = UserLog.userFeatures(schema);
    fields =
        Stream.of(schema.eventFeatures(), schema.candidateFeatures(), userFeatures)
            .flatMap(List::stream)
            .map(this::field)
            .distinct()
            .toList();
    event = indices(schema.eventFeatures());
    candidate = indices(schema.candidateFeatures());
    user = indices(userFeatures);
    labels = columns.settings().labels();
  }

  private Field field(Feature feature) {
    return new Field(columns.column(feature), feature.kind(), columns.settings().isText(feature));
  }

  private int[] indices(List<Feature> features) {
    return features.stream().mapToInt(feature -> fields.indexOf(field(feature))).toArray();
  }

  /** The names of the columns: the user's, that of times, fields, labels. */
  List<String> columns() {
    List<String> names =
        new ArrayList<>(List.of(columns.settings().user(), columns.settings().time()));
    fields.forEach(field -> names.add(field.column()));
    labels.forEach(label -> names.add(label.column()));
    return names;
  }

  /** Adds the present row; {@code indices} are those of {@link #columns}. */
  void read(DataFile log, int[] indices, ExternalSort to) {
    to.add(
        columns.settings().user(log, indices[0]),
        columns.settings().time(log, indices[1]),
        pack(log, Arrays.copyOfRange(indices, 2, indices.length)));
  }

  /** The values of fields and labels, whose indices these are. */
  private byte[] pack(DataFile log, int[] indices) {
    bytes.reset();
    try {
      for (int i = 0; i < fields.size(); i++) {
        Field field = fields.get(i);
        pack(log.value(indices[i], field.kind(), field.isText()), field.kind());
      }
      for (int i = 0; i < labels.size(); i++) {
        int column = indices[fields.size() + i];
        float number = log.value(column, Kind.NUMERIC, false).number();
        packed.writeFloat(labels.get(i).of(number, log, column));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e); // memory does not fail
    }
    return bytes.toByteArray();
  }

  private void pack(Value value, Kind kind) throws IOException {
    switch (kind) {
      case CATEGORICAL -> {
        packed.writeBoolean(value.isMissing());
        packed.writeLong(value.isMissing() ? 0 : value.ids()[0]);
      }
      case MANY_VALUED -> {
        packed.writeInt(value.ids().length);
        for (long id : value.ids()) {
          packed.writeLong(id);
        }
      }
      case NUMERIC -> packed.writeFloat(value.number());
    }
  }

  Interaction unpack(ExternalSort.Entry entry) {
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(entry.payload()));
    Value[] values = new Value[fields.size()];
    float[] truth = new float[labels.size()];
    try {
      for (int i = 0; i < values.length; i++) {
        values[i] = unpack(in, fields.get(i).kind());
      }
      for (int i = 0; i < truth.length; i++) {
        truth[i] = in.readFloat();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e); // memory does not fail
    }
    return new Interaction(
        entry.user(),
        entry.time(),
        pick(values, event),
        pick(values, candidate),
        pick(values, user),
        truth);
  }

  private static Value unpack(DataInputStream in, Kind kind) throws IOException {
    switch (kind) {
      case CATEGORICAL -> {
        boolean isMissing = in.readBoolean();
        long id = in.readLong();
        return isMissing ? Value.missing() : Value.id(id);
      }
      case MANY_VALUED -> {
        long[] ids = new long[in.readInt()];
        for (int i = 0; i < ids.length; i++) {
          ids[i] = in.readLong();
        }
        return ids.length == 0 ? Value.missing() : Value.ids(ids);
      }
      case NUMERIC -> {
        return Value.number(in.readFloat());
      }
    }
    throw new AssertionError(kind);
  }

  private static List<Value> pick(Value[] values, int[] indices) {
    return Arrays.stream(indices).mapToObj(i -> values[i]).toList();
  }
}
