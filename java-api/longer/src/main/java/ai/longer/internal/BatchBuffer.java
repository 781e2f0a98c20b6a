package ai.longer.internal;

import ai.longer.LongerConfig;
import ai.longer.Schema;
import ai.longer.Schema.Feature;
import ai.longer.Schema.Kind;
import ai.longer.data.Column;
import ai.longer.data.Request;
import ai.longer.internal.capi.longer_batch;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Pointer;

/**
 * A {@code longer_batch} and the arrays it points to, in direct memory that grows and is used
 * again.
 *
 * <p>The memory holds, in this order: the {@code longer_column} structs; offsets, times and the
 * columns' ids and offsets; the columns' numbers; labels and weights; the columns' validity bits.
 *
 * <p>Not thread-safe. Filling allocates nothing once the memory is large enough.
 */
public final class BatchBuffer extends NativeBatch {
  /** What besides the inputs goes along. */
  public enum Content {
    /** Inputs only. */
    INPUTS,
    /** Inputs, labels and weights; every request must have labels. */
    LABELS
  }

  private static final int STRUCT_BYTES = 112;
  private static final int COLUMN_LONGS = 4; // ids, numbers, offsets, valid
  private static final int FIRST_CAPACITY = 4096;

  private final SchemaCheck schemaCheck;
  private final Columns eventColumns;
  private final Columns userColumns;
  private final Columns candidateColumns;
  private final int tasks;
  private final ByteBuffer struct = Memory.allocate(STRUCT_BYTES);
  private final longer_batch pointer = new longer_batch(new Pointer(struct));

  private ByteBuffer bytes = ByteBuffer.allocate(0);
  private LongBuffer longs = LongBuffer.allocate(0);
  private FloatBuffer floats = FloatBuffer.allocate(0);
  private long address;
  private long capacity;
  private int numRequests;
  private int numEvents;
  private int numCandidates;
  private int firstLabel;

  /** Makes an empty buffer for requests of a configuration's schema. */
  public BatchBuffer(LongerConfig config) {
    this(config, new SchemaCheck(config.schema()));
  }

  BatchBuffer(LongerConfig config, SchemaCheck schemaCheck) {
    this.schemaCheck = schemaCheck;
    Schema schema = config.schema();
    eventColumns = new Columns(Owner.EVENT, schema.eventFeatures());
    userColumns =
        new Columns(
            Owner.USER,
            Stream.concat(schema.userFeatures().stream(), schema.contextFeatures().stream())
                .toList());
    candidateColumns = new Columns(Owner.CANDIDATE, schema.candidateFeatures());
    tasks = schema.tasks().size();
  }

  @Override
  longer_batch pointer() {
    return pointer;
  }

  @Override
  public int numScores() {
    return Math.multiplyExact(tasks, numCandidates);
  }

  @Override
  public float[] firstLabels() {
    float[] labels = new float[numCandidates];
    floats.get(firstLabel, labels);
    return labels;
  }

  int numEvents() {
    return numEvents;
  }

  int numCandidates() {
    return numCandidates;
  }

  /**
   * Copies requests into this buffer.
   *
   * @throws IllegalArgumentException if a request does not fit the schema, has no labels where they
   *     are wanted, or the batch is larger than 2 GiB; the message names the request
   */
  public void fill(Request[] requests, Content content) {
    boolean withLabels = content == Content.LABELS;
    boolean withWeights = count(requests, withLabels);
    long longCount =
        COLUMN_LONGS * numColumns()
            + 2L * (numRequests + 1)
            + numEvents
            + 2L * numRequests
            + eventColumns.numLongs()
            + userColumns.numLongs()
            + candidateColumns.numLongs();
    long numberCount =
        eventColumns.numFloats() + userColumns.numFloats() + candidateColumns.numFloats();
    long floatCount = numberCount + (withLabels ? (tasks + 1L) * numCandidates : 0);
    long validity = longCount * Long.BYTES + floatCount * Float.BYTES;
    reserve(
        validity
            + eventColumns.numValidityBytes()
            + userColumns.numValidityBytes()
            + candidateColumns.numValidityBytes());
    struct.putLong(0, STRUCT_BYTES);
    struct.putLong(8, numRequests);
    struct.putLong(16, numEvents);
    struct.putLong(24, numCandidates);
    longs.clear().position(Math.toIntExact(COLUMN_LONGS * numColumns()));
    floats.clear().position(Math.toIntExact(longCount * 2));
    bytes.clear().position(Math.toIntExact(validity));
    writeInputs(requests);
    struct.putLong(96, withLabels ? floatAddress() : 0);
    if (withLabels) {
      writeLabels(requests);
    }
    struct.putLong(104, withWeights ? floatAddress() : 0);
    if (withWeights) {
      for (Request request : requests) {
        request.copyWeights(floats);
      }
    }
  }

