package ai.longer.parquet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.longer.CorruptDataException;
import ai.longer.Device;
import ai.longer.LongerConfig;
import ai.longer.LongerModel;
import ai.longer.data.DataProgress;
import ai.longer.data.PrepareRequests;
import ai.longer.data.Prepared;
import ai.longer.data.Request;
import ai.longer.data.RequestColumns;
import ai.longer.data.RequestFiles;
import ai.longer.data.RequestSource;
import ai.longer.data.ShardCounts;
import ai.longer.data.Shards;
import ai.longer.evaluation.Evaluation;
import ai.longer.evaluation.Predictions;
import ai.longer.parquet.RequestRows.Row;
import ai.longer.serving.Ranker;
import ai.longer.serving.RankingRequest;
import ai.longer.training.Trainer;
import ai.longer.training.TrainerOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.parquet.example.data.Group;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Rows that are requests are the requests that are built in memory. */
class ParquetRequestsTest {
  private static final RequestColumns COLUMNS = RequestRows.columns().build();
  private static final LongerConfig CONFIG =
      LongerConfig.builder(RequestRows.SCHEMA)
          .maxHistory(20)
          .eventWidth(8)
          .mergeFactor(2)
          .heads(2)
          .recentQueries(4)
          .build();

  private final List<Row> rows = RequestRows.rows(240);
  private final List<Request> requests = rows.stream().map(Row::request).toList();

  @TempDir private Path folder;

  /** The rows in three files, one in a folder inside, beside marks of the job that wrote them. */
  private Path written() throws IOException {
    Path written = Files.createDirectories(folder.resolve("rows/day=2"));
    RequestRows.write(folder.resolve("rows/a.parquet"), rows.subList(0, 100));
    RequestRows.write(folder.resolve("rows/b.parquet"), rows.subList(100, 170));
    RequestRows.write(written.resolve("c.parquet"), rows.subList(170, 240));
    Files.writeString(written.resolve("_SUCCESS"), "");
    Files.writeString(folder.resolve("rows/.a.parquet.crc"), "x");
    return folder.resolve("rows");
  }

  private static void assertSameFiles(Path folder, Path expected) {
    String[] files = expected.toFile().list();
    assertThat(folder.toFile().list()).containsExactlyInAnyOrder(files);
    for (String file : files) {
      assertThat(folder.resolve(file)).as(file).hasSameBinaryContentAs(expected.resolve(file));
    }
  }

  @Test
  void shardsAreThoseOfTheRequestsInMemory() throws IOException {
    RequestFiles files = RequestFiles.of(COLUMNS, List.of(written()));
    for (int pass = 0; pass < 2; pass++) {
      Path read = folder.resolve("read-" + pass);
      ShardCounts counts = Shards.write(read, RequestRows.SCHEMA, files);
      Path expected = folder.resolve("expected-" + pass);
      assertThat(Shards.write(expected, RequestRows.SCHEMA, RequestSource.of(requests)))
          .isEqualTo(counts);
      assertThat(counts.requests()).isEqualTo(240);
      assertSameFiles(read, expected);
    }
  }

  @Test
  void preparationSplitsByTheReferenceTime() throws IOException {
    long validationFrom = requests.get(150).referenceTime();
    long testFrom = requests.get(200).referenceTime();
    List<DataProgress> told = new ArrayList<>();
    Path out = folder.resolve("out");
    Prepared prepared =
        PrepareRequests.builder(COLUMNS)
            .validationFrom(validationFrom)
            .testFrom(testFrom)
            .build()
            .run(List.of(written()), out, told::add);
    assertThat(prepared.rows()).isEqualTo(240);
    assertThat(prepared.users()).isNull();
    assertPart(Prepared.training(out), requests.subList(0, 150), prepared.training());
    assertPart(Prepared.validation(out), requests.subList(150, 200), prepared.validation());
    assertPart(Prepared.test(out), requests.subList(200, 240), prepared.test());
    assertThat(told.get(told.size() - 1).rows()).isEqualTo(240);
    assertThat(told).allMatch(progress -> progress.done() >= 0 && progress.done() <= 1);
  }

