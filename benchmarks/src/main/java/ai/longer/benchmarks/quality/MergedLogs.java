package ai.longer.benchmarks.quality;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * Several logs, each by ascending user, as one; holds the rows of one user. Closing it closes the
 * logs.
 */
final class MergedLogs implements AutoCloseable {
  private final List<Source> sources = new ArrayList<>();

  MergedLogs(List<Stream<LogRow>> logs) {
    logs.forEach(log -> sources.add(new Source(log)));
  }

  /**
   * Returns the rows of each user, log by log.
   *
   * @throws IllegalArgumentException while reading, if users of a log do not ascend
   */
  Stream<List<LogRow>> users() {
    Iterator<List<LogRow>> users =
        new Iterator<>() {
          @Override
          public boolean hasNext() {
            return sources.stream().anyMatch(source -> source.next != null);
          }

          @Override
          public List<LogRow> next() {
            long user =
                sources.stream()
                    .filter(source -> source.next != null)
                    .mapToLong(source -> source.user)
                    .min()
                    .orElseThrow(NoSuchElementException::new);
            List<LogRow> rows = new ArrayList<>();
            sources.forEach(source -> source.take(user, rows));
            return rows;
          }
        };
    int traits = Spliterator.ORDERED | Spliterator.NONNULL;
    return StreamSupport.stream(Spliterators.spliteratorUnknownSize(users, traits), false);
  }

  @Override
  public void close() {
    sources.forEach(source -> source.stream.close());
  }

  private static final class Source {
    private final Stream<LogRow> stream;
    private final Iterator<LogRow> rows;
    private @Nullable LogRow next;
    private long user = Long.MIN_VALUE;

    Source(Stream<LogRow> stream) {
      this.stream = stream;
      this.rows = stream.iterator();
      advance();
    }

    void take(long wanted, List<LogRow> into) {
      for (LogRow row = next; row != null && row.user() == wanted; row = next) {
        into.add(row);
        advance();
      }
    }

    private void advance() {
      next = rows.hasNext() ? rows.next() : null;
      if (next != null && next.user() < user) {
        throw new IllegalArgumentException(
            "[data] a log must be sorted by user; got user %d after user %d"
                .formatted(next.user(), user));
      }
      user = next == null ? user : next.user();
    }
  }
}
