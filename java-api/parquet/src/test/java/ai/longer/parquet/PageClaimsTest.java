package ai.longer.parquet;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.bytes.BytesUtils;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.Encoding;
import org.apache.parquet.column.page.DataPageV1;
import org.apache.parquet.column.page.DataPageV2;
import org.apache.parquet.column.page.DictionaryPage;
import org.apache.parquet.column.statistics.Statistics;
import org.apache.parquet.schema.MessageTypeParser;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PageClaimsTest {
  private static final ColumnDescriptor LONGS = column("required int64 c");
  private static final ColumnDescriptor TEXTS = column("required binary c");
  private static final ColumnDescriptor LIST = column("repeated int64 c");

  private static ColumnDescriptor column(String type) {
    return MessageTypeParser.parseMessageType("message m { %s; }".formatted(type))
        .getColumns()
        .get(0);
  }

  private static byte[] numbers(int... values) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int value : values) {
      BytesUtils.writeUnsignedVarInt(value, bytes);
    }
    return bytes.toByteArray();
  }

  private static BytesInput bytes(byte[]... parts) {
    BytesInput all = BytesInput.empty();
    for (byte[] part : parts) {
      all = BytesInput.concat(all, BytesInput.from(part));
    }
    return all;
  }

  private static byte[] length(int bytes) {
    return new byte[] {(byte) bytes, (byte) (bytes >> 8), 0, 0};
  }

  /** A bit-packed run of 8 · groups values. */
  private static byte[] packed(int groups) throws IOException {
    return numbers(groups << 1 | 1);
  }

  private static DataPageV1 page(int count, Encoding values, byte[]... parts) {
    BytesInput all = bytes(parts);
    return new DataPageV1(
        all,
        count,
        (int) all.size(),
        Statistics.createStats(LONGS.getPrimitiveType()),
        Encoding.RLE,
        Encoding.RLE,
        values);
  }

  @Test
  void dictionariesHoldWhatTheyClaim() throws IOException {
    PageClaims.check(new DictionaryPage(bytes(new byte[24]), 3, Encoding.PLAIN), LONGS);
    PageClaims.check(new DictionaryPage(bytes(new byte[24]), 6, Encoding.PLAIN), TEXTS);
    for (int claimed : new int[] {4, Integer.MAX_VALUE, -1}) {
      DictionaryPage page = new DictionaryPage(bytes(new byte[24]), claimed, Encoding.PLAIN);
      assertThatThrownBy(() -> PageClaims.check(page, LONGS))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("a dictionary of 24 bytes claims " + claimed);
    }
  }

  @Test
  void indicesHoldTheRunsThatTheyClaim() throws IOException {
    byte[] width = {2};
    PageClaims.check(
        page(16, Encoding.RLE_DICTIONARY, width, packed(2), new byte[] {1, 2, 3}), LONGS);
    DataPageV1 page = page(1 << 20, Encoding.RLE_DICTIONARY, width, packed(1 << 17), new byte[9]);
    assertThatThrownBy(() -> PageClaims.check(page, LONGS))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("claims 1048576 values of 2 bits");
  }

  @Test
  void runsWithoutBitsAreBounded() throws IOException {
    PageClaims.check(page(3, Encoding.RLE_DICTIONARY, new byte[] {0}, packed(1)), LONGS);
    DataPageV1 page =
        page(Integer.MAX_VALUE, Encoding.RLE_DICTIONARY, new byte[] {0}, packed(1 << 27));
    assertThatThrownBy(() -> PageClaims.check(page, LONGS)).isInstanceOf(IOException.class);
  }

  @Test
  void levelsHoldTheRunsThatTheyClaim() throws IOException {
    byte[] right = numbers(4 << 1, 1);
    byte[] wrong = numbers(1 << 28 | 1);
    byte[] values = new byte[32];
    PageClaims.check(page(4, Encoding.PLAIN, length(2), right, length(2), right, values), LIST);
    DataPageV1 page =
        page(4, Encoding.PLAIN, length(2), right, length(wrong.length), wrong, values);
    assertThatThrownBy(() -> PageClaims.check(page, LIST)).isInstanceOf(IOException.class);
    DataPageV2 second =
        DataPageV2.uncompressed(
            4,
            0,
            4,
            bytes(wrong),
            bytes(right),
            Encoding.PLAIN,
            bytes(values),
            Statistics.createStats(LIST.getPrimitiveType()));
    assertThatThrownBy(() -> PageClaims.check(second, LIST)).isInstanceOf(IOException.class);
  }

  @ParameterizedTest
  @EnumSource(names = {"DELTA_BINARY_PACKED", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"})
  void blocksAreBounded(Encoding encoding) throws IOException {
    byte[][] heads = {
      numbers(1 << 30, 1, 8, 0), numbers(128, 1 << 27, 8, 0), numbers(128, 4, 1 << 30, 0)
    };
    for (byte[] head : heads) {
      DataPageV1 page = page(8, encoding, head);
      assertThatThrownBy(() -> PageClaims.check(page, TEXTS))
          .isInstanceOf(IOException.class)
          .hasMessageStartingWith("blocks of");
    }
  }

  @Test
  void sharedBeginningsAreBounded() throws IOException {
    // One text: the only number of a stream stands in its head, in zigzag.
    byte[] rest = numbers(128, 4, 1, 0);
    assertThatCode(
            () ->
                PageClaims.check(
                    page(1, Encoding.DELTA_BYTE_ARRAY, numbers(128, 4, 1, 6), rest), TEXTS))
        .doesNotThrowAnyException();
    DataPageV1 page =
        page(1, Encoding.DELTA_BYTE_ARRAY, numbers(128, 4, 1, Integer.MAX_VALUE - 1), rest);
    assertThatThrownBy(() -> PageClaims.check(page, TEXTS))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("claims to share 1073741823 bytes");
  }
}