  private long numColumns() {
    return (long) eventColumns.count() + userColumns.count() + candidateColumns.count();
  }

  private long longAddress() {
    return address + (long) Long.BYTES * longs.position();
  }

  private long floatAddress() {
    return address + (long) Float.BYTES * floats.position();
  }

  /** Checks the requests and counts; returns whether one of them has weights. */
  private boolean count(Request[] requests, boolean withLabels) {
    boolean withWeights = false;
    long events = 0;
    long candidates = 0;
    for (int i = 0; i < requests.length; i++) {
      Request request = requests[i];
      schemaCheck.check(request.schema());
      if (withLabels && !request.hasLabels()) {
        throw new IllegalArgumentException("[batch] request %d has no labels".formatted(i));
      }
      withWeights |= request.hasWeights();
      events += request.history().size();
      candidates += request.candidates().size();
    }
    numRequests = requests.length;
    numEvents = checkCount("events", events);
    numCandidates = checkCount("candidates", candidates);
    eventColumns.count(requests, numEvents);
    userColumns.count(requests, numRequests);
    candidateColumns.count(requests, numCandidates);
    return withLabels && withWeights;
  }

  private static int checkCount(String what, long count) {
    if (count > Integer.MAX_VALUE) {
      throw tooLarge("%d %s".formatted(count, what));
    }
    return (int) count;
  }

  private static IllegalArgumentException tooLarge(String got) {
    return new IllegalArgumentException(
        "[batch] must fit 2 GiB; got %s: use fewer requests".formatted(got));
  }

  private void reserve(long wantedBytes) {
    if (wantedBytes <= capacity) {
      return;
    }
    if (wantedBytes > Integer.MAX_VALUE - Long.BYTES) {
      throw tooLarge(wantedBytes + " bytes");
    }
    long wanted = Math.max(Math.max(wantedBytes, FIRST_CAPACITY), capacity + capacity / 2);
    int size = (int) (Math.min(wanted, Integer.MAX_VALUE - Long.BYTES) & -Long.BYTES) + Long.BYTES;
    bytes = Memory.allocate(size);
    longs = bytes.asLongBuffer();
    floats = bytes.asFloatBuffer();
    address = new Pointer(bytes).address();
    capacity = size;
  }

  private void writeInputs(Request[] requests) {
    struct.putLong(32, longAddress()); // event_offsets
    int end = 0;
    longs.put(end);
    for (Request request : requests) {
      end += request.history().size();
      longs.put(end);
    }
    struct.putLong(40, longAddress()); // candidate_offsets
    end = 0;
    longs.put(end);
    for (Request request : requests) {
      end += request.candidates().size();
      longs.put(end);
    }
    struct.putLong(56, longAddress()); // event_times
    for (Request request : requests) {
      request.history().copyTimes(longs);
    }
    struct.putLong(64, longAddress()); // first_ordinals
    for (Request request : requests) {
      longs.put(request.history().firstOrdinal());
    }
    struct.putLong(72, longAddress()); // reference_times
    for (Request request : requests) {
      longs.put(request.referenceTime());
    }
    int at = eventColumns.write(requests, 0, 48);
    at = userColumns.write(requests, at, 80);
    candidateColumns.write(requests, at, 88);
  }

