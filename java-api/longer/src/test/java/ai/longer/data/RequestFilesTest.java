package ai.longer.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.longer.CorruptDataException;
import ai.longer.Schema;
import ai.longer.Schema.Feature;
import ai.longer.support.NoLeaks;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rows that are requests, in CSV; the Parquet module has the tests of whole files of them. */
@ExtendWith(NoLeaks.class)
class RequestFilesTest {
  private static final Schema SCHEMA =
      Schema.builder()
          .table("item", 8)
          .table("tag", 4)
          .event("item", "item")
          .event(Feature.manyValued("tags", "tag"))
          .event(Feature.numeric("price", 0, 1))
          .user(Feature.manyValued("likes", "tag"))
          .candidate("item", "item")
          .task("click")
          .build();

  private static final RequestColumns COLUMNS =
      RequestColumns.builder(SCHEMA).user("who").time("at").texts("tags").build();

  private static final String HEADER =
      "who,at,likes,event_times,event_item,event_tags,event_price,candidate_item,click\n";

  @TempDir private Path folder;

  private Path write(String name, String rows) throws IOException {
    return Files.writeString(folder.resolve(name), HEADER + rows);
  }

  private static Request only(Path file) {
    try (Stream<Request> stream = RequestFiles.of(COLUMNS, List.of(file)).stream()) {
      List<Request> all = stream.toList();
      assertThat(all).hasSize(1);
      return all.get(0);
    }
  }

  private static BitSet bit(int index) {
    BitSet bits = new BitSet();
    bits.set(index);
    return bits;
  }

  @Test
  void fieldsAreLists() throws IOException {
    Request read = only(write("rows.csv", "7,100,4|5,1;50;100,3;;9,a|b;;c,1.5;;-2,8;9;10,1;;0\n"));
    History history =
        History.builder(SCHEMA)
            .times(new long[] {1, 50, 100})
            .longs("item", new long[] {3, 0, 9}, bit(1))
            .strings("tags", new String[][] {{"a", "b"}, {}, {"c"}})
            .floats("price", new float[] {1.5f, Float.NaN, -2})
            .build();
    Candidates candidates = Candidates.builder(SCHEMA).longs("item", new long[] {8, 9, 10}).build();
    assertThat(read.history()).isEqualTo(history);
    assertThat(read.candidates()).isEqualTo(candidates);
    assertThat(read.referenceTime()).isEqualTo(100);
    assertThat(read.groupKey()).isEqualTo(7);
    assertThat(read.userColumn(0).ids(0)).containsExactly(4, 5);
    assertThat(read.labels(0)).containsExactly(1, Float.NaN, 0);
    assertThat(read.hasWeights()).isFalse();
  }

  /** An empty field is no element, or one that is missing, as there must be. */
  @Test
  void emptyFieldsAreAsLongAsTheyMustBe() throws IOException {
    Request none = only(write("none.csv", "7,100,,,,,,8,1\n"));
    assertThat(none.history()).isEqualTo(History.empty(SCHEMA));
    Request one = only(write("one.csv", "7,100,,60,,,,8,\n"));
    assertThat(one.history().size()).isEqualTo(1);
    for (int column = 0; column < 3; column++) {
      assertThat(one.history().column(column).isMissing(0)).isTrue();
    }
    assertThat(one.labels(0)).containsExactly(Float.NaN);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '&',
      value = {
        ",100,,1,3,a,2,8,1 & :2:1 (who): the user is missing",
        "7,,,1,3,a,2,8,1 & :2:3 (at): the time is missing",
        "7,100,,1;;3,3;4;5,a;;,;;,8,1 & :2:8 (event_times): the time of event 1 is missing",
        "7,100,,5;1,3;4,a;,;,8,1 & :2:8 (event_times): events must run from oldest to newest",
        "7,100,,101,3,a,2,8,1 & :2:8 (event_times): event 0 at 101 is after the request at 100",
        "7,100,,1;2,3,a;,;,8,1 & (event_item): must have 2 elements, one per event; got 1",
        "7,100,,1,x,a,2,8,1 & (event_item): must be a whole number; got \"x\"",
        "7,100,,1,3,a||b,2,8,1 & (event_tags): must not have an empty text between '|'",
        "7,100,,1,3,a,inf,8,1 & (event_price): must be a finite number",
        "7,100,,1,3,a,2,8;9,1 & (click): must have 2 elements, one per candidate; got 1",
        "7,100,,1,3,a,2,8,-1 & (click): a label must be in 0 … 1; got -1.0",
      })
  void wrongFieldsAreNamed(String row, String problem) throws IOException {
    Path file = write("rows.csv", row + "\n");
    assertThatThrownBy(() -> only(file))
        .isInstanceOf(CorruptDataException.class)
        .hasMessageContaining("[csv] " + file + ":2:")
        .hasMessageContaining(problem.strip());
  }

  @Test
  void foldersAreReadByName() throws IOException {
    Path inner = Files.createDirectory(folder.resolve("day"));
    write("b.csv", "2,100,,,,,,8,1\n3,100,,,,,,8,1\n");
    write("a.csv", "1,100,,,,,,8,1\n");
    write("day/c.csv", "4,100,,,,,,8,1\n");
    Files.writeString(inner.resolve("_SUCCESS"), "no rows");
    RequestFiles files = RequestFiles.of(COLUMNS, List.of(folder));
    try (Stream<Request> stream = files.stream()) {
      assertThat(stream.map(Request::groupKey)).containsExactly(1L, 2L, 3L, 4L);
    }
    try (Stream<Request> part = files.stream()) { // closes its file without reaching the end
      assertThat(part.findFirst()).isPresent();
    }
    Path empty = Files.createDirectory(folder.resolve("empty"));
    assertThatThrownBy(() -> RequestFiles.of(COLUMNS, List.of(empty)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(empty + ": has no file");
    assertThatThrownBy(() -> RequestFiles.of(COLUMNS, List.of(folder.resolve("absent"))))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("absent");
  }

  @Test
  void settingsAreChecked() {
    RequestColumns.Builder columns = RequestColumns.builder(SCHEMA);
    assertThatThrownBy(columns::build)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("[request_columns] the columns of users and times must be set");
    assertThatThrownBy(() -> columns.column("item", "c")).hasMessageContaining("[likes]");
    assertThatThrownBy(() -> columns.candidateColumn("price", "c")).hasMessageContaining("[item]");
    assertThatThrownBy(() -> columns.eventColumn("likes", "c"))
        .hasMessageContaining("[item, tags, price]");
    assertThatThrownBy(() -> PrepareRequests.builder(COLUMNS).validationFrom(5).testFrom(4).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("got 5 and 4");
  }

  @Test
  void anInterruptEndsThePreparationAndLeavesNothing() throws IOException {
    Path file = write("rows.csv", "1,100,,,,,,8,1\n");
    Thread.currentThread().interrupt();
    assertThatThrownBy(
            () ->
                PrepareRequests.builder(COLUMNS).build().run(List.of(file), folder.resolve("out")))
        .isInstanceOf(CancellationException.class);
    assertThat(Thread.interrupted()).isTrue();
    assertThat(folder.toFile().list()).containsExactly("rows.csv");
  }

  @Test
  void filesWithoutATrainingRequestAreRefused() throws IOException {
    Path file = write("rows.csv", "1,100,,,,,,8,1\n");
    assertThatThrownBy(
            () ->
                PrepareRequests.builder(COLUMNS)
                    .testFrom(100)
                    .build()
                    .run(List.of(file), folder.resolve("out")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no training request");
    assertThat(folder.toFile().list()).containsExactly("rows.csv");
  }
}
