package ai.longer.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.longer.CorruptDataException;
import ai.longer.Schema;
import ai.longer.Schema.Feature;
import ai.longer.support.NoLeaks;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(NoLeaks.class)
class PrepareTest {
  private static final Schema SCHEMA =
      Schema.builder()
          .table("item", 8)
          .table("tag", 4)
          .table("city", 4)
          .event("item", "item")
          .event(Feature.manyValued("tags", "tag"))
          .event(Feature.numeric("stars", 3, 1))
          .user("city", "city")
          .candidate("item", "item")
          .candidate(Feature.manyValued("tags", "tag"))
          .task("click")
          .task("like")
          .build();

  private static final LogColumns COLUMNS =
      LogColumns.builder(SCHEMA)
          .user("who")
          .time("when", LogColumns.TimeUnit.MILLISECONDS)
          .column("item", "what")
          .texts("tags", "city")
          .between(';')
          .label("click", "stars", 4)
          .build();

  private static RequestBuilder.Builder rules(RequestBuilder.Builder builder) {
    return builder.candidatesPerRequest(3).minHistory(1).validationShare(0.2).testShare(0.2);
  }

  private static final String HEADER = "like,when,who,what,tags,stars,city,unused\n";

  @TempDir private Path folder;

  private Path out() {
    return folder.resolve("out");
  }

  /** A row as it stands in the file, and what it means. */
  private record Row(String text, Interaction meaning) {}

