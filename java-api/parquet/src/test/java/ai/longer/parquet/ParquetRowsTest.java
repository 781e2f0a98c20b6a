package ai.longer.parquet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.longer.CorruptDataException;
import ai.longer.data.Cell;
import ai.longer.data.RowFormat;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.function.Consumer;
import org.apache.parquet.column.ParquetProperties.WriterVersion;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.api.Binary;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ParquetRowsTest {
  private static final String LISTS =
      """
      message rows {
        required int64 user;
        optional group items (LIST) { repeated group list { optional int64 element; } }
        optional group tags (LIST) { repeated group list {
          optional group element (LIST) { repeated group list { optional binary element (STRING); } }
        } }
        optional double price;
        required binary unused (STRING);
      }
      """;

  @TempDir Path folder;

  private Path file() {
    return folder.resolve("rows.parquet");
  }

  /** Row i has i mod 5 items, every third of them missing, and tags nested in lists. */
  private static Consumer<Group> row(int i) {
    return group -> {
      group.append("user", 100L + i);
      if (i % 7 != 0) {
        Group items = group.addGroup("items");
        for (int j = 0; j < i % 5; j++) {
          Group item = items.addGroup("list");
          if (j % 3 != 1) {
            item.append("element", 1000L * i + j);
          }
        }
      }
      Group tags = group.addGroup("tags");
      for (int j = 0; j < i % 3; j++) {
        Group element = tags.addGroup("list").addGroup("element");
        for (int k = 0; k <= j; k++) {
          element.addGroup("list").append("element", "tag" + (i + j + k) % 4);
        }
      }
      if (i % 2 == 0) {
        group.append("price", i / 4.0);
      }
      group.append("unused", "x".repeat(100));
    };
  }

  private static List<Consumer<Group>> rows(int count) {
    List<Consumer<Group>> rows = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      rows.add(row(i));
    }
    return rows;
  }

  private static void checkRow(ParquetRows rows, int i) {
    assertThat(rows.cell(rows.column("user")).longValue(0)).isEqualTo(100 + i);
    Cell items = rows.cell(rows.column("items"));
    assertThat(items.elements()).isEqualTo(i % 7 != 0 ? i % 5 : 0);
    for (int j = 0; j < items.elements(); j++) {
      assertThat(items.end(j) - items.begin(j)).isEqualTo(j % 3 != 1 ? 1 : 0);
      if (j % 3 != 1) {
        assertThat(items.longValue(items.begin(j))).isEqualTo(1000L * i + j);
      }
    }
    Cell tags = rows.cell(rows.column("tags"));
    assertThat(tags.elements()).isEqualTo(i % 3);
    for (int j = 0; j < tags.elements(); j++) {
      assertThat(tags.end(j) - tags.begin(j)).isEqualTo(j + 1);
      for (int k = 0; k <= j; k++) {
        assertThat(tags.text(tags.begin(j) + k)).isEqualTo("tag" + (i + j + k) % 4);
      }
    }
    Cell price = rows.cell(rows.column("price"));
    assertThat(price.elements()).isEqualTo(1);
    assertThat(price.size()).isEqualTo(i % 2 == 0 ? 1 : 0);
    if (i % 2 == 0) {
      assertThat(price.doubleValue(0)).isEqualTo(i / 4.0);
    }
  }

  /** Pages of both versions; values in a dictionary, as differences, or split into bytes. */
  @ParameterizedTest
  @CsvSource({"PARQUET_1_0, false", "PARQUET_2_0, true", "PARQUET_2_0, false"})
  void encodingsAreRead(WriterVersion version, boolean dictionary) throws IOException {
    ParquetFiles.write(
        file(),
        CompressionCodecName.SNAPPY,
        1 << 20,
        LISTS,
        rows(300),
        writer ->
            writer
                .withWriterVersion(version)
                .withDictionaryEncoding(dictionary)
                .withByteStreamSplitEncoding(true));
    try (ParquetRows rows =
        ParquetRows.open(file(), Set.of("user", "items", "tags", "price", "unused"))) {
      for (int i = 0; i < 300; i++) {
        assertThat(rows.next()).isTrue();
        checkRow(rows, i);
        assertThat(rows.cell(rows.column("unused")).text(0)).hasSize(100);
      }
      assertThat(rows.next()).isFalse();
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"UNCOMPRESSED", "SNAPPY", "GZIP", "ZSTD"})
  void readsWhatParquetWrote(CompressionCodecName codec) throws IOException {
    int count = 3000;
    ParquetFiles.write(file(), codec, 8192, LISTS, rows(count));
    try (ParquetRows rows =
        ParquetRows.open(file(), Set.of("user", "items", "tags", "price", "absent"))) {
      assertThat(rows.hasColumn("absent")).isFalse();
      assertThat(rows.hasColumn("unused")).isFalse();
      long read = 0;
      for (int i = 0; i < count; i++) {
        assertThat(rows.next()).isTrue();
        checkRow(rows, i);
        assertThat(rows.bytesRead()).isBetween(read, rows.totalBytes());
        read = rows.bytesRead();
      }
      assertThat(rows.next()).isFalse();
      assertThat(rows.next()).isFalse();
      assertThat(rows.bytesRead()).isEqualTo(rows.totalBytes());
      assertThat(rows.totalBytes()).isLessThan(Files.size(file()));
      assertThat(rows.error(0, "is odd")).hasMessageContaining(file() + ", row group ");
    }
  }

  @Test
  void readsEveryWayToWriteAList() throws IOException {
    String schema =
        """
        message rows {
          repeated int32 bare;
          optional group old (LIST) { repeated int64 array; }
          optional group older (LIST) { repeated group array { required float value; } }
        }
        """;
    ParquetFiles.write(
        file(),
        CompressionCodecName.SNAPPY,
        1 << 20,
        schema,
        List.of(
            group -> {
              group.append("bare", 1).append("bare", 2);
              group.addGroup("old").append("array", 5L).append("array", 6L).append("array", 7L);
              group.addGroup("older").addGroup("array").append("value", 0.5f);
            },
            group -> {}));
    try (ParquetRows rows = ParquetRows.open(file(), Set.of("bare", "old", "older"))) {
      assertThat(rows.next()).isTrue();
      assertThat(rows.cell(rows.column("bare")).elements()).isEqualTo(2);
      assertThat(rows.cell(rows.column("bare")).longValue(1)).isEqualTo(2);
      assertThat(rows.cell(rows.column("old")).elements()).isEqualTo(3);
      assertThat(rows.cell(rows.column("old")).longValue(2)).isEqualTo(7);
      assertThat(rows.cell(rows.column("older")).elements()).isEqualTo(1);
      assertThat(rows.cell(rows.column("older")).doubleValue(0)).isEqualTo(0.5);
      assertThat(rows.next()).isTrue();
      assertThat(rows.cell(rows.column("bare")).elements()).isZero();
      assertThat(rows.cell(rows.column("old")).elements()).isZero();
      assertThat(rows.next()).isFalse();
    }
  }

  @Test
  void timesAreEpochSeconds() throws IOException {
    String schema =
        """
        message rows {
          required int64 millis (TIMESTAMP(MILLIS,true));
          required int64 micros (TIMESTAMP(MICROS,true));
          required int32 day (DATE);
          required int96 legacy;
          required int32 unsigned (INTEGER(32,false));
          required boolean flag;
        }
        """;
    ByteBuffer legacy = ByteBuffer.allocate(12).order(ByteOrder.LITTLE_ENDIAN);
    legacy.putLong(3_600_000_000_000L).putInt(2_440_589);
    ParquetFiles.write(
        file(),
        CompressionCodecName.ZSTD,
        1 << 20,
        schema,
        List.of(
            group -> {
              group.append("millis", 1_500L).append("micros", -1L).append("day", 2);
              group.append("legacy", Binary.fromConstantByteArray(legacy.array()));
              group.append("unsigned", -1).append("flag", true);
            }));
    Set<String> names = Set.of("millis", "micros", "day", "legacy", "unsigned", "flag");
    try (ParquetRows rows = ParquetRows.open(file(), names)) {
      assertThat(rows.next()).isTrue();
      assertThat(rows.cell(rows.column("millis")).longValue(0)).isEqualTo(1);
      assertThat(rows.cell(rows.column("micros")).longValue(0)).isEqualTo(-1);
      assertThat(rows.cell(rows.column("day")).longValue(0)).isEqualTo(172_800);
      assertThat(rows.cell(rows.column("legacy")).longValue(0)).isEqualTo(86_400 + 3_600);
      assertThat(rows.cell(rows.column("unsigned")).longValue(0)).isEqualTo(4_294_967_295L);
      assertThat(rows.cell(rows.column("flag")).longValue(0)).isEqualTo(1);
    }
  }

  @Test
  void columnsThatAreNoListsAreNamed() throws IOException {
    String schema =
        """
        message rows {
          required group point { required double x; required double y; }
          required binary amount (DECIMAL(9,2));
        }
        """;
    ParquetFiles.write(file(), CompressionCodecName.UNCOMPRESSED, 1 << 20, schema, List.of());
    assertThatThrownBy(() -> ParquetRows.open(file(), Set.of("point")))
        .isInstanceOf(CorruptDataException.class)
        .hasMessageContaining(file() + ": column \"point\" must be a value or a list");
    assertThatThrownBy(() -> ParquetRows.open(file(), Set.of("amount")))
        .isInstanceOf(CorruptDataException.class)
        .hasMessageContaining("column \"amount\" is a decimal");
    try (ParquetRows rows = ParquetRows.open(file(), Set.of())) {
      assertThat(rows.next()).isFalse();
      assertThatThrownBy(() -> rows.column("point"))
          .isInstanceOf(CorruptDataException.class)
          .hasMessageContaining("has no column \"point\"; its columns are [point, amount]");
    }
  }

  @Test
  void absentFilesAreNamed() {
    assertThatThrownBy(() -> ParquetRows.open(file(), Set.of()))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining(file().toString());
  }

  /** Flipped bits and cuts give other values or one typed error, nothing else. */
  @Test
  void damageIsAnErrorThatNamesTheFile() throws IOException {
    ParquetFiles.write(file(), CompressionCodecName.SNAPPY, 4096, LISTS, rows(300));
    byte[] whole = Files.readAllBytes(file());
    Random random = new Random(5);
    int errors = 0;
    for (int i = 0; i < 400; i++) {
      byte[] bytes =
          i % 4 == 0 ? java.util.Arrays.copyOf(whole, random.nextInt(whole.length)) : whole.clone();
      if (bytes.length == whole.length) {
        bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
      }
      Path damaged = folder.resolve("damaged.parquet");
      Files.write(damaged, bytes);
      try (ParquetRows rows = ParquetRows.open(damaged, Set.of("user", "items", "tags"))) {
        while (rows.next()) {
          rows.cell(0);
        }
      } catch (CorruptDataException e) {
        errors++;
        assertThat(e).hasMessageContaining(damaged.toString());
      }
    }
    assertThat(errors).isGreaterThan(100);
  }

  @Test
  void isFoundAsAService() {
    List<RowFormat> formats = new ArrayList<>();
    ServiceLoader.load(RowFormat.class).forEach(formats::add);
    assertThat(formats).hasSize(1);
    assertThat(formats.get(0).reads(Path.of("a/b.parquet"))).isTrue();
    assertThat(formats.get(0).reads(Path.of("a/b.csv"))).isFalse();
    assertThat(Collections.frequency(formats, formats.get(0))).isEqualTo(1);
  }
}
