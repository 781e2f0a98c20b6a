package ai.longer.parquet;

import java.io.IOException;
import org.apache.parquet.bytes.ByteBufferInputStream;
import org.apache.parquet.bytes.BytesUtils;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.Encoding;
import org.apache.parquet.column.page.DataPage;
import org.apache.parquet.column.page.DataPageV1;
import org.apache.parquet.column.page.DataPageV2;
import org.apache.parquet.column.page.DictionaryPage;
import org.apache.parquet.column.values.delta.DeltaBinaryPackingValuesReader;

/**
 * Checks what an unpacked page claims before the decoders take memory for it: they allocate what a
 * dictionary, a run, a block or a text says that it holds, whatever the page has. Other damage is
 * theirs to find.
 */
final class PageClaims {
  /** In a bit-packed run or a block of differences; writers make at most some ten thousand. */
  static final int MAX_VALUES = 1 << 23;

  /** Writers stop at dictionaries of about 1 MiB. */
  static final int MAX_DICTIONARY = 1 << 21;

  private static final int MAX_BLOCK = 1 << 20;
  private static final int MAX_PREFIX = 1 << 24;
  private static final int MAX_HEAD_BYTES = 3 * 5; // of blocks: three numbers

  private PageClaims() {}

  /**
   * Checks the size of a dictionary.
   *
   * @throws IOException if it claims more values than its bytes can hold or than are read
   */
  static void check(DictionaryPage page, ColumnDescriptor column) throws IOException {
    long bytes = page.getBytes().size();
    long values = page.getDictionarySize();
    if (values < 0 || values > MAX_DICTIONARY || values * leastBytes(column) > bytes) {
      throw new IOException("a dictionary of %d bytes claims %d values".formatted(bytes, values));
    }
  }

  /** Bytes of the shortest value in a dictionary. */
  private static int leastBytes(ColumnDescriptor column) {
    return switch (column.getPrimitiveType().getPrimitiveTypeName()) {
      case BOOLEAN, FIXED_LEN_BYTE_ARRAY -> 0;
      case INT32, FLOAT, BINARY -> Integer.BYTES;
      case INT64, DOUBLE -> Long.BYTES;
      case INT96 -> Integer.BYTES + Long.BYTES;
    };
  }

  /**
   * Checks levels and values of a page.
   *
   * @throws IOException if a part of it claims more than its bytes can hold or than is read
   */
  static void check(DataPage page, ColumnDescriptor column) throws IOException {
    int count = page.getValueCount();
    if (page instanceof DataPageV1 whole) {
      ByteBufferInputStream bytes = whole.getBytes().toInputStream();
      checkLevels(bytes, whole.getRlEncoding(), column.getMaxRepetitionLevel(), count);
      checkLevels(bytes, whole.getDlEncoding(), column.getMaxDefinitionLevel(), count);
      checkValues(bytes, whole.getValueEncoding(), count);
    } else if (page instanceof DataPageV2 parts) {
      checkRuns(
          parts.getRepetitionLevels().toInputStream(), bits(column.getMaxRepetitionLevel()), count);
      checkRuns(
          parts.getDefinitionLevels().toInputStream(), bits(column.getMaxDefinitionLevel()), count);
      checkValues(parts.getData().toInputStream(), parts.getDataEncoding(), count);
    }
  }

  private static int bits(int maxLevel) {
    return BytesUtils.getWidthFromMaxInt(maxLevel);
  }

  /** Levels in front of the values. */
  private static void checkLevels(
      ByteBufferInputStream bytes, Encoding encoding, int maxLevel, int count) throws IOException {
    if (maxLevel == 0) {
      return;
    }
    if (encoding == Encoding.RLE) {
      checkRuns(bytes.sliceStream(BytesUtils.readIntLittleEndian(bytes)), bits(maxLevel), count);
    } else {
      bytes.skipFully(((long) count * bits(maxLevel) + 7) / 8);
    }
  }

  @SuppressWarnings("deprecation") // The old name of dictionary indices is in old files.
  private static void checkValues(ByteBufferInputStream bytes, Encoding encoding, int count)
      throws IOException {
    switch (encoding) {
      case PLAIN_DICTIONARY, RLE_DICTIONARY -> {
        if (bytes.available() > 0) {
          checkRuns(bytes, bytes.read(), count);
        }
      }
      case RLE -> checkRuns(bytes.sliceStream(BytesUtils.readIntLittleEndian(bytes)), 1, count);
      case DELTA_BINARY_PACKED, DELTA_LENGTH_BYTE_ARRAY -> checkBlocks(bytes);
      case DELTA_BYTE_ARRAY -> checkPrefixes(bytes, count);
      default -> {
        // These take no more than they find.
      }
    }
  }

  /** Runs of equal or bit-packed numbers. */
  private static void checkRuns(ByteBufferInputStream bytes, int bits, int count)
      throws IOException {
    for (long seen = 0; seen < count && bytes.available() > 0; ) {
      int header = BytesUtils.readUnsignedVarInt(bytes);
      if ((header & 1) == 0) {
        seen += header >>> 1;
        bytes.skip((bits + 7) / 8);
        continue;
      }
      int groups = header >>> 1;
      long values = 8L * groups;
      // The last group need not be whole; numbers that are all 0 have no bits.
      boolean isCut = bits > 0 && (groups - 1L) * bits >= bytes.available();
      if (values > MAX_VALUES || isCut) {
        throw new IOException(
            "a run with %d bytes left claims %d values of %d bits"
                .formatted(bytes.available(), values, bits));
      }
      seen += values;
      bytes.skip(Math.min((long) groups * bits, bytes.available()));
    }
  }

  /** The head of blocks of differences; returns how many values it claims. */
  private static int checkBlocks(ByteBufferInputStream bytes) throws IOException {
    int block = BytesUtils.readUnsignedVarInt(bytes);
    int parts = BytesUtils.readUnsignedVarInt(bytes);
    int values = BytesUtils.readUnsignedVarInt(bytes);
    if (block < 0 || block > MAX_BLOCK || parts < 0 || parts > block) {
      throw new IOException("blocks of %d values in %d parts".formatted(block, parts));
    }
    if (values < 0 || values > MAX_VALUES) {
      throw new IOException("blocks of differences claim %d values".formatted(values));
    }
    return values;
  }

  /** Texts that share their beginning with the one before: how long that is, then their rests. */
  private static void checkPrefixes(ByteBufferInputStream bytes, int count) throws IOException {
    bytes.mark(MAX_HEAD_BYTES);
    int values = checkBlocks(bytes);
    bytes.reset();
    DeltaBinaryPackingValuesReader prefixes = new DeltaBinaryPackingValuesReader();
    prefixes.initFromPage(count, bytes);
    for (int i = 0; i < values; i++) {
      int prefix = prefixes.readInteger();
      if (prefix < 0 || prefix > MAX_PREFIX) {
        throw new IOException("a text claims to share %d bytes".formatted(prefix));
      }
    }
    checkBlocks(bytes);
  }
}
