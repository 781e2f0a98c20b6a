package ai.longer.data;

import ai.longer.Schema;
import ai.longer.Schema.Feature;
import ai.longer.Schema.Kind;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The requests of a file of one row per request, one after another. Errors are those of {@link
 * Rows}. Not thread-safe.
 */
final class RequestReader implements AutoCloseable {
  private static final int ABSENT = -1;

  private final RequestColumns columns;
  private final DataFile file;
  private final Schema schema;
  private final List<Feature> userFeatures;
  private final List<Label> labels;

  // Indices of columns in the file.
  private final int user;
  private final int time;
  private final int eventTimes;
  private final int firstOrdinal;
  private final int weights;
  private final int[] eventColumns;
  private final int[] userColumns;
  private final int[] candidateColumns;
  private final int[] labelColumns;

  private RequestReader(RequestColumns columns, DataFile file) {
    this.columns = columns;
    this.file = file;
    schema = columns.schema();
    userFeatures = UserLog.userFeatures(schema);
    labels = columns.labels();
    user = file.column(columns.settings().user());
    time = file.column(columns.settings().time());
    eventTimes = file.column(columns.eventTimes());
    firstOrdinal = indexOf(columns.firstOrdinal());
    weights = indexOf(columns.weights());
    eventColumns = indicesOf(schema.eventFeatures(), columns::eventColumn);
    userColumns = indicesOf(userFeatures, columns::column);
    candidateColumns = indicesOf(schema.candidateFeatures(), columns::candidateColumn);
    labelColumns = indicesOf(labels, Label::column);
  }

  static RequestReader open(Path path, RequestColumns columns) {
    DataFile file = DataFile.open(path, names(columns), columns.separators());
    try {
      return new RequestReader(columns, file);
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  private static Set<String> names(RequestColumns columns) {
    Schema schema = columns.schema();
    Set<String> names = new HashSet<>();
    names.add(columns.settings().user());
    names.add(columns.settings().time());
    names.add(columns.eventTimes());
    schema.eventFeatures().forEach(feature -> names.add(columns.eventColumn(feature)));
    schema.candidateFeatures().forEach(feature -> names.add(columns.candidateColumn(feature)));
    UserLog.userFeatures(schema).forEach(feature -> names.add(columns.column(feature)));
    columns.labels().forEach(label -> names.add(label.column()));
    add(names, columns.firstOrdinal());
    add(names, columns.weights());
    return names;
  }

  private static void add(Set<String> names, @Nullable String name) {
    if (name != null) {
      names.add(name);
    }
  }

  private int indexOf(@Nullable String name) {
    return name == null ? ABSENT : file.column(name);
  }

  private <T> int[] indicesOf(List<T> of, Function<T, String> name) {
    return of.stream().mapToInt(one -> file.column(name.apply(one))).toArray();
  }

  /** The file, for the progress of reading it. */
  DataFile file() {
    return file;
  }

  /** Goes to the next row; returns whether there is one. */
  boolean next() {
    return file.next();
  }

  /** The request of the present row. */
  Request request() {
    long referenceTime = columns.settings().time(file, time);
    long[] times = times(referenceTime);
    Column[] events = lists(schema.eventFeatures(), eventColumns, times.length, "event");
    Column[] items = candidates();
    int numCandidates = items.length == 0 ? 0 : items[0].size();
    return new Request(
        new History(schema, events, times, 0, times.length, firstOrdinal()),
        new Candidates(schema, items),
        userValues(),
        referenceTime,
        labels(numCandidates),
        weights(numCandidates),
        columns.settings().user(file, user));
  }

  private long[] times(long referenceTime) {
    Column elements = file.list(eventTimes, Kind.CATEGORICAL, false, DataFile.ANY);
    long[] times = new long[elements.size()];
    for (int i = 0; i < times.length; i++) {
      if (elements.isMissing(i)) {
        throw file.error(eventTimes, "the time of event %d is missing".formatted(i));
      }
      times[i] = columns.settings().seconds(elements.id(i));
      if (i > 0 && times[i] < times[i - 1]) {
        throw file.error(
            eventTimes,
            "events must run from oldest to newest; time %d of event %d is before %d"
                .formatted(times[i], i, times[i - 1]));
      }
      if (times[i] > referenceTime) {
        throw file.error(
            eventTimes,
            "event %d at %d is after the request at %d".formatted(i, times[i], referenceTime));
      }
    }
    return times;
  }

  private long firstOrdinal() {
    if (firstOrdinal == ABSENT) {
      return 0;
    }
    Value value = file.value(firstOrdinal, Kind.CATEGORICAL, false);
    if (value.isMissing() || value.ids()[0] < 0) {
      throw file.error(
          firstOrdinal, "must be a number of events, not negative; got %s".formatted(value));
    }
    return value.ids()[0];
  }

  /** The candidate features, all as long as the first one. */
  private Column[] candidates() {
    if (candidateColumns.length == 0) {
      return new Column[0];
    }
    Feature first = schema.candidateFeatures().get(0);
    Column elements = list(first, candidateColumns[0], DataFile.ANY);
    return lists(schema.candidateFeatures(), candidateColumns, elements.size(), "candidate");
  }

  private Column[] lists(List<Feature> features, int[] indices, int size, String of) {
    Column[] lists = new Column[indices.length];
    for (int i = 0; i < lists.length; i++) {
      lists[i] = list(features.get(i), indices[i], size);
      checkSize(indices[i], lists[i], size, of);
    }
    return lists;
  }

  private Column list(Feature feature, int index, int size) {
    return file.list(index, feature.kind(), columns.settings().isText(feature), size);
  }

  private void checkSize(int index, Column list, int size, String of) {
    if (list.size() != size) {
      throw file.error(
          index, "must have %d elements, one per %s; got %d".formatted(size, of, list.size()));
    }
  }

  private Column[] userValues() {
    Column[] values = new Column[userColumns.length];
    for (int i = 0; i < values.length; i++) {
      Feature feature = userFeatures.get(i);
      Value value = file.value(userColumns[i], feature.kind(), columns.settings().isText(feature));
      values[i] = Column.of(feature.kind(), List.of(value));
    }
    return values;
  }

  private float @Nullable [][] labels(int numCandidates) {
    if (labels.isEmpty()) {
      return null;
    }
    float[][] all = new float[labels.size()][];
    for (int task = 0; task < all.length; task++) {
      all[task] = numbers(labelColumns[task], numCandidates);
      for (int i = 0; i < numCandidates; i++) {
        all[task][i] = labels.get(task).of(all[task][i], file, labelColumns[task]);
      }
    }
    return all;
  }

  private float @Nullable [] weights(int numCandidates) {
    if (weights == ABSENT) {
      return null;
    }
    float[] numbers = numbers(weights, numCandidates);
    for (int i = 0; i < numbers.length; i++) {
      if (!(numbers[i] >= 0)) {
        throw file.error(
            weights,
            Float.isNaN(numbers[i])
                ? "the weight of candidate %d is missing".formatted(i)
                : "weight %d must not be negative; got %s".formatted(i, numbers[i]));
      }
    }
    return numbers;
  }

  private float[] numbers(int index, int size) {
    Column list = file.list(index, Kind.NUMERIC, false, size);
    checkSize(index, list, size, "candidate");
    float[] numbers = new float[size];
    for (int i = 0; i < size; i++) {
      numbers[i] = list.number(i);
    }
    return numbers;
  }

  @Override
  public void close() {
    file.close();
  }
}
