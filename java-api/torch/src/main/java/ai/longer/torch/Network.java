package ai.longer.torch;

import ai.longer.GlobalVisibility;
import ai.longer.LongerConfig;
import ai.longer.PositionMode;
import ai.longer.TimeMode;
import ai.longer.TokenSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/** The forward pass over a padded batch, in the order of LONGER's Figure 1. */
final class Network {
  private final LongerConfig config;
  private final Parameters parameters;
  private final Precision precision;
  private final Layers layers;
  private final PredictionHead head;

  Network(LongerConfig config, Parameters parameters, Precision precision) {
    this.config = config;
    this.parameters = parameters;
    this.precision = precision;
    this.layers = new Layers(parameters);
    this.head = new PredictionHead(config, layers, precision);
  }

  /**
   * Logits of every candidate row.
   *
   * @param inputs the features of the batch
   * @param dropout of a training step; null = nothing is dropped
   * @return [B, C, T]; rows of pad candidates hold numbers without meaning
   */
  Tensor logits(PaddedBatch batch, Embeddings inputs, @Nullable Dropout dropout) {
    Tensor merged = mergedRows(batch, inputs, dropout);
    Tensor side = sideRows(batch, inputs);
    Masks masks = new Masks(config, batch);
    Tensor rows = Layers.concat(1, merged, side);
    Tensor queries = Layers.concat(1, queryRows(batch, merged), side);
    for (int layer = 0; layer <= config.selfLayers(); layer++) {
      boolean withQueries = layer < config.selfLayers() || PredictionHead.readsQueries(config);
      float[] mask = layer == 0 ? masks.cross(withQueries) : masks.self(withQueries);
      Tensor outputs = withQueries ? queries : last(queries, batch.numSideRows());
      boolean lookAtThemselves = layer > 0 && withQueries;
      Tensor visible = precision.tensor(mask, masks.count(), 1, outputs.size(1), rows.size(1));
      Dropout.Rows dropped = dropout == null ? null : batch.outputRows(dropout, layer, withQueries);
      rows =
          layers.block(
              "layers." + layer,
              outputs,
              lookAtThemselves ? null : rows,
              visible,
              config.heads(),
              dropped);
      queries = rows;
    }
    return head.logits(batch, queries, dropout);
  }

  /** [B, S + learned rows, D]: merged tokens, then the learned queries, if any. */
  private Tensor mergedRows(PaddedBatch batch, Embeddings inputs, @Nullable Dropout dropout) {
    Tensor merged = mergedTokens(batch, inputs, dropout);
    return QueryRows.numLearned(config) == 0
        ? merged
        : Layers.concat(1, merged, ofEachRequest(batch, "global.query.weight"));
  }

  /** [B, Q, D]: the rows of the merged side that go on as queries. */
  private Tensor queryRows(PaddedBatch batch, Tensor merged) {
    if (batch.queriesAreLast) {
      return last(merged, batch.numQueries);
    }
    long[] columns = new long[batch.numRequests() * batch.numQueries];
    for (int i = 0; i < columns.length; i++) {
      int b = i / batch.numQueries;
      columns[i] = (long) b * batch.numMergedRows + batch.queryColumn(b, i % batch.numQueries);
    }
    return merged
        .flatten(0, 1)
        .index_select(0, Tensor.create(columns, columns.length))
        .view(batch.numRequests(), batch.numQueries, config.modelWidth());
  }

