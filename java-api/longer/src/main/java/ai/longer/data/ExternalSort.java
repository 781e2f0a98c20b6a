package ai.longer.data;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/**
 * Sorts records by user, then time; records equal in both keep their order. What does not fit in
 * memory is sorted in runs on disk, which are merged. Not thread-safe.
 */
final class ExternalSort implements AutoCloseable {
  /** A record. */
  record Entry(long user, long time, byte[] payload) {}

  private static final int ENTRY_OVERHEAD = 64; // arrays of keys, object headers
  private static final int STREAM_BYTES = 1 << 18;
  private static final Comparator<Entry> ORDER =
      Comparator.comparingLong(Entry::user).thenComparingLong(Entry::time);

  private final Path folder;
  private final long memoryBytes;
  private final int maxRuns;
  private List<Entry> held = new ArrayList<>();
  private long heldBytes;
  private final List<Path> runs = new ArrayList<>();
  private int files;
  private final Deque<AutoCloseable> open = new ArrayDeque<>();

  /**
   * Sorts with about {@code memoryBytes} of memory, at most {@code maxRuns} files being merged at a
   * time, which lie in {@code folder}.
   */
  ExternalSort(Path folder, long memoryBytes, int maxRuns) {
    this.folder = folder;
    this.memoryBytes = memoryBytes;
    this.maxRuns = maxRuns;
  }

  /** Adds a record; {@code payload} is kept. */
  void add(long user, long time, byte[] payload) {
    held.add(new Entry(user, time, payload));
    heldBytes += payload.length + ENTRY_OVERHEAD;
    if (heldBytes >= memoryBytes) {
      spill();
    }
  }

  private void spill() {
    held.sort(ORDER);
    runs.add(write(held.iterator()));
    held = new ArrayList<>();
    heldBytes = 0;
    if (runs.size() >= maxRuns) {
      mergeRuns();
    }
  }

  private void mergeRuns() {
    List<Path> merged = List.copyOf(runs);
    Path run = write(merge(merged, held.iterator()));
    closeAll();
    merged.forEach(ExternalSort::delete);
    runs.clear();
    runs.add(run);
  }

  /** Returns all records in order, once; no more may be added. */
  Iterator<Entry> sorted() {
    held.sort(ORDER);
    return runs.isEmpty() ? held.iterator() : merge(runs, held.iterator());
  }

  private Path write(Iterator<Entry> entries) {
    Path file = folder.resolve("run-" + files++);
    try (DataOutputStream out =
        new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(file), STREAM_BYTES))) {
      while (entries.hasNext()) {
        Entry entry = entries.next();
        out.writeBoolean(true);
        out.writeLong(entry.user());
        out.writeLong(entry.time());
        out.writeInt(entry.payload().length);
        out.write(entry.payload());
      }
      out.writeBoolean(false);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "[prepare] cannot write the temporary file %s: %s".formatted(file, e), e);
    }
    return file;
  }

  /** Merges runs and what is in memory, which is the newest. */
  private Iterator<Entry> merge(List<Path> files, Iterator<Entry> newest) {
    PriorityQueue<Source> sources = new PriorityQueue<>();
    for (int i = 0; i < files.size(); i++) {
      RunReader reader = new RunReader(files.get(i));
      open.add(reader);
      addIfAny(sources, i, reader);
    }
    addIfAny(sources, files.size(), newest);
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return !sources.isEmpty();
      }

      @Override
      public Entry next() {
        Source first = sources.poll();
        if (first == null) {
          throw new NoSuchElementException();
        }
        addIfAny(sources, first.number, first.entries);
        return first.head;
      }
    };
  }

  private static void addIfAny(PriorityQueue<Source> sources, int number, Iterator<Entry> entries) {
    if (entries.hasNext()) {
      sources.add(new Source(entries.next(), number, entries));
    }
  }

  /** The first record of a sorted source; earlier sources first among equals. */
  private record Source(Entry head, int number, Iterator<Entry> entries)
      implements Comparable<Source> {
    @Override
    public int compareTo(Source other) {
      int order = ORDER.compare(head, other.head);
      return order != 0 ? order : Integer.compare(number, other.number);
    }
  }

  private static final class RunReader implements Iterator<Entry>, AutoCloseable {
    private final Path file;
    private final DataInputStream in;
    private @Nullable Entry ahead;

    RunReader(Path file) {
      this.file = file;
      try {
        in = new DataInputStream(new BufferedInputStream(Files.newInputStream(file), STREAM_BYTES));
      } catch (IOException e) {
        throw failure(e);
      }
      ahead = read();
    }

    private @Nullable Entry read() {
      try {
        if (!in.readBoolean()) {
          return null;
        }
        long user = in.readLong();
        long time = in.readLong();
        byte[] payload = new byte[in.readInt()];
        in.readFully(payload);
        return new Entry(user, time, payload);
      } catch (IOException e) {
        throw failure(e);
      }
    }

    private UncheckedIOException failure(IOException e) {
      return new UncheckedIOException(
          "[prepare] cannot read the temporary file %s: %s".formatted(file, e), e);
    }

    @Override
    public boolean hasNext() {
      return ahead != null;
    }

    @Override
    public Entry next() {
      Entry entry = ahead;
      if (entry == null) {
        throw new NoSuchElementException();
      }
      ahead = read();
      return entry;
    }

    @Override
    public void close() {
      try {
        in.close();
      } catch (IOException e) {
        throw failure(e);
      }
    }
  }

  private void closeAll() {
    while (!open.isEmpty()) {
      try {
        open.pop().close();
      } catch (Exception e) {
        throw new IllegalStateException("[prepare] a temporary file cannot be closed", e);
      }
    }
  }

  private static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "[prepare] cannot delete the temporary file %s: %s".formatted(file, e), e);
    }
  }

  /** Closes and deletes the temporary files. */
  @Override
  public void close() {
    closeAll();
    runs.forEach(ExternalSort::delete);
    runs.clear();
    held = new ArrayList<>();
  }
}
