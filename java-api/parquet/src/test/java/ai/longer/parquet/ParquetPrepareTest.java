package ai.longer.parquet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.longer.CorruptDataException;
import ai.longer.Schema;
import ai.longer.Schema.Feature;
import ai.longer.data.LogColumns;
import ai.longer.data.Prepare;
import ai.longer.data.Prepared;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ParquetPrepareTest {
  private static final Schema SCHEMA =
      Schema.builder()
          .table("item", 8)
          .table("tag", 4)
          .event("item", "item")
          .event(Feature.manyValued("tags", "tag"))
          .event(Feature.numeric("price", 10, 5))
          .candidate("item", "item")
          .task("click")
          .build();

  private static final String FILE_SCHEMA =
      """
      message log {
        required binary user (STRING);
        required int64 time (TIMESTAMP(MILLIS, true));
        optional int64 item;
        optional group tags (LIST) { repeated group list { optional binary element (STRING); } }
        optional double price;
        required boolean click;
      }
      """;

  @TempDir private Path folder;

  private static LogColumns.Builder columns() {
    return LogColumns.builder(SCHEMA).textUser("user").time("time").texts("tags");
  }

  @Test
  void makesTheShardsThatTheSameLogInCsvMakes() throws IOException {
    SplittableRandom random = new SplittableRandom(5);
    List<Consumer<Group>> rows = new ArrayList<>();
    StringBuilder csv = new StringBuilder("user,time,item,tags,price,click\n");
    for (int i = 0; i < 500; i++) {
      String user = "user " + random.nextInt(7);
      long time = 1_000_000L + random.nextInt(1000);
      long item = random.nextInt(50);
      int numTags = random.nextInt(3);
      double price = random.nextInt(400) / 10.0;
      boolean isPriced = random.nextInt(3) > 0;
      boolean isClick = random.nextBoolean();
      List<String> tags = random.ints(numTags, 0, 9).mapToObj(t -> "tag " + t).toList();
      csv.append(
          "%s,%d,%s,%s,%s,%d\n"
              .formatted(
                  user,
                  time,
                  item == 0 ? "" : item,
                  String.join("|", tags),
                  isPriced ? price : "",
                  isClick ? 1 : 0));
      rows.add(
          group -> {
            group.append("user", user).append("time", 1000 * time).append("click", isClick);
            if (item != 0) {
              group.append("item", item);
            }
            Group list = group.addGroup("tags");
            tags.forEach(tag -> list.addGroup("list").append("element", tag));
            if (isPriced) {
              group.append("price", price);
            }
          });
    }
    Path parquet = folder.resolve("log.parquet");
    ParquetFiles.write(parquet, CompressionCodecName.SNAPPY, 4096, FILE_SCHEMA, rows);
    Path text = folder.resolve("log.csv");
    Files.writeString(text, csv);
    Prepare prepare = Prepare.builder(columns().build()).requests(r -> r.testShare(0.1)).build();
    Prepared fromParquet = prepare.run(List.of(parquet), folder.resolve("parquet"));
    Prepared fromText = prepare.run(List.of(text), folder.resolve("csv"));
    assertThat(fromParquet).isEqualTo(fromText);
    for (Path shards :
        List.of(Prepared.training(folder.resolve("csv")), Prepared.test(folder.resolve("csv")))) {
      for (String file : shards.toFile().list()) {
        Path other = folder.resolve("parquet").resolve(shards.getFileName()).resolve(file);
        assertThat(Files.mismatch(shards.resolve(file), other)).as(file).isEqualTo(-1);
      }
    }
  }

  @Test
  void wrongKindsAreNamed() throws IOException {
    Path parquet = folder.resolve("log.parquet");
    List<Consumer<Group>> rows =
        List.of(
            group -> {
              group.append("user", "anna").append("time", 5L).append("click", true);
              group.append("item", 7L).append("price", 1.5);
              group.addGroup("tags").addGroup("list").append("element", "red");
            });
    ParquetFiles.write(parquet, CompressionCodecName.UNCOMPRESSED, 4096, FILE_SCHEMA, rows);
    assertNamed(parquet, columns().user("user"), "\"user\": must hold whole numbers; got texts");
    assertNamed(parquet, columns().texts("item"), "\"item\": must hold texts; got whole numbers");
    assertNamed(parquet, columns().column("price", "user"), "\"user\": must hold numbers");
    assertNamed(
        parquet, columns().column("item", "price"), "must hold whole numbers; got numbers with");
    assertNamed(parquet, columns().column("item", "colour"), "has no column \"colour\"");
  }

  private void assertNamed(Path log, LogColumns.Builder columns, String problem) {
    assertThatThrownBy(
            () -> Prepare.builder(columns.build()).build().run(List.of(log), folder.resolve("out")))
        .isInstanceOf(CorruptDataException.class)
        .hasMessageContaining(log.toString())
        .hasMessageContaining(problem);
  }
}
