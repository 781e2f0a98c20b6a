package ai.longer.parquet;

import java.io.IOException;
import org.apache.parquet.format.DataPageHeaderV2;
import org.apache.parquet.format.PageHeader;
import org.apache.parquet.format.PageType;
import org.apache.parquet.format.Util;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.io.InputFile;
import org.apache.parquet.io.SeekableInputStream;

/** Checks what the pages of a column chunk claim before memory is taken for them. */
final class PageHeaders {
  private PageHeaders() {}

  /**
   * Walks over the pages of a chunk without reading their values: the reader behind takes as many
   * bytes as a header claims, whatever the file has.
   *
   * @throws IOException if a page claims a negative size or ends beyond the file, or its levels
   *     beyond the page
   */
  static void check(InputFile file, ColumnChunkMetaData chunk) throws IOException {
    long fileBytes = file.getLength();
    try (SeekableInputStream in = file.newStream()) {
      in.seek(chunk.getStartingPos());
      long values = 0;
      while (values < chunk.getValueCount()) {
        PageHeader header = Util.readPageHeader(in);
        int size = header.getCompressed_page_size();
        if (size < 0 || size > fileBytes - in.getPos()) {
          throw new IOException(
              "a page of column %s claims %d bytes, the file has %d more"
                  .formatted(chunk.getPath().toDotString(), size, fileBytes - in.getPos()));
        }
        long levels = levelBytes(header);
        if (levels > size) {
          throw new IOException(
              "levels of column %s claim %d bytes of a page of %d"
                  .formatted(chunk.getPath().toDotString(), levels, size));
        }
        in.seek(in.getPos() + size);
        values += values(header);
      }
    }
  }

  /** Values of a data page, which the reader behind takes for one by its type. */
  private static int values(PageHeader header) {
    return switch (header.getType()) {
      case DATA_PAGE -> header.getData_page_header().getNum_values();
      case DATA_PAGE_V2 -> header.getData_page_header_v2().getNum_values();
      default -> 0;
    };
  }

  /** Bytes that the levels of a data page claim, of those of the page. */
  private static long levelBytes(PageHeader header) throws IOException {
    if (header.getType() != PageType.DATA_PAGE_V2) {
      return 0;
    }
    DataPageHeaderV2 page = header.getData_page_header_v2();
    int repetition = page.getRepetition_levels_byte_length();
    int definition = page.getDefinition_levels_byte_length();
    if (repetition < 0 || definition < 0) {
      throw new IOException("levels of %d and %d bytes".formatted(repetition, definition));
    }
    return (long) repetition + definition;
  }
}
