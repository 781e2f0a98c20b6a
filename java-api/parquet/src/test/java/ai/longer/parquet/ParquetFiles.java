package ai.longer.parquet;

import com.github.luben.zstd.Zstd;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;
import java.util.zip.GZIPOutputStream;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.compression.CompressionCodecFactory;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroupFactory;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.apache.parquet.io.LocalOutputFile;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;
import org.xerial.snappy.Snappy;

/** Writes files with Parquet's own writer. */
final class ParquetFiles {
  private ParquetFiles() {}

  /** Writes rows; {@code rows} fill a new record each. */
  static void write(
      Path file,
      CompressionCodecName codec,
      long rowGroupBytes,
      String schemaText,
      List<Consumer<Group>> rows)
      throws IOException {
    write(file, codec, rowGroupBytes, schemaText, rows, writer -> {});
  }

  /** As above; {@code settings} are the writer's. */
  static void write(
      Path file,
      CompressionCodecName codec,
      long rowGroupBytes,
      String schemaText,
      List<Consumer<Group>> rows,
      Consumer<ExampleParquetWriter.Builder> settings)
      throws IOException {
    MessageType schema = MessageTypeParser.parseMessageType(schemaText);
    Files.deleteIfExists(file);
    ExampleParquetWriter.Builder builder =
        ExampleParquetWriter.builder(new LocalOutputFile(file))
            .withConf(new PlainParquetConfiguration())
            .withType(schema)
            .withCodecFactory(new Packing())
            .withCompressionCodec(codec)
            .withRowGroupSize(rowGroupBytes)
            .withPageSize(512);
    settings.accept(builder);
    try (ParquetWriter<Group> writer = builder.build()) {
      SimpleGroupFactory groups = new SimpleGroupFactory(schema);
      for (Consumer<Group> row : rows) {
        Group group = groups.newGroup();
        row.accept(group);
        writer.write(group);
      }
    }
  }

  /** The compressors, which the module itself has no use for. */
  private static final class Packing implements CompressionCodecFactory {
    @Override
    public BytesInputCompressor getCompressor(CompressionCodecName codec) {
      return new BytesInputCompressor() {
        @Override
        public BytesInput compress(BytesInput bytes) throws IOException {
          byte[] plain = bytes.toInputStream().readAllBytes();
          return BytesInput.from(
              switch (codec) {
                case SNAPPY -> Snappy.compress(plain);
                case ZSTD -> Zstd.compress(plain);
                case GZIP -> gzip(plain);
                default -> plain;
              });
        }

        @Override
        public CompressionCodecName getCodecName() {
          return codec;
        }

        @Override
        public void release() {
          // Nothing is kept.
        }
      };
    }

    private static byte[] gzip(byte[] plain) throws IOException {
      ByteArrayOutputStream packed = new ByteArrayOutputStream();
      try (GZIPOutputStream stream = new GZIPOutputStream(packed)) {
        stream.write(plain);
      }
      return packed.toByteArray();
    }

    @Override
    public BytesInputDecompressor getDecompressor(CompressionCodecName codec) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void release() {
      // Nothing is kept.
    }
  }
}