  /**
   * [B, S, D]: event tokens (§3.2), the transformer inside each group, K neighbours side by side
   * (§3.4).
   */
  private Tensor mergedTokens(PaddedBatch batch, Embeddings inputs, @Nullable Dropout dropout) {
    int numRequests = batch.numRequests();
    if (batch.numGroups == 0) {
      return precision.tensor(new float[0], numRequests, 0, config.modelWidth());
    }
    Tensor x = inputs.events();
    if (config.position() == PositionMode.LEARNED) {
      x = x.add(positions(batch));
    }
    if (config.time() != TimeMode.NONE) {
      Tensor time = select("event_encoder.time_bucket.weight", batch.buckets);
      x = Layers.concat(2, x, time.view(numRequests, batch.numSlots(), config.timeWidth()));
    }
    Tensor events =
        layers.linear("event_encoder.fc2", Layers.gelu(layers.linear("event_encoder.fc1", x)));
    long numGroups = (long) numRequests * batch.numGroups;
    int merge = config.mergeFactor();
    Tensor slots = events.view(numGroups, merge, config.eventWidth());
    if (config.innerLayers() > 0) {
      slots = slots.add(parameters.get("token_merge.slot.weight"));
      Tensor visible =
          batch.isUniform
              ? null
              : precision.tensor(Masks.slots(batch, merge), numGroups, 1, merge, merge);
      for (int i = 0; i < config.innerLayers(); i++) {
        Dropout.Rows dropped = dropout == null ? null : batch.slotRows(dropout, -1 - i);
        slots =
            layers.block(
                "token_merge.inner." + i, slots, null, visible, config.innerHeads(), dropped);
      }
    }
    if (!batch.isUniform) {
      slots = slots.mul(precision.tensor(isEvent(batch), numGroups, merge, 1));
    }
    return slots.reshape(numRequests, batch.numGroups, config.modelWidth());
  }

  private Tensor positions(PaddedBatch batch) {
    String table = "event_encoder.position.weight";
    return batch.sharesPositions()
        ? select(table, Arrays.copyOf(batch.positions, batch.numSlots())).unsqueeze(0)
        : select(table, batch.positions).unflatten(0, batch.numRequests(), batch.numSlots());
  }

  /**
   * [B, side rows, D]: CLS tokens, user tokens, if candidates share them, and the rows of each
   * candidate: its tokens, then its own user tokens, if it has some (§3.3).
   */
  private Tensor sideRows(PaddedBatch batch, Embeddings inputs) {
    List<Tensor> rows = new ArrayList<>();
    if (config.clsTokens() > 0) {
      rows.add(ofEachRequest(batch, "global.cls"));
    }
    List<Tensor> own = new ArrayList<>();
    for (TokenSpec token : config.candidateTokens()) {
      Tensor input = inputs.ofCandidates(token.features());
      own.add(layers.linear("global." + token.name(), input).unsqueeze(2));
    }
    for (TokenSpec token : config.globalTokens()) {
      Tensor row = userToken(batch, inputs, token).unsqueeze(1);
      if (config.globalVisibility() == GlobalVisibility.CACHEABLE) {
        rows.add(row);
      } else {
        own.add(row.unsqueeze(1).expand(-1, batch.numCandidates, -1, -1));
      }
    }
    rows.add(Layers.concat(2, own.toArray(Tensor[]::new)).flatten(1, 2));
    return Layers.concat(1, rows.toArray(Tensor[]::new));
  }

  /** [B, D]: features of the user and the time since the newest event. */
  private Tensor userToken(PaddedBatch batch, Embeddings inputs, TokenSpec token) {
    Tensor time = select("global.user_time_bucket.weight", batch.userBuckets);
    List<String> features = token.features();
    Tensor input = features.isEmpty() ? time : Layers.concat(1, inputs.ofUsers(features), time);
    return layers.linear("global." + token.name(), input);
  }

  /** A parameter's rows, the same in every request: [B, rows, width]. */
  private Tensor ofEachRequest(PaddedBatch batch, String name) {
    return parameters.get(name).unsqueeze(0).expand(batch.numRequests(), -1, -1);
  }

  private static Tensor last(Tensor rows, int count) {
    return rows.size(1) == count ? rows : rows.narrow(1, rows.size(1) - count, count);
  }

  private Tensor select(String table, long[] rows) {
    return parameters.get(table).index_select(0, Tensor.create(rows, rows.length));
  }

  private static float[] isEvent(PaddedBatch batch) {
    float[] values = new float[batch.events.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = batch.events[i] == PaddedBatch.PAD ? 0F : 1F;
    }
    return values;
  }
}