  private void writeLabels(Request[] requests) {
    firstLabel = floats.position();
    for (int task = 0; task < tasks; task++) {
      for (Request request : requests) {
        request.copyLabels(task, floats);
      }
    }
  }

  private enum Owner {
    EVENT,
    USER,
    CANDIDATE
  }

  private static Column column(Owner owner, Request request, int column) {
    return switch (owner) {
      case EVENT -> request.history().column(column);
      case USER -> request.userColumn(column);
      case CANDIDATE -> request.candidates().column(column);
    };
  }

  /** The columns of events, of requests or of candidates. */
  private final class Columns {
    private final Owner owner;
    private final Kind[] kinds;
    private final long[] numIds;
    private final boolean[] needsValidity;
    private int numRows;

    Columns(Owner owner, List<Feature> features) {
      this.owner = owner;
      kinds = features.stream().map(Feature::kind).toArray(Kind[]::new);
      numIds = new long[kinds.length];
      needsValidity = new boolean[kinds.length];
    }

    int count() {
      return kinds.length;
    }

    void count(Request[] requests, int rows) {
      numRows = rows;
      Arrays.fill(numIds, 0);
      Arrays.fill(needsValidity, false);
      for (int column = 0; column < kinds.length; column++) {
        for (Request request : requests) {
          Column part = column(owner, request, column);
          numIds[column] += part.numIds();
          needsValidity[column] |= part.needsValidity();
        }
      }
    }

    long numLongs() {
      long sum = 0;
      for (int column = 0; column < kinds.length; column++) {
        sum += numIds[column] + (kinds[column] == Kind.MANY_VALUED ? numRows + 1L : 0);
      }
      return sum;
    }

    long numFloats() {
      long sum = 0;
      for (Kind kind : kinds) {
        sum += kind == Kind.NUMERIC ? numRows : 0;
      }
      return sum;
    }

    long numValidityBytes() {
      long sum = 0;
      for (boolean needs : needsValidity) {
        sum += needs ? (numRows + 7L) / 8 : 0;
      }
      return sum;
    }

    /**
     * Writes the columns, their structs from struct number {@code first} on, and that address at
     * {@code field} of the batch; returns the number of the next struct.
     */
    int write(Request[] requests, int first, int field) {
      struct.putLong(field, address + (long) Long.BYTES * COLUMN_LONGS * first);
      for (int column = 0; column < kinds.length; column++) {
        int at = COLUMN_LONGS * (first + column);
        Kind kind = kinds[column];
        longs.put(at, kind == Kind.NUMERIC ? 0 : longAddress());
        longs.put(at + 1, kind == Kind.NUMERIC ? floatAddress() : 0);
        for (Request request : requests) {
          if (kind == Kind.NUMERIC) {
            column(owner, request, column).copyNumbers(floats);
          } else {
            column(owner, request, column).copyIds(longs);
          }
        }
        longs.put(at + 2, kind == Kind.MANY_VALUED ? longAddress() : 0);
        if (kind == Kind.MANY_VALUED) {
          writeEnds(requests, column);
        }
        longs.put(at + 3, needsValidity[column] ? address + bytes.position() : 0);
        if (needsValidity[column]) {
          writeValidity(requests, column);
        }
      }
      return first + kinds.length;
    }

    private void writeEnds(Request[] requests, int column) {
      long end = 0;
      longs.put(end);
      for (Request request : requests) {
        Column part = column(owner, request, column);
        part.copyEnds(end, longs);
        end += part.numIds();
      }
    }

    private void writeValidity(Request[] requests, int column) {
      int start = bytes.position();
      int end = start + (numRows + 7) / 8;
      for (int at = start; at < end; at++) {
        bytes.put(at, (byte) 0);
      }
      int row = 0;
      for (Request request : requests) {
        Column part = column(owner, request, column);
        part.copyValidity(bytes, start, row);
        row += part.size();
      }
      bytes.position(end);
    }
  }
}
