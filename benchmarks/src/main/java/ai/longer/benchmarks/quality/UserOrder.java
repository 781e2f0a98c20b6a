package ai.longer.benchmarks.quality;

import ai.longer.data.Interaction;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Queue;
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
final class UserOrder implements Iterator<Interaction> {
  private final Iterator<Interaction> rows;
  private final Set<Long> seen = new HashSet<>();
  private final Queue<Interaction> ofUser = new ArrayDeque<>();
  private @Nullable Interaction pending;

  private UserOrder(Iterator<Interaction> rows) {
    this.rows = rows;
  }

  /**
   * Returns the rows by user, then time; rows of one second keep their order.
   *
   * @throws IllegalArgumentException while reading, if the rows of a user do not stand together
   */
  static Stream<Interaction> byTime(Stream<Interaction> rows) {
    UserOrder ordered = new UserOrder(rows.iterator());
    int traits = Spliterator.ORDERED | Spliterator.NONNULL;
    return StreamSupport.stream(Spliterators.spliteratorUnknownSize(ordered, traits), false)
        .onClose(rows::close);
  }

  @Override
  public boolean hasNext() {
    return !ofUser.isEmpty() || pending != null || rows.hasNext();
  }

  @Override
  public Interaction next() {
    if (ofUser.isEmpty()) {
      readUser();
    }
    return ofUser.remove();
  }

  private void readUser() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    Interaction first = pending != null ? pending : rows.next();
    pending = null;
    long user = first.userKey();
    if (!seen.add(user)) {
      throw new IllegalArgumentException(
          "[data] the rows of user %d do not stand together".formatted(user));
    }
    List<Interaction> read = new ArrayList<>(List.of(first));
    while (rows.hasNext() && pending == null) {
      Interaction row = rows.next();
      if (row.userKey() == user) {
        read.add(row);
      } else {
        pending = row;
      }
    }
    read.sort(Comparator.comparingLong(Interaction::time));
    long number = seen.size();
    read.forEach(row -> ofUser.add(numbered(row, number)));
  }

  private static Interaction numbered(Interaction row, long user) {
    return new Interaction(
        user, row.time(), row.eventIds(), row.candidateIds(), row.userIds(), row.labels());
  }
}
