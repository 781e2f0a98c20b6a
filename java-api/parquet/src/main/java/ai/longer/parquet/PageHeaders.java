package ai.longer.parquet;

import java.io.IOException;
import org.apache.parquet.format.PageHeader;
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
   * @throws IOException if a page claims a negative size or ends beyond the file
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
        in.seek(in.getPos() + size);
        values += values(header);
      }
    }
  }

  private static int values(PageHeader header) {
    if (header.isSetData_page_header()) {
      return header.getData_page_header().getNum_values();
    }
    if (header.isSetData_page_header_v2()) {
      return header.getData_page_header_v2().getNum_values();
    }
    return 0;
  }
}
