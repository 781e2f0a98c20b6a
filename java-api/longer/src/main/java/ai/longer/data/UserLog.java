package ai.longer.data;

import ai.longer.Schema;
import ai.longer.Schema.Feature;
import ai.longer.data.RequestBuilder.Rules;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** One user's rows in columns, and the requests made of them. Immutable. */
final class UserLog {
  /** A period of a user's rows. */
  enum Part {
    TRAINING,
    VALIDATION,
    TEST
  }

  /** So that 0.2 of 5 rows is 1 row. */
  private static final double ROUNDING = 1e-9;

  private final long userKey;
  private final int size;
  private final long[] times;
  private final List<Interaction> rows;
  private final History history;
  private final Candidates candidates;
  private final List<Feature> userFeatures;

  UserLog(Schema schema, List<Interaction> rows) {
    this.rows = rows;
    userKey = rows.get(0).userKey();
    size = rows.size();
    times = rows.stream().mapToLong(Interaction::time).toArray();
    history =
        new History(
            schema, columns(schema.eventFeatures(), rows, Interaction::event), times, 0, size, 0);
    candidates =
        new Candidates(schema, columns(schema.candidateFeatures(), rows, Interaction::candidate));
    userFeatures = userFeatures(schema);
  }

  /** User features, then context features. */
  static List<Feature> userFeatures(Schema schema) {
    return Stream.concat(schema.userFeatures().stream(), schema.contextFeatures().stream())
        .toList();
  }

  private static Column[] columns(
      List<Feature> features, List<Interaction> rows, Function<Interaction, List<Value>> values) {
    Column[] columns = new Column[features.size()];
    for (int i = 0; i < columns.length; i++) {
      int column = i;
      columns[i] =
          Column.of(
              features.get(i).kind(),
              rows.stream().map(row -> values.apply(row).get(column)).toList());
    }
    return columns;
  }

  /** The requests whose candidates lie in a part, oldest first. */
  Iterator<Request> requests(Part part, Rules rules) {
    int numTest = rowsOf(rules.testShare());
    int testBegin = earliestOfSecond(size - numTest);
    int validationBegin = size - numTest - rowsOf(rules.validationShare());
    validationBegin = Math.min(testBegin, earliestOfSecond(Math.max(0, validationBegin)));
    return switch (part) {
      case TRAINING -> new Requests(0, validationBegin, rules);
      case VALIDATION -> new Requests(validationBegin, testBegin, rules);
      case TEST -> new Requests(testBegin, size, rules);
    };
  }

  private int rowsOf(double share) {
    return (int) Math.floor(size * share + ROUNDING);
  }

  /** The first row in the second of row {@code row}; {@code size} for {@code size}. */
  private int earliestOfSecond(int row) {
    int first = row;
    while (first > 0 && first < size && times[first - 1] == times[first]) {
      first--;
    }
    return first;
  }

  private final class Requests implements Iterator<Request> {
    private final int end;
    private final Rules rules;
    private int next;
    private @Nullable Request ready;

    Requests(int begin, int end, Rules rules) {
      this.next = begin;
      this.end = end;
      this.rules = rules;
    }

    @Override
    public boolean hasNext() {
      while (ready == null && next < end) {
        int first = next;
        next = endOfRequest(first);
        ready = request(first, next);
      }
      return ready != null;
    }

    @Override
    public Request next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      Request request = Objects.requireNonNull(ready);
      ready = null;
      return request;
    }

    private int endOfRequest(int first) {
      int limit = (int) Math.min(end, (long) first + rules.candidatesPerRequest());
      int last = first + 1;
      while (last < limit && rows.get(first).user().equals(rows.get(last).user())) {
        last++;
      }
      return last;
    }

    private @Nullable Request request(int first, int last) {
      int numEvents = earliestOfSecond(first);
      History past = history.slice(0, numEvents).tail(rules.maxHistory());
      if (past.size() < rules.minHistory()) {
        return null;
      }
      float[][] labels = new float[rows.get(first).labels().length][last - first];
      for (int row = first; row < last; row++) {
        for (int task = 0; task < labels.length; task++) {
          labels[task][row - first] = rows.get(row).labels()[task];
        }
      }
      return new Request(
          past,
          candidates.slice(first, last),
          columns(userFeatures, rows.subList(first, first + 1), Interaction::user),
          Math.subtractExact(times[first], 1),
          labels,
          null,
          userKey);
    }
  }
}