  private void assertPart(Path shards, List<Request> expected, ShardCounts counts) {
    Path path = folder.resolve("expected-" + shards.getFileName());
    assertThat(Shards.write(path, RequestRows.SCHEMA, RequestSource.of(expected)))
        .isEqualTo(counts);
    assertSameFiles(shards, path);
  }

  @Test
  void trainsMeasuresAndRanksAsTheRequestsInMemory() throws IOException {
    RequestFiles files = RequestFiles.of(COLUMNS, List.of(written()));
    Path read = trained(files, "read");
    assertSameFiles(read, trained(RequestSource.of(requests), "memory"));
    RequestFiles unlabelled =
        RequestFiles.of(columns().withoutLabels().build(), List.of(folder.resolve("rows")));
    try (LongerModel model = LongerModel.load(read, Device.cpu(1));
        Ranker ranker = model.ranker();
        Stream<Request> stream = unlabelled.stream()) {
      Predictions measured = Evaluation.predict(ranker, files);
      Predictions expected = Evaluation.predict(ranker, RequestSource.of(requests));
      assertThat(measured.scores()).isEqualTo(expected.scores());
      assertThat(measured.users()).isEqualTo(expected.users());
      List<Request> all = stream.toList();
      assertThat(all).hasSameSizeAs(requests).noneMatch(Request::hasLabels);
      for (int i = 0; i < all.size(); i++) {
        assertThat(ranker.rank(RankingRequest.of(all.get(i))).toArray())
            .isEqualTo(ranker.rank(RankingRequest.of(requests.get(i))).toArray());
      }
    }
  }

  private Path trained(RequestSource source, String name) {
    TrainerOptions options =
        TrainerOptions.builder().batchSize(16).shuffleBuffer(64).epochs(2).seed(3).build();
    Path path = folder.resolve(name);
    try (Trainer trainer = Trainer.create(CONFIG, Device.cpu(1), options)) {
      trainer.fit(source);
      try (LongerModel model = trainer.model()) {
        model.save(path);
      }
    }
    return path;
  }

  /** What is wrong with a row of 4 events and 3 candidates, and what is said of it. */
  private static Stream<Arguments> wrongRows() {
    return Stream.of(
        wrong(row -> row.user = null, "user_id\": the user is missing"),
        wrong(row -> row.time = null, "at\": the time is missing"),
        wrong(row -> row.before = null, "before\": must be a number of events, not negative"),
        wrong(row -> row.before = -1, "before\": must be a number of events, not negative; got -1"),
        wrong(
            row -> row.items.remove(0), "event_item\": must have 4 elements, one per event; got 3"),
        wrong(
            row -> row.tags.remove(0), "event_tags\": must have 4 elements, one per event; got 3"),
        wrong(row -> row.prices.clear(), "paid\": must have 4 elements, one per event; got 0"),
        wrong(
            row -> row.times.remove(3), "event_item\": must have 3 elements, one per event; got 4"),
        wrong(row -> row.times.set(2, null), "times\": the time of event 2 is missing"),
        wrong(
            row -> row.times.set(2, 5L),
            "times\": events must run from oldest to newest; time 5 of event 2 is before "),
        wrong(
            row -> row.times.set(3, 1L << 40),
            "times\": event 3 at 1099511627776 is after the request at 1700000420"),
        wrong(row -> row.prices.set(1, 1e39), "paid\": must be a finite number of 32 bits"),
        wrong(
            row -> row.shownTags.add(List.of()),
            "candidate_tags\": must have 3 elements, one per candidate; got 4"),
        wrong(
            row -> row.clicks.remove(0), "click\": must have 3 elements, one per candidate; got 2"),
        wrong(row -> row.stars.clear(), "stars\": must have 3 elements, one per candidate; got 0"),
        wrong(row -> row.clicks.set(1, 1.5), "click\": a label must be in 0 … 1; got 1.5"),
        wrong(row -> row.weights.set(2, null), "weights\": the weight of candidate 2 is missing"),
        wrong(
            row -> row.weights.set(2, -1.0), "weights\": weight 2 must not be negative; got -1.0"),
        wrong(
            row -> row.weights.add(1.0),
            "weights\": must have 3 elements, one per candidate; got 4"));
  }

