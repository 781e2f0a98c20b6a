package ai.longer.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.longer.Schema;
import ai.longer.support.Samples;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class RequestBuilderTest {
  private static final Schema SCHEMA = Samples.PLAIN_SCHEMA;

  /** Logs with many ties: few users, few seconds; every row has an id of its own. */
  @Provide
  Arbitrary<List<Interaction>> logs() {
    Arbitrary<long[]> row =
        Combinators.combine(Arbitraries.longs().between(0, 3), Arbitraries.longs().between(10, 30))
            .as((user, time) -> new long[] {user, time});
    return row.list()
        .ofMaxSize(60)
        .map(
            rows -> {
              List<long[]> sorted = new ArrayList<>(rows);
              sorted.sort(Comparator.<long[]>comparingLong(r -> r[0]).thenComparing(r -> r[1]));
              List<Interaction> log = new ArrayList<>();
              for (int i = 0; i < sorted.size(); i++) {
                log.add(row(sorted.get(i)[0], sorted.get(i)[1], i));
              }
              return log;
            });
  }

  private static Interaction row(long user, long time, long id) {
    long[] ids = {id};
    return new Interaction(user, time, ids, ids, new float[] {id % 2});
  }

  @Property(tries = 500)
  void nothingLeaks(
      @ForAll("logs") List<Interaction> log,
      @ForAll @IntRange(min = 1, max = 9) int candidates,
      @ForAll @IntRange(max = 12) int maxHistory,
      @ForAll @IntRange(max = 5) int validationTenths,
      @ForAll @IntRange(max = 5) int testTenths) {
    RequestBuilder builder =
        RequestBuilder.builder(SCHEMA, log::stream)
            .candidatesPerRequest(candidates)
            .maxHistory(maxHistory)
            .validationShare(validationTenths / 10.0)
            .testShare(testTenths / 10.0)
            .build();
    List<Request> training = builder.training().stream().toList();
    List<Request> validation = builder.validation().stream().toList();
    List<Request> test = builder.test().stream().toList();
    for (Request request : concat(training, validation, test)) {
      checkRequest(log, request, candidates, maxHistory);
    }
    for (long user = 0; user <= 3; user++) {
      List<Interaction> rows = ofUser(log, user);
      List<Interaction> before = rowsOf(log, training, user);
      List<Interaction> between = rowsOf(log, validation, user);
      List<Interaction> after = rowsOf(log, test, user);
      // Every row is a candidate once, in order, and parts do not share a second.
      assertThat(concat(before, between, after)).isEqualTo(rows);
      checkEarlier(before, between);
      checkEarlier(before, after);
      checkEarlier(between, after);
      // Ties move into the later part, so a part never has fewer rows than its share.
      assertThat(after.size()).isGreaterThanOrEqualTo(rows.size() * testTenths / 10);
      boolean tied = rows.stream().map(Interaction::time).distinct().count() < rows.size();
      if (!tied) {
        assertThat(after).hasSize(rows.size() * testTenths / 10);
        assertThat(between).hasSize(rows.size() * validationTenths / 10);
      }
    }
  }

  private static void checkRequest(
      List<Interaction> log, Request request, int maxCandidates, int maxHistory) {
    long user = request.groupKey();
    long first = log.get((int) request.candidates().id(0, 0)).time();
    assertThat(request.referenceTime()).isEqualTo(first - 1);
    assertThat(request.candidates().size()).isBetween(1, maxCandidates);
    List<Interaction> past = ofUser(log, user).stream().filter(r -> r.time() < first).toList();
    int dropped = Math.max(0, past.size() - maxHistory);
    assertThat(request.history().column("item").ids())
        .isEqualTo(past.stream().skip(dropped).mapToLong(r -> r.event().get(0).ids()[0]).toArray());
    assertThat(request.history().times())
        .isEqualTo(past.stream().skip(dropped).mapToLong(Interaction::time).toArray());
    assertThat(request.history().firstOrdinal()).isEqualTo(dropped);
    for (int i = 0; i < request.candidates().size(); i++) {
      Interaction row = log.get((int) request.candidates().id(0, i));
      assertThat(row.userKey()).isEqualTo(user);
      assertThat(request.labels(0)[i]).isEqualTo(row.labels()[0]);
    }
  }

  private static List<Interaction> ofUser(List<Interaction> log, long user) {
    return log.stream().filter(row -> row.userKey() == user).toList();
  }

  private static List<Interaction> rowsOf(
      List<Interaction> log, List<Request> requests, long user) {
    return requests.stream()
        .filter(request -> request.groupKey() == user)
        .flatMap(
            request -> java.util.Arrays.stream(request.candidates().column("item").ids()).boxed())
        .map(id -> log.get(id.intValue()))
        .toList();
  }

  private static void checkEarlier(List<Interaction> early, List<Interaction> late) {
    long last = early.stream().mapToLong(Interaction::time).max().orElse(Long.MIN_VALUE);
    assertThat(late).allMatch(row -> row.time() > last);
  }

  private static <T> List<T> concat(List<T> first, List<T> second, List<T> third) {
    return Stream.of(first, second, third).flatMap(List::stream).toList();
  }

  @Test
  void sharesOfWholeRowsAreExact() {
    // 0.1 + 0.2 and 0.7 · 10 are not what they seem in binary.
    List<Interaction> log = Stream.iterate(0, i -> i + 1).limit(10).map(i -> row(1, i, i)).toList();
    RequestBuilder builder =
        RequestBuilder.builder(SCHEMA, log::stream).validationShare(0.1).testShare(0.7).build();
    assertThat(rowsOf(log, builder.test().stream().toList(), 1)).hasSize(7);
    assertThat(rowsOf(log, builder.validation().stream().toList(), 1)).hasSize(1);
    assertThat(rowsOf(log, builder.training().stream().toList(), 1)).hasSize(2);
  }

  @Test
  void shortHistoriesAreLeftOut() {
    List<Interaction> log = Stream.iterate(0, i -> i + 1).limit(10).map(i -> row(1, i, i)).toList();
    RequestBuilder builder =
        RequestBuilder.builder(SCHEMA, log::stream).candidatesPerRequest(2).minHistory(4).build();
    assertThat(builder.training().stream().map(r -> r.history().size()).toList())
        .containsExactly(4, 6, 8);
  }

  @Test
  void requestsEndWhereTheContextChanges() {
    Schema schema = Samples.SCHEMA;
    List<Interaction> log = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      long[] ids = {i, 0};
      log.add(new Interaction(1, i, ids, ids, new long[] {7, i / 4}, new float[] {1, 0}));
    }
    List<Request> requests =
        RequestBuilder.builder(schema, log::stream).build().training().stream().toList();
    assertThat(requests.stream().map(r -> r.candidates().size()).toList()).containsExactly(4, 2);
    assertThat(requests.get(1).userId(1)).isEqualTo(1);
  }

  @Test
  void valuesOfEveryKindReachTheRequest() {
    List<Interaction> log = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      List<Value> item =
          List.of(
              i == 1 ? Value.missing() : Value.textId("item " + i),
              i == 2 ? Value.missing() : Value.ids(i, i + 1),
              i == 3 ? Value.missing() : Value.number(i / 2.0));
      log.add(
          new Interaction(
              1, i, item, item, List.of(Value.textIds("a", "b"), Value.id(7)), new float[] {1}));
    }
    RequestBuilder builder =
        RequestBuilder.builder(Samples.KINDS_SCHEMA, log::stream).candidatesPerRequest(2).build();
    Request request = builder.training().stream().toList().get(1);
    Column items = request.history().column("item");
    assertThat(items.isMissing(0)).isFalse();
    assertThat(items.id(0)).isEqualTo(StringIds.hash("item 0"));
    assertThat(items.isMissing(1)).isTrue();
    assertThat(request.history().column("tags").ids(1)).containsExactly(1, 2);
    assertThat(request.history().column("price").number(1)).isEqualTo(0.5f);
    assertThat(request.candidates().column("tags").isMissing(0)).isTrue();
    assertThat(request.candidates().column("tags").ids(1)).containsExactly(3, 4);
    assertThat(request.candidates().column("price").isMissing(1)).isTrue();
    assertThat(request.userColumn(0).ids(0))
        .containsExactly(StringIds.hash("a"), StringIds.hash("b"));
    assertThat(request.userId(1)).isEqualTo(7);
  }

  @Test
  void valuesOfAnotherKindAreNamed() {
    List<Value> item = List.of(Value.id(1), Value.ids(2), Value.id(3));
    Interaction row = new Interaction(1, 1, item, item, List.of(), new float[1]);
    RequestBuilder builder =
        RequestBuilder.builder(Samples.KINDS_SCHEMA, () -> Stream.of(row)).build();
    assertThatThrownBy(() -> builder.training().stream().toList())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("row 1 (user 1)", "column \"price\" is NUMERIC; got 3");
  }

  @Test
  void badRowsAreNamed() {
    assertBadRow(List.of(row(1, 5, 0), row(1, 4, 1)), "row 2 (user 1)", "sorted by user key");
    assertBadRow(List.of(row(2, 5, 0), row(1, 6, 1)), "row 2 (user 1)", "sorted by user key");
    long[] ids = {1};
    assertBadRow(
        List.of(new Interaction(1, 1, new long[2], ids, new float[1])),
        "row 1 (user 1)",
        "must have 1 event values; got 2");
    assertBadRow(
        List.of(new Interaction(1, 1, ids, ids, new long[1], new float[1])),
        "must have 0 user and context values; got 1");
    assertBadRow(
        List.of(new Interaction(1, 1, ids, ids, new float[] {2})), "a label must be in 0 … 1");
    assertBadRow(
        List.of(row(1, 1, 0), row(1, 2, 1), row(1, 3, 2), row(1, 4, 3)),
        "row 4 (user 1)",
        "the user has more than 3 rows");
  }

  private static void assertBadRow(List<Interaction> log, String... parts) {
    RequestBuilder builder = RequestBuilder.builder(SCHEMA, log::stream).maxRowsPerUser(3).build();
    assertThatThrownBy(() -> builder.training().stream().toList())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll(parts);
  }

  @Test
  void sharesAreChecked() {
    RequestBuilder.Builder builder = RequestBuilder.builder(SCHEMA, Stream::empty);
    assertThatThrownBy(() -> builder.testShare(Double.NaN))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> builder.testShare(0.6).validationShare(0.5).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("0.5 and 0.6");
    assertThatThrownBy(() -> builder.candidatesPerRequest(0))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void logsAreReadLazilyAndClosed() {
    AtomicInteger read = new AtomicInteger();
    AtomicInteger closed = new AtomicInteger();
    RequestSource source =
        RequestBuilder.builder(
                SCHEMA,
                () ->
                    Stream.iterate(0, i -> i + 1)
                        .limit(1_000_000)
                        .peek(i -> read.incrementAndGet())
                        .map(i -> row(i / 4, i % 4, i))
                        .onClose(closed::incrementAndGet))
            .build()
            .training();
    try (Stream<Request> stream = source.stream()) {
      assertThat(stream.limit(3).count()).isEqualTo(3);
    }
    assertThat(read.get()).isLessThan(100);
    assertThat(closed.get()).isEqualTo(1);
  }
}
