package ai.longer.parquet;

import ai.longer.CorruptDataException;
import ai.longer.data.Cell;
import ai.longer.data.Rows;
import ai.longer.parquet.CellConverters.UnreadableColumnException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.format.converter.ParquetMetadataConverter;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.io.ColumnIOFactory;
import org.apache.parquet.io.InputFile;
import org.apache.parquet.io.LocalInputFile;
import org.apache.parquet.io.RecordReader;
import org.apache.parquet.io.api.Converter;
import org.apache.parquet.io.api.GroupConverter;
import org.apache.parquet.io.api.RecordMaterializer;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.Type;
import org.jspecify.annotations.Nullable;

/**
 * Reads some columns of a Parquet file row by row; holds one row group of those columns, packed, in
 * memory.
 *
 * <p>Columns are whole numbers, numbers with fractions, text, or lists of these, once or twice
 * nested; timestamps and dates are read as epoch seconds. Compression: none, Snappy, gzip,
 * Zstandard. Not thread-safe.
 */
public final class ParquetRows implements Rows {
  private static final int MAX_FOOTER_BYTES = 100 << 20;

  private final Path file;
  private final InputFile input;
  private final ParquetFileReader reader;
  private final MessageType fileSchema;
  private final MessageType schema;
  private final List<CellConverters> columns;
  private final List<BlockMetaData> rowGroups;
  private final long[] groupBytes;
  private final long totalBytes;

  private @Nullable RecordReader<Boolean> records;
  private int rowGroup = -1;
  private long row = -1;
  private long rowsInGroup;
  private long bytesBefore;

  private ParquetRows(Path file, InputFile input, ParquetFileReader reader, Set<String> names)
      throws IOException {
    this.file = file;
    this.input = input;
    this.reader = reader;
    fileSchema = reader.getFooter().getFileMetaData().getSchema();
    List<Type> fields = new ArrayList<>();
    columns = new ArrayList<>();
    for (Type field : fileSchema.getFields()) {
      if (names.contains(field.getName())) {
        fields.add(field);
        columns.add(converters(field));
      }
    }
    schema = new MessageType(fileSchema.getName(), fields);
    reader.setRequestedSchema(schema);
    rowGroups = reader.getRowGroups();
    groupBytes = new long[rowGroups.size()];
    long fileBytes = input.getLength();
    long sum = 0;
    for (int i = 0; i < groupBytes.length; i++) {
      groupBytes[i] = checkedBytes(i, fileBytes);
      sum += groupBytes[i];
    }
    totalBytes = sum;
  }

  /**
   * Opens a file.
   *
   * @param columns names of the columns to read; those that the file does not have are left out
   * @throws UncheckedIOException if the file cannot be read
   * @throws CorruptDataException if it is no whole Parquet file, or a column is neither a value nor
   *     a list; the message names it
   */
  public static ParquetRows open(Path file, Set<String> columns) {
    if (!Files.isReadable(file) || !Files.isRegularFile(file)) {
      String problem = "[parquet] %s: is not a file that can be read".formatted(file);
      throw new UncheckedIOException(problem, new IOException(problem));
    }
    return open(file, new LocalInputFile(file), columns);
  }

  /** Opens {@code input}, which errors call {@code file}. */
  static ParquetRows open(Path file, InputFile input, Set<String> columns) {
    ParquetFileReader reader = null;
    try {
      reader = ParquetFileReader.open(input, options(input.getLength()));
      return new ParquetRows(file, input, reader, columns);
    } catch (CorruptDataException e) {
      close(reader, e);
      throw e;
    } catch (IOException | RuntimeException | StackOverflowError e) {
      close(reader, e);
      throw new CorruptDataException("[parquet] %s: cannot be read: %s".formatted(file, e), e);
    }
  }

  private static ParquetReadOptions options(long fileBytes) {
    PlainParquetConfiguration configuration = new PlainParquetConfiguration();
    // No list or text of the footer may claim more than there is: memory is taken for it at once.
    configuration.setInt(
        ParquetMetadataConverter.PARQUET_THRIFT_STRING_SIZE_LIMIT,
        (int) Math.max(1, Math.min(fileBytes, MAX_FOOTER_BYTES)));
    return new ParquetReadOptions.Builder(configuration).withCodecFactory(new Codecs()).build();
  }

  private static void close(@Nullable ParquetFileReader reader, Throwable failure) {
    if (reader != null) {
      try {
        reader.close();
      } catch (IOException e) {
        failure.addSuppressed(e);
      }
    }
  }