  private static List<Row> rows(int count) {
    SplittableRandom random = new SplittableRandom(4);
    List<Row> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      long user = random.nextInt(20) - 5L;
      long time = 1_000_000L + random.nextInt(1000);
      long item = random.nextLong();
      int numTags = random.nextInt(3);
      String[] tags = new String[numTags];
      for (int t = 0; t < numTags; t++) {
        tags[t] = "tag " + random.nextInt(9);
      }
      boolean isRated = random.nextInt(5) > 0;
      double stars = random.nextInt(11) / 2.0;
      String city = random.nextInt(4) == 0 ? "" : "Ürümqi";
      String like = random.nextInt(3) == 0 ? "" : "0.25";
      String text =
          "%s,%d,%d,%d,%s,%s,%s,x\n"
              .formatted(
                  like,
                  1000 * time + random.nextInt(1000),
                  user,
                  item,
                  String.join(";", tags),
                  isRated ? Double.toString(stars) : "",
                  city);
      Value number = isRated ? Value.number(stars) : Value.missing();
      Value bag = numTags == 0 ? Value.missing() : Value.textIds(tags);
      rows.add(
          new Row(
              text,
              new Interaction(
                  user,
                  time,
                  List.of(Value.id(item), bag, number),
                  List.of(Value.id(item), bag),
                  List.of(city.isEmpty() ? Value.missing() : Value.textId(city)),
                  new float[] {
                    isRated ? stars >= 4 ? 1 : 0 : Float.NaN, like.isEmpty() ? Float.NaN : 0.25f
                  })));
    }
    return rows;
  }

  private Path write(String name, String text) throws IOException {
    Path file = folder.resolve(name);
    try (OutputStream plain = Files.newOutputStream(file);
        OutputStream packed = name.endsWith(".gz") ? new GZIPOutputStream(plain) : plain) {
      packed.write(text.getBytes(StandardCharsets.UTF_8));
    }
    return file;
  }

  private static String text(List<Row> rows) {
    return HEADER + String.join("", rows.stream().map(Row::text).toList());
  }

  /** Sorted in memory; in runs on disk; in runs of runs. */
  @ParameterizedTest
  @ValueSource(longs = {1 << 30, 20_000, 700})
  void shardsAreThoseOfTheSortedLog(long memoryBytes) throws IOException {
    List<Row> rows = rows(2000);
    Path first = write("a.csv", text(rows.subList(0, 900)));
    Path second = write("b.csv.gz", text(rows.subList(900, 2000)));
    List<DataProgress> told = new ArrayList<>();
    Prepared prepared =
        Prepare.builder(COLUMNS)
            .requests(PrepareTest::rules)
            .memoryBytes(memoryBytes)
            .build()
            .run(List.of(first, second), out(), told::add);

    List<Interaction> log =
        rows.stream()
            .map(Row::meaning)
            .sorted(
                Comparator.comparingLong(Interaction::userKey).thenComparingLong(Interaction::time))
            .toList();
    RequestBuilder expected = rules(RequestBuilder.builder(SCHEMA, log::stream)).build();
    assertSame(Prepared.training(out()), expected.training(), prepared.training());
    assertSame(Prepared.validation(out()), expected.validation(), prepared.validation());
    assertSame(Prepared.test(out()), expected.test(), prepared.test());
    assertThat(prepared.rows()).isEqualTo(2000);
    assertThat(prepared.users()).isEqualTo(20);
    assertThat(out().toFile().list())
        .containsExactlyInAnyOrder("training.shards", "validation.shards", "test.shards");
    assertThat(told).extracting(DataProgress::phase).contains("read", "write");
    assertThat(told.get(told.size() - 1).rows()).isEqualTo(2000);
    assertThat(told).allMatch(progress -> progress.done() >= 0 && progress.done() <= 1);
    assertThat(folder.toFile().list()).hasSize(3 + 3); // the logs, what was prepared, expected
  }

  private void assertSame(Path shards, RequestSource expected, ShardCounts counts)
      throws IOException {
    Path path = folder.resolve("expected-" + shards.getFileName());
    assertThat(counts).isEqualTo(Shards.write(path, SCHEMA, expected));
    assertThat(counts.requests()).isPositive();
    for (String file : path.toFile().list()) {
      assertThat(Files.mismatch(path.resolve(file), shards.resolve(file))).isEqualTo(-1);
    }
  }

  @Test
  void partsWithoutRequestsHaveNoShards() throws IOException {
    Path log = write("log.csv", text(rows(100)));
    Prepared prepared = Prepare.builder(COLUMNS).build().run(List.of(log), out());
    assertThat(prepared.test()).isEqualTo(new ShardCounts(0, 0, 0, 0, 0, 0));
    assertThat(out().toFile().list()).containsExactly("training.shards");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        ",1000,x,5,,4,c,| :2:7 (who): must be a whole number",
        ",1000,,5,,4,c,| :2:7 (who): the user is missing",
        ",,1,5,,4,c,| :2:2 (when): the time is missing",
        ",1000,1,five,,4,c,| :2:9 (what): must be a whole number",
        ",1000,1,5,a;;b,4,c,| :2:11 (tags): must not have an empty text",
        ",1000,1,5,,many,c,| :2:12 (stars): must be a finite number",
        "2,1000,1,5,,4,c,| :2:1 (like): a label must be in 0 … 1; got 2.0",
        ",1000,1,5,,4,c| :2:14 (city): the row has 7 fields; expected 8",
      })
  void wrongFieldsAreNamed(String row, String problem) throws IOException {
    Path log = write("log.csv", HEADER + row + "\n");
    assertThatThrownBy(() -> Prepare.builder(COLUMNS).build().run(List.of(log), out()))
        .isInstanceOf(CorruptDataException.class)
        .hasMessageContaining(log + problem.strip());
    assertThat(folder.toFile().list()).containsExactly("log.csv");
  }

  @Test
  void filesThatAreMissingOrLackAColumnAreNamed() throws IOException {
    Path absent = folder.resolve("absent.csv");
    assertThatThrownBy(() -> Prepare.builder(COLUMNS).build().run(List.of(absent), out()))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining(absent.toString());
    Path log = write("log.csv", "who,when\n");
    assertThatThrownBy(() -> Prepare.builder(COLUMNS).build().run(List.of(log), out()))
        .isInstanceOf(CorruptDataException.class)
        .hasMessageContaining("has no column \"what\"");
    assertThat(folder.toFile().list()).containsExactly("log.csv");
  }

  @Test
  void whatIsThereIsNotReplaced() throws IOException {
    Path log = write("log.csv", text(rows(100)));
    Files.createDirectory(out());
    Prepare prepare = Prepare.builder(COLUMNS).build();
    prepare.run(List.of(log), out()); // an empty folder is fine
    assertThatThrownBy(() -> prepare.run(List.of(log), out()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(out() + " is there already");
  }

  @Test
  void logsThatMakeNoTrainingRequestAreRefused() throws IOException {
    Path log = write("log.csv", HEADER);
    assertThatThrownBy(() -> Prepare.builder(COLUMNS).build().run(List.of(log), out()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no training request");
    assertThat(folder.toFile().list()).containsExactly("log.csv");
  }

  @Test
  void anInterruptEndsTheWorkAndLeavesNothing() throws IOException {
    Path log = write("log.csv", text(rows(100)));
    Prepare prepare = Prepare.builder(COLUMNS).build();
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> prepare.run(List.of(log), out()))
        .isInstanceOf(CancellationException.class);
    assertThat(Thread.interrupted()).isTrue();
    DataListener interrupts =
        progress -> {
          if (progress.phase().equals("read") && progress.done() == 1) {
            Thread.currentThread().interrupt();
          }
        };
    assertThatThrownBy(() -> prepare.run(List.of(log), out(), interrupts))
        .isInstanceOf(CancellationException.class);
    assertThat(Thread.interrupted()).isTrue();
    assertThat(folder.toFile().list()).containsExactly("log.csv");
  }

  @Test
  void columnsAreChecked() {
    LogColumns.Builder columns = LogColumns.builder(SCHEMA);
    assertThatThrownBy(columns::build)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("users and times must be set");
    assertThatThrownBy(() -> columns.column("colour", "c"))
        .hasMessageContaining("\"colour\"")
        .hasMessageContaining("[item, tags, stars, city]");
    assertThatThrownBy(() -> columns.texts("colour")).hasMessageContaining("\"colour\"");
    assertThatThrownBy(() -> columns.label("buy", "c")).hasMessageContaining("[click, like]");
    assertThatThrownBy(
            () ->
                Prepare.builder(COLUMNS)
                    .requests(r -> r.testShare(0.6).validationShare(0.6))
                    .build())
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void usersMayBeTexts() throws IOException {
    Schema schema =
        Schema.builder()
            .table("item", 4)
            .event("item", "item")
            .candidate("item", "item")
            .task("click")
            .build();
    Path log =
        write("log.tsv", "user\ttime\titem\tclick\nanna\t1\t5\t1\nbob\t1\t5\t0\nanna\t2\t6\t1\n");
    LogColumns columns = LogColumns.builder(schema).textUser("user").time("time").build();
    Prepared prepared = Prepare.builder(columns).build().run(List.of(log), out());
    assertThat(prepared.users()).isEqualTo(2);
    assertThat(prepared.training().requests()).isEqualTo(2);
  }
}
