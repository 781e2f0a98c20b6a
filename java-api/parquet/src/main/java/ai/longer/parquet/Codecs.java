package ai.longer.parquet;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.GZIPInputStream;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.compression.CompressionCodecFactory;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.xerial.snappy.Snappy;

/**
 * Unpacks pages without Hadoop's codecs: uncompressed, Snappy, gzip, Zstandard. Sizes that a file
 * claims are checked before memory is taken. Safe for use by several threads.
 */
final class Codecs implements CompressionCodecFactory {
  /** Writers make pages of about 1 MiB; a claim beyond this is damage. */
  static final int MAX_PAGE_BYTES = 128 << 20;

  /** Three bytes make Snappy repeat 64. */
  private static final long MAX_SNAPPY_RATIO = 64;

  @Override
  public BytesInputCompressor getCompressor(CompressionCodecName codec) {
    throw new UnsupportedOperationException("[parquet] this module does not write");
  }

  @Override
  public BytesInputDecompressor getDecompressor(CompressionCodecName codec) {
    return switch (codec) {
      case UNCOMPRESSED -> new Decompressor(Codecs::plain);
      case SNAPPY -> new Decompressor(Codecs::snappy);
      case GZIP -> new Decompressor(Codecs::gzip);
      case ZSTD -> new Decompressor(Codecs::zstandard);
      default ->
          throw new UnsupportedOperationException(
              "[parquet] cannot unpack %s; write with NONE, SNAPPY, GZIP or ZSTD".formatted(codec));
    };
  }

  @Override
  public void release() {
    // Nothing is kept.
  }

  private static byte[] plain(byte[] bytes, int size) throws IOException {
    if (bytes.length != size) {
      throw new IOException("a page of %d bytes claims %d".formatted(bytes.length, size));
    }
    return bytes;
  }

  private static byte[] snappy(byte[] packed, int size) throws IOException {
    int claimed = Snappy.uncompressedLength(packed);
    if (claimed != size || size > MAX_SNAPPY_RATIO * packed.length) {
      throw new IOException(
          "a Snappy page of %d bytes, %d packed, claims %d"
              .formatted(size, packed.length, claimed));
    }
    return Snappy.uncompress(packed);
  }

  private static byte[] gzip(byte[] packed, int size) throws IOException {
    try (GZIPInputStream stream = new GZIPInputStream(new ByteArrayInputStream(packed))) {
      byte[] bytes = stream.readNBytes(size);
      if (bytes.length < size || stream.read() >= 0) {
        throw new IOException("a gzip page does not have its %d bytes".formatted(size));
      }
      return bytes;
    }
  }

  private static byte[] zstandard(byte[] packed, int size) throws IOException {
    long claimed = Zstd.getFrameContentSize(packed);
    if (claimed > 0 && claimed != size) {
      throw new IOException("a Zstandard page of %d bytes claims %d".formatted(size, claimed));
    }
    try {
      byte[] bytes = Zstd.decompress(packed, size);
      if (bytes.length != size) {
        throw new IOException("a Zstandard page does not have its %d bytes".formatted(size));
      }
      return bytes;
    } catch (ZstdException e) {
      throw new IOException("a Zstandard page is damaged: " + e.getMessage(), e);
    }
  }

  /** Unpacks to exactly {@code size} bytes. */
  @FunctionalInterface
  private interface Unpack {
    byte[] apply(byte[] packed, int size) throws IOException;
  }

  private record Decompressor(Unpack unpack) implements BytesInputDecompressor {
    @Override
    public BytesInput decompress(BytesInput packed, int size) throws IOException {
      if (size < 0 || size > MAX_PAGE_BYTES) {
        throw new IOException(
            "a page of %d bytes; at most %d are read".formatted(size, MAX_PAGE_BYTES));
      }
      return BytesInput.from(unpack.apply(packed.toInputStream().readAllBytes(), size));
    }

    @Override
    public void decompress(ByteBuffer packed, int packedSize, ByteBuffer output, int size)
        throws IOException {
      byte[] bytes = new byte[packedSize];
      packed.get(bytes);
      output.put(decompress(BytesInput.from(bytes), size).toInputStream().readAllBytes());
    }

    @Override
    public void release() {
      // Nothing is kept.
    }
  }
}
