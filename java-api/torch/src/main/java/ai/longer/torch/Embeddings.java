package ai.longer.torch;

import java.util.ArrayList;
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
  private final LongerConfig config;
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
      LongerConfig config,
      Parameters parameters,
      List<@Nullable GrowableTable> growable,
      RequestBatch requests,
      PaddedBatch batch,
      boolean insert) {
    this.config = config;
    this.parameters = parameters;
    for (GrowableTable table : growable) {
      tables.add(table == null ? null : new NamedRows(table, insert));
    }
    // All ids become rows before the first leaf is read: features share tables.
    long[][] eventRows = eventRows(requests, batch);
    long[][] userRows = userRows(requests);
    long[][] candidateRows = candidateRows(requests, batch);
    long numRequests = batch.numRequests();
    this.events = gather(config.eventFeatures(), eventRows, numRequests, batch.numSlots());
    this.users =
        config.userFeatures().isEmpty() ? null : gather(config.userFeatures(), userRows, numRequests);
    this.candidates =
        gather(config.candidateFeatures(), candidateRows, numRequests, batch.numCandidates);
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
    long[][] rows = new long[config.eventFeatures().size()][batch.events.length];
    for (int f = 0; f < rows.length; f++) {
      long[] ids = requests.eventIds()[f];
      for (int slot = 0; slot < batch.events.length; slot++) {
        int event = batch.events[slot];
        if (event != PaddedBatch.PAD) {
          rows[f][slot] = row(config.eventFeatures().get(f), ids[event]);
        }
      }
    }
    return rows;
  }

  private long[][] userRows(RequestBatch requests) {
    long[][] rows = new long[config.userFeatures().size()][requests.numRequests()];
    for (int f = 0; f < rows.length; f++) {
      for (int b = 0; b < requests.numRequests(); b++) {
        rows[f][b] = row(config.userFeatures().get(f), requests.userIds()[f][b]);
      }
    }
    return rows;
  }

  private long[][] candidateRows(RequestBatch requests, PaddedBatch batch) {
    int padded = batch.numCandidates;
    long[][] rows = new long[config.candidateFeatures().size()][requests.numRequests() * padded];
    for (int f = 0; f < rows.length; f++) {
      for (int b = 0; b < requests.numRequests(); b++) {
        int begin = requests.candidateOffsets()[b];
        for (int c = 0; c < requests.numCandidates(b); c++) {
          long id = requests.candidateIds()[f][begin + c];
          rows[f][b * padded + c] = row(config.candidateFeatures().get(f), id);
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
    int numIds = config.tables().get(table).rows();
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
              : parameters.get(Parameters.tableName(config.tables().get(table)));
      columns[f] = source.index_select(0, Tensor.create(rows[f], rows[f].length));
    }
    Tensor joined = columns.length == 1 ? columns[0] : torch.cat(new TensorVector(columns), 1);
    long[] sizes = java.util.Arrays.copyOf(leading, leading.length + 1);
    sizes[leading.length] = config.featuresWidth(features);
    return joined.view(sizes);
  }
}
