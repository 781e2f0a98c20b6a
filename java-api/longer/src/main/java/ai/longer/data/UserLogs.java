package ai.longer.data;

import ai.longer.Schema;
import ai.longer.Schema.Feature;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Cuts a log sorted by user key, then time, into users, and checks every row. Not thread-safe. */
final class UserLogs {
  private final Schema schema;
  private final Iterator<Interaction> rows;
  private final int maxRowsPerUser;
  private final List<Feature> userFeatures;
  private long rowNumber;
  private @Nullable Interaction pending;

  UserLogs(Schema schema, Iterator<Interaction> rows, int maxRowsPerUser) {
    this.schema = schema;
    this.rows = rows;
    this.maxRowsPerUser = maxRowsPerUser;
    this.userFeatures = UserLog.userFeatures(schema);
  }

  boolean hasNext() {
    return pending != null || rows.hasNext();
  }

  UserLog next() {
    Interaction first = pending != null ? pending : read(null);
    pending = null;
    List<Interaction> ofUser = new ArrayList<>();
    ofUser.add(first);
    Interaction last = first;
    while (rows.hasNext()) {
      Interaction row = read(last);
      if (row.userKey() != first.userKey()) {
        pending = row;
        break;
      }
      if (ofUser.size() == maxRowsPerUser) {
        throw problem(row, "the user has more than %d rows".formatted(maxRowsPerUser));
      }
      ofUser.add(row);
      last = row;
    }
    return new UserLog(schema, ofUser);
  }

  private Interaction read(@Nullable Interaction before) {
    Interaction row = rows.next();
    rowNumber++;
    if (before != null) {
      checkOrder(before, row);
    }
    checkValues(row, "event", row.event(), schema.eventFeatures());
    checkValues(row, "candidate", row.candidate(), schema.candidateFeatures());
    checkValues(row, "user and context", row.user(), userFeatures);
    checkWidth(row, "labels", row.labels().length, schema.tasks().size());
    for (float label : row.labels()) {
      if (label < 0 || label > 1) {
        throw problem(row, "a label must be in 0 … 1 or NaN; got " + label);
      }
    }
    return row;
  }

  private void checkOrder(Interaction before, Interaction row) {
    boolean descends =
        row.userKey() < before.userKey()
            || (row.userKey() == before.userKey() && row.time() < before.time());
    if (descends) {
      throw problem(
          row,
          "the log must be sorted by user key, then time; got user %d at %d after user %d at %d"
              .formatted(row.userKey(), row.time(), before.userKey(), before.time()));
    }
  }

  private void checkValues(
      Interaction row, String what, List<Value> values, List<Feature> features) {
    checkWidth(row, what + " values", values.size(), features.size());
    for (int i = 0; i < values.size(); i++) {
      Feature feature = features.get(i);
      if (!values.get(i).fits(feature.kind())) {
        throw problem(
            row,
            "column \"%s\" is %s; got %s".formatted(feature.name(), feature.kind(), values.get(i)));
      }
    }
  }

  private void checkWidth(Interaction row, String what, int got, int expected) {
    if (got != expected) {
      throw problem(row, "must have %d %s; got %d".formatted(expected, what, got));
    }
  }

  private IllegalArgumentException problem(Interaction row, String problem) {
    return new IllegalArgumentException(
        "[log] row %d (user %d): %s".formatted(rowNumber, row.userKey(), problem));
  }
}