  private CellConverters converters(Type field) {
    try {
      return new CellConverters(field);
    } catch (UnreadableColumnException e) {
      throw new CorruptDataException(
          "[parquet] %s: column \"%s\" %s".formatted(file, field.getName(), e.getMessage()), e);
    }
  }

  /** Packed bytes of the columns read in a row group, which must lie in the file. */
  private long checkedBytes(int group, long fileBytes) {
    long bytes = 0;
    for (ColumnChunkMetaData chunk : rowGroups.get(group).getColumns()) {
      long begin = chunk.getStartingPos();
      long size = chunk.getTotalSize();
      if (begin < 0 || size < 0 || begin > fileBytes || size > fileBytes - begin) {
        throw new CorruptDataException(
            "[parquet] %s, row group %d: column %s lies outside of the file"
                .formatted(file, group, chunk.getPath().toDotString()));
      }
      if (isRead(chunk)) {
        bytes += size;
      }
    }
    return bytes;
  }

  private boolean isRead(ColumnChunkMetaData chunk) {
    return schema.containsField(chunk.getPath().toArray()[0]);
  }

  @Override
  public boolean hasColumn(String name) {
    return schema.containsField(name);
  }

  @Override
  public int column(String name) {
    if (!schema.containsField(name)) {
      throw new CorruptDataException(
          "[parquet] %s: has no column \"%s\"; its columns are %s"
              .formatted(file, name, fileSchema.getFields().stream().map(Type::getName).toList()));
    }
    return schema.getFieldIndex(name);
  }

  @Override
  public boolean next() {
    try {
      while (records == null || row + 1 == rowsInGroup) {
        if (!nextGroup()) {
          return false;
        }
      }
      row++;
      columns.forEach(CellConverters::beginRow);
      records.read();
      columns.forEach(CellConverters::endRow);
      return true;
    } catch (IOException | RuntimeException | StackOverflowError e) {
      throw new CorruptDataException("%s: cannot be read: %s".formatted(place(), e), e);
    }
  }

  private boolean nextGroup() throws IOException {
    if (rowGroup >= 0) {
      bytesBefore += groupBytes[rowGroup];
    }
    records = null;
    row = -1;
    rowsInGroup = 0;
    rowGroup++;
    if (rowGroup == groupBytes.length || columns.isEmpty()) {
      rowGroup = groupBytes.length - 1;
      bytesBefore = totalBytes - (rowGroup < 0 ? 0 : groupBytes[rowGroup]);
      return false;
    }
    BlockMetaData group = rowGroups.get(rowGroup);
    if (group.getRowCount() == 0) {
      return true;
    }
    for (ColumnChunkMetaData chunk : group.getColumns()) {
      if (isRead(chunk)) {
        PageHeaders.check(input, chunk);
      }
    }
    PageReadStore pages = new CheckedPages(reader.readRowGroup(rowGroup));
    rowsInGroup = pages.getRowCount();
    records =
        new ColumnIOFactory()
            .getColumnIO(schema, fileSchema)
            .getRecordReader(pages, new CellFiller(columns));
    return true;
  }

  @Override
  public Cell cell(int column) {
    return columns.get(column).cell();
  }

  @Override
  public CorruptDataException error(int column, String problem) {
    return new CorruptDataException(
        "%s, column \"%s\": %s".formatted(place(), schema.getFieldName(column), problem));
  }

  private String place() {
    return "[parquet] %s, row group %d, row %d".formatted(file, Math.max(0, rowGroup), row);
  }

  @Override
  public long bytesRead() {
    if (rowGroup < 0) {
      return 0;
    }
    double share = rowsInGroup == 0 ? 1 : (row + 1) / (double) rowsInGroup;
    return bytesBefore + (long) (share * groupBytes[rowGroup]);
  }

  @Override
  public long totalBytes() {
    return totalBytes;
  }

  @Override
  public void close() {
    try {
      reader.close();
    } catch (IOException e) {
      throw new UncheckedIOException("[parquet] %s: cannot be closed: %s".formatted(file, e), e);
    }
  }

  /** Fills the cells; the records themselves hold nothing. */
  private static final class CellFiller extends RecordMaterializer<Boolean> {
    private final GroupConverter root;

    CellFiller(List<CellConverters> columns) {
      List<Converter> converters = columns.stream().map(CellConverters::converter).toList();
      root =
          new GroupConverter() {
            @Override
            public Converter getConverter(int field) {
              return converters.get(field);
            }

            @Override
            public void start() {
              // A row: next() clears the cells.
            }

            @Override
            public void end() {
              // next() ends the cells.
            }
          };
    }

    @Override
    public Boolean getCurrentRecord() {
      return Boolean.TRUE;
    }

    @Override
    public GroupConverter getRootConverter() {
      return root;
    }
  }
}
