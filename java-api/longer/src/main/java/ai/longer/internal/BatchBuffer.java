package ai.longer.internal;

import ai.longer.LongerConfig;
import ai.longer.Schema;
import ai.longer.data.Candidates;
import ai.longer.data.History;
import ai.longer.data.Request;
import ai.longer.internal.capi.longer_batch;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import org.bytedeco.javacpp.Pointer;

/**
 * A {@code longer_batch} and the arrays it points to, in direct memory that grows and is used
 * again.
 *
 * <p>Not thread-safe. Filling allocates nothing once the memory is large enough.
 */
public final class BatchBuffer {
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
  private final int eventFeatures;
  private final int candidateFeatures;
  private final int userFeatures;
  private final int tasks;
  private final ByteBuffer struct = Memory.allocate(STRUCT_BYTES);
  private final longer_batch pointer = new longer_batch(new Pointer(struct));

  private LongBuffer longs = LongBuffer.allocate(0);
  private FloatBuffer floats = FloatBuffer.allocate(0);
  private long address;
  private long capacity;
  private int numRequests;
  private int numEvents;
  private int numCandidates;

  /** Makes an empty buffer for requests of a configuration's schema. */
  public BatchBuffer(LongerConfig config) {
    this(config, new SchemaCheck(config.schema()));
  }

  BatchBuffer(LongerConfig config, SchemaCheck schemaCheck) {
    this.schemaCheck = schemaCheck;
    Schema schema = config.schema();
    eventFeatures = schema.eventFeatures().size();
    candidateFeatures = schema.candidateFeatures().size();
    userFeatures = schema.userFeatures().size() + schema.contextFeatures().size();
    tasks = schema.tasks().size();
  }

  longer_batch pointer() {
    return pointer;
  }

  /** Returns the number of scores of this batch, tasks · sum of C. */
  public int numScores() {
    return Math.multiplyExact(tasks, numCandidates);
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
            + (eventFeatures + 1L) * numEvents
            + (2L + userFeatures) * numRequests
            + (long) candidateFeatures * numCandidates;
    long floatCount = withLabels ? (tasks + 1L) * numCandidates : 0;
    reserve(longCount * Long.BYTES + floatCount * Float.BYTES);
    writeStruct(longCount, withLabels, withWeights);
    writeInputs(requests);
    if (withLabels) {
      writeLabels(requests, Math.toIntExact(longCount * 2), withWeights);
    }
  }

  private long numColumns() {
    return (long) eventFeatures + userFeatures + candidateFeatures;
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

  private void reserve(long bytes) {
    if (bytes <= capacity) {
      return;
    }
    if (bytes > Integer.MAX_VALUE - Long.BYTES) {
      throw tooLarge(bytes + " bytes");
    }
    long wanted = Math.max(Math.max(bytes, FIRST_CAPACITY), capacity + capacity / 2);
    int size = (int) (Math.min(wanted, Integer.MAX_VALUE - Long.BYTES) & -Long.BYTES) + Long.BYTES;
    ByteBuffer memory = Memory.allocate(size);
    longs = memory.asLongBuffer();
    floats = memory.asFloatBuffer();
    address = new Pointer(memory).address();
    capacity = size;
  }

  private void writeStruct(long longCount, boolean withLabels, boolean withWeights) {
    struct.putLong(0, STRUCT_BYTES);
    struct.putLong(8, numRequests);
    struct.putLong(16, numEvents);
    struct.putLong(24, numCandidates);
    longs.clear();
    long at = address + Long.BYTES * COLUMN_LONGS * numColumns();
    struct.putLong(32, at); // event_offsets
    at += Long.BYTES * (numRequests + 1L);
    struct.putLong(40, at); // candidate_offsets
    at += Long.BYTES * (numRequests + 1L);
    struct.putLong(48, address + (long) Long.BYTES * longs.position()); // event_columns
    at = writeColumns(eventFeatures, numEvents, at);
    struct.putLong(56, at); // event_times
    at += Long.BYTES * (long) numEvents;
    struct.putLong(64, at); // first_ordinals
    at += Long.BYTES * (long) numRequests;
    struct.putLong(72, at); // reference_times
    at += Long.BYTES * (long) numRequests;
    struct.putLong(80, address + (long) Long.BYTES * longs.position()); // user_columns
    at = writeColumns(userFeatures, numRequests, at);
    struct.putLong(88, address + (long) Long.BYTES * longs.position()); // candidate_columns
    writeColumns(candidateFeatures, numCandidates, at);
    long labels = address + Long.BYTES * longCount;
    struct.putLong(96, withLabels ? labels : 0);
    long weights = labels + Float.BYTES * ((long) tasks * numCandidates);
    struct.putLong(104, withWeights ? weights : 0);
  }

  /** Writes the structs of columns whose ids lie from {@code ids} on; returns where they end. */
  private long writeColumns(int columns, int rows, long ids) {
    long at = ids;
    for (int column = 0; column < columns; column++) {
      longs.put(at).put(0).put(0).put(0);
      at += Long.BYTES * (long) rows;
    }
    return at;
  }

  /** Writes the arrays, in the order of their addresses, behind the column structs. */
  private void writeInputs(Request[] requests) {
    int end = 0;
    longs.put(end);
    for (Request request : requests) {
      end += request.history().size();
      longs.put(end);
    }
    end = 0;
    longs.put(end);
    for (Request request : requests) {
      end += request.candidates().size();
      longs.put(end);
    }
    for (int column = 0; column < eventFeatures; column++) {
      for (Request request : requests) {
        request.history().copyIds(column, longs);
      }
    }
    for (Request request : requests) {
      request.history().copyTimes(longs);
    }
    for (Request request : requests) {
      History history = request.history();
      longs.put(history.firstOrdinal());
    }
    for (Request request : requests) {
      longs.put(request.referenceTime());
    }
    for (int column = 0; column < userFeatures; column++) {
      for (Request request : requests) {
        longs.put(request.userId(column));
      }
    }
    for (int column = 0; column < candidateFeatures; column++) {
      for (Request request : requests) {
        Candidates candidates = request.candidates();
        candidates.copyIds(column, longs);
      }
    }
  }

  private void writeLabels(Request[] requests, int position, boolean withWeights) {
    floats.clear();
    floats.position(position);
    for (int task = 0; task < tasks; task++) {
      for (Request request : requests) {
        request.copyLabels(task, floats);
      }
    }
    if (withWeights) {
      for (Request request : requests) {
        request.copyWeights(floats);
      }
    }
  }
}
