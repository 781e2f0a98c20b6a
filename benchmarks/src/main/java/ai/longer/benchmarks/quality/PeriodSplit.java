package ai.longer.benchmarks.quality;

import ai.longer.Schema;
import ai.longer.data.Candidates;
import ai.longer.data.History;
import ai.longer.data.Request;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Splits a log at two moments that are the same for all users. Consecutive rows of a user and a
 * period become one request; its history is the user's rows in a strictly earlier second, and its
 * reference time lies one second before it.
 *
 * @param validationBegin epoch second
 * @param testBegin epoch second
 * @param candidates rows in a request, at most
 * @param maxHistory newest events kept
 */
record PeriodSplit(long validationBegin, long testBegin, int candidates, int maxHistory) {

  /** Makes requests; the rows of each user are sorted by time. */
  Split split(Schema schema, Stream<List<LogRow>> users) {
    Split split = new Split(new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
    long[] number = new long[1];
    users.forEach(rows -> add(schema, rows, ++number[0], split));
    return split;
  }

  private void add(Schema schema, List<LogRow> rows, long user, Split split) {
    History history = history(schema, rows);
    Candidates items = candidates(schema, rows);
    int last;
    for (int first = 0; first < rows.size(); first = last) {
      last = first + 1;
      LogRow row = rows.get(first);
      if (Float.isNaN(row.label())) {
        continue;
      }
      List<Request> part = part(split, row.time());
      while (last < rows.size()
          && last - first < candidates
          && !Float.isNaN(rows.get(last).label())
          && part(split, rows.get(last).time()) == part) {
        last++;
      }
      part.add(request(schema, rows, history, items, first, last, user));
    }
  }

  private List<Request> part(Split split, long time) {
    return time < validationBegin
        ? split.training()
        : time < testBegin ? split.validation() : split.test();
  }

  private Request request(
      Schema schema,
      List<LogRow> rows,
      History history,
      Candidates items,
      int first,
      int last,
      long user) {
    long time = rows.get(first).time();
    int numEvents = first;
    while (numEvents > 0 && rows.get(numEvents - 1).time() == time) {
      numEvents--;
    }
    float[] labels = new float[last - first];
    for (int i = 0; i < labels.length; i++) {
      labels[i] = rows.get(first + i).label();
    }
    Request.Builder request =
        Request.builder(history.slice(0, numEvents).tail(maxHistory), items.slice(first, last))
            .referenceTime(time - 1)
            .labels(schema.tasks().get(0).name(), labels)
            .groupKey(user);
    for (int i = 0; i < schema.userFeatures().size(); i++) {
      request.user(schema.userFeatures().get(i).name(), rows.get(first).userIds()[i]);
    }
    return request.build();
  }

  private static History history(Schema schema, List<LogRow> rows) {
    History.Builder history =
        History.builder(schema).times(rows.stream().mapToLong(LogRow::time).toArray());
    for (int i = 0; i < schema.eventFeatures().size(); i++) {
      int column = i;
      history.longs(
          schema.eventFeatures().get(i).name(),
          rows.stream().mapToLong(row -> row.event()[column]).toArray());
    }
    return history.build();
  }

  private static Candidates candidates(Schema schema, List<LogRow> rows) {
    Candidates.Builder candidates = Candidates.builder(schema);
    for (int i = 0; i < schema.candidateFeatures().size(); i++) {
      int column = i;
      candidates.longs(
          schema.candidateFeatures().get(i).name(),
          rows.stream().mapToLong(row -> row.candidate()[column]).toArray());
    }
    return candidates.build();
  }
}
