package ai.longer.parquet;

import java.io.IOException;
import java.util.Optional;
import java.util.PrimitiveIterator;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.page.DataPage;
import org.apache.parquet.column.page.DictionaryPage;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.column.page.PageReader;
import org.apache.parquet.io.ParquetDecodingException;
import org.jspecify.annotations.Nullable;

/** Pages that are unpacked and whose {@link PageClaims claims} hold. */
record CheckedPages(PageReadStore pages) implements PageReadStore {
  @Override
  public PageReader getPageReader(ColumnDescriptor column) {
    return new Checked(column, pages.getPageReader(column));
  }

  @Override
  public long getRowCount() {
    return pages.getRowCount();
  }

  @Override
  public Optional<Long> getRowIndexOffset() {
    return pages.getRowIndexOffset();
  }

  @Override
  public Optional<PrimitiveIterator.OfLong> getRowIndexes() {
    return pages.getRowIndexes();
  }

  @Override
  public void close() {
    pages.close();
  }

  private record Checked(ColumnDescriptor column, PageReader reader) implements PageReader {
    @Override
    public long getTotalValueCount() {
      return reader.getTotalValueCount();
    }

    @Override
    public @Nullable DictionaryPage readDictionaryPage() {
      DictionaryPage page = reader.readDictionaryPage();
      if (page != null) {
        try {
          PageClaims.check(page, column);
        } catch (IOException e) {
          throw damage(e);
        }
      }
      return page;
    }

    @Override
    public @Nullable DataPage readPage() {
      DataPage page = reader.readPage();
      if (page != null) {
        try {
          PageClaims.check(page, column);
        } catch (IOException e) {
          throw damage(e);
        }
      }
      return page;
    }

    private ParquetDecodingException damage(IOException e) {
      return new ParquetDecodingException(
          "a page of column %s: %s".formatted(String.join(".", column.getPath()), e.getMessage()),
          e);
    }
  }
}
