package ai.longer.torch;

import ai.longer.Schema;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/**
 * Embedding rows of one batch, the features of a row side by side. Pads hold some row; nothing
 * reads them.
 */
final class Embeddings {
  private final Schema schema;
  private final List<Integer> eventTables;
  private final List<Integer> userTables;
  private final List<Integer> candidateTables;
  private final Parameters parameters;
  private final List<@Nullable NamedRows> tables = new ArrayList<>();
  private final Tensor events;
  private final @Nullable Tensor users;
  private final Tensor candidates;

  /**
   * @param growable the growable tables by table index, null where a table is dense
   * @param insert give unseen ids a row, as training does
   */
  Embeddings(
      Schema schema,
      Parameters parameters,
      List<@Nullable GrowableTable> growable,
      RequestBatch requests,
      PaddedBatch batch,
      boolean insert) {
    this.schema = schema;
    this.eventTables = FeatureTables.ofEvents(schema);
    this.userTables = FeatureTables.ofUsers(schema);
    this.candidateTables = FeatureTables.ofCandidates(schema);
    this.parameters = parameters;
    for (GrowableTable table : growable) {
      tables.add(table == null ? null : new NamedRows(table, insert));
    }
    // All ids become rows before the first leaf is read: features share tables.
    long[][] eventRows = eventRows(requests, batch);
    long[][] userRows = userRows(requests);
    long[][] candidateRows = candidateRows(requests, batch);
    long numRequests = batch.numRequests();
    this.events = gather(eventTables, eventRows, numRequests, batch.numSlots());
    this.users = userTables.isEmpty() ? null : gather(userTables, userRows, numRequests);
    this.candidates = gather(candidateTables, candidateRows, numRequests, batch.numCandidates);
  }

  /** [B, S·K, event features' width]. */
  Tensor events() {
    return events;
  }

  /** [B, user and context features' width]; null without such features. */
  @Nullable Tensor users() {
    return users;
  }

  /** [B, C, candidate features' width]. */
  Tensor candidates() {
    return candidates;
  }

  /** The rows of each growable table that the batch names. */
  List<NamedRows> namedRows() {
    return tables.stream().filter(Objects::nonNull).toList();
  }

  private long[][] eventRows(RequestBatch requests, PaddedBatch batch) {
    long[][] rows = new long[eventTables.size()][batch.events.length];
    for (int f = 0; f < rows.length; f++) {
      long[] ids = requests.eventIds()[f];
      for (int slot = 0; slot < batch.events.length; slot++) {
        int event = batch.events[slot];
        if (event != PaddedBatch.PAD) {
          rows[f][slot] = row(eventTables.get(f), ids[event]);
        }
      }
    }
    return rows;
  }

  private long[][] userRows(RequestBatch requests) {
    long[][] rows = new long[userTables.size()][requests.numRequests()];
    for (int f = 0; f < rows.length; f++) {
      for (int b = 0; b < requests.numRequests(); b++) {
        rows[f][b] = row(userTables.get(f), requests.userIds()[f][b]);
      }
    }
    return rows;
  }

  private long[][] candidateRows(RequestBatch requests, PaddedBatch batch) {
    int padded = batch.numCandidates;
    long[][] rows = new long[candidateTables.size()][requests.numRequests() * padded];
    for (int f = 0; f < rows.length; f++) {
      for (int b = 0; b < requests.numRequests(); b++) {
        int begin = requests.candidateOffsets()[b];
        for (int c = 0; c < requests.numCandidates(b); c++) {
          long id = requests.candidateIds()[f][begin + c];
          rows[f][b * padded + c] = row(candidateTables.get(f), id);
        }
      }
    }
    return rows;
  }

  private int row(int table, long id) {
    NamedRows rows = tables.get(table);
    if (rows != null) {
      return rows.leafRow(id);
    }
    int numIds = schema.tables().get(table).rows();
    return id >= 0 && id < numIds ? (int) id + 1 : 0;
  }

  private Tensor gather(List<Integer> features, long[][] rows, long... leading) {
    Tensor[] columns = new Tensor[features.size()];
    for (int f = 0; f < columns.length; f++) {
      int table = features.get(f);
      NamedRows growable = tables.get(table);
      Tensor source =
          growable != null
              ? growable.leaf()
              : parameters.get(ParameterShapes.ofTable(schema.tables().get(table)));
      columns[f] = source.index_select(0, Tensor.create(rows[f], rows[f].length));
    }
    Tensor joined = columns.length == 1 ? columns[0] : torch.cat(new TensorVector(columns), 1);
    long[] sizes = Arrays.copyOf(leading, leading.length + 1);
    sizes[leading.length] = FeatureTables.width(schema, features);
    return joined.view(sizes);
  }
}