  private static Arguments wrong(Consumer<Row> change, String problem) {
    return Arguments.of(change, problem);
  }

  @ParameterizedTest(name = "{1}")
  @MethodSource("wrongRows")
  void wrongRowsAreNamed(Consumer<Row> change, String problem) throws IOException {
    List<Row> some = new ArrayList<>(RequestRows.rows(7));
    some.add(RequestRows.row(7, 4, 3));
    change.accept(some.get(7));
    Path file = folder.resolve("rows.parquet");
    RequestRows.write(file, some);
    Path out = folder.resolve("out");
    assertThatThrownBy(() -> PrepareRequests.builder(COLUMNS).build().run(List.of(file), out))
        .isInstanceOf(CorruptDataException.class)
        .hasMessageContaining("[parquet] " + file + ", row group ")
        .hasMessageContaining(", row 7, column \"" + problem);
    assertThat(out).doesNotExist();
    try (Stream<Request> stream = RequestFiles.of(COLUMNS, List.of(file)).stream()) {
      assertThatThrownBy(stream::count).isInstanceOf(CorruptDataException.class);
    }
  }

  @Test
  void wrongColumnsAreNamed() throws IOException {
    Path file = folder.resolve("rows.parquet");
    RequestRows.write(file, RequestRows.rows(7));
    assertNamed(file, columns().eventColumn("item", "bought"), "has no column \"bought\"");
    assertNamed(file, columns().weights("importance"), "has no column \"importance\"");
    assertNamed(file, columns().label("click", "bought"), "has no column \"bought\"");
    assertNamed(file, columns().eventTimes("paid"), "\"paid\": must hold whole numbers; got num");
    assertNamed(file, columns().column("age", "home"), "\"home\": must hold numbers; got texts");
    assertNamed(
        file,
        columns().eventColumn("item", "event_tags"),
        "\"event_tags\": must hold whole numbers; got texts");
  }

  @Test
  void anElementOfOneValueHasNoMore() throws IOException {
    Path file = folder.resolve("rows.parquet");
    Row row = RequestRows.row(1, 2, 1);
    row.tags = new ArrayList<>(List.of(List.of("one"), List.of("two", "three")));
    RequestRows.write(file, List.of(row));
    assertNamed(
        file,
        columns().eventColumn("item", "event_tags").texts("item"),
        "row 0, column \"event_tags\": element 1 must have one value; got 2");
  }

  private static RequestColumns.Builder columns() {
    return RequestRows.columns();
  }

  private void assertNamed(Path file, RequestColumns.Builder columns, String problem) {
    RequestFiles files = RequestFiles.of(columns.build(), List.of(file));
    try (Stream<Request> stream = files.stream()) {
      assertThatThrownBy(stream::toList)
          .isInstanceOf(CorruptDataException.class)
          .hasMessageContaining(file.toString())
          .hasMessageContaining(problem);
    }
  }

  /** 3 million events, each of 36 bytes or more in memory, in a heap of 64 MB. */
  @Test
  void memoryIsBounded() throws Exception {
    Path file = folder.resolve("large.parquet");
    Row row = RequestRows.row(1, 2000, 10);
    List<Consumer<Group>> many = new ArrayList<>();
    for (long user = 0; user < 1500; user++) {
      long key = user;
      many.add(
          group -> {
            row.user = key;
            row.fill(group);
          });
    }
    RequestRows.write(file, 1 << 20, many);
    Path errors = folder.resolve("errors.txt");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx64m",
                "-cp",
                System.getProperty("java.class.path"),
                Preparing.class.getName(),
                file.toString(),
                folder.resolve("out").toString())
            .redirectError(errors.toFile())
            .start();
    try {
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
      assertThat(process.exitValue()).as(Files.readString(errors)).isZero();
      assertThat(said).contains("1500 requests");
    } finally {
      process.destroyForcibly();
    }
  }

  static final class Preparing {
    public static void main(String[] args) {
      Prepared prepared =
          PrepareRequests.builder(COLUMNS).build().run(List.of(Path.of(args[0])), Path.of(args[1]));
      System.out.println(prepared.training().requests() + " requests");
    }
  }
}
