package ai.longer.benchmarks.quality;

import ai.longer.data.Interaction;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Set;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * Puts each user's rows into the order of time, one user in memory at a time, and numbers users as
 * they come: the files of most data sets keep users together, but not in an order of their own.
 */
final class UserOrder implements Iterator<List<LogRow>> {
  private final Iterator<LogRow> rows;
  private final Set<Long> seen = new HashSet<>();
  private @Nullable LogRow pending;

  private UserOrder(Iterator<LogRow> rows) {
    this.rows = rows;
  }

  /**
   * Returns the rows by user, then time; rows of one second keep their order.
   *
   * @throws IllegalArgumentException while reading, if the rows of a user do not stand together
   */
  static Stream<Interaction> byTime(Stream<LogRow> rows) {
    long[] number = new long[1];
    return users(rows)
        .flatMap(
            user -> {
              long one = ++number[0];
              return user.stream().map(row -> row.of(one));
            });
  }

  /** Returns the rows of each user by time. */
  static Stream<List<LogRow>> users(Stream<LogRow> rows) {
    UserOrder ordered = new UserOrder(rows.iterator());
    int traits = Spliterator.ORDERED | Spliterator.NONNULL;
    return StreamSupport.stream(Spliterators.spliteratorUnknownSize(ordered, traits), false)
        .onClose(rows::close);
  }

  @Override
  public boolean hasNext() {
    return pending != null || rows.hasNext();
  }

  @Override
  public List<LogRow> next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    LogRow first = pending != null ? pending : rows.next();
    pending = null;
    long user = first.user();
    if (!seen.add(user)) {
      throw new IllegalArgumentException(
          "[data] the rows of user %d do not stand together".formatted(user));
    }
    List<LogRow> read = new ArrayList<>(List.of(first));
    while (rows.hasNext() && pending == null) {
      LogRow row = rows.next();
      if (row.user() == user) {
        read.add(row);
      } else {
        pending = row;
      }
    }
    read.sort(Comparator.comparingLong(LogRow::time));
    return read;
  }
}
