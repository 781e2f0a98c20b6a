package ai.longer.torch;

import ai.longer.GlobalVisibility;
import ai.longer.Head;
import ai.longer.LongerConfig;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/** From the last layer's rows to one logit a candidate and task (LONGER, Figure 1). */
final class PredictionHead {
  private final LongerConfig config;
  private final Layers layers;
  private final Precision precision;

  PredictionHead(LongerConfig config, Layers layers, Precision precision) {
    this.config = config;
    this.layers = layers;
    this.precision = precision;
  }

  /** Whether the head reads the query rows, so that the last layer has to compute them. */
  static boolean readsQueries(LongerConfig config) {
    return config.head() != Head.GLOBALS;
  }

  /**
   * Logits of every candidate.
   *
   * @param rows [B, query rows, if read, and side rows, D]
   * @return [B, C, T]
   */
  Tensor logits(PaddedBatch batch, Tensor rows, @Nullable Dropout dropout) {
    Tensor y = layers.norm("head.ln", rows);
    int numQueries = readsQueries(config) ? batch.numQueries : 0;
    int numRequestRows = config.numRequestRows();
    List<Tensor> parts = new ArrayList<>();
    switch (config.head()) {
      case GLOBALS -> {}
      case ALL -> parts.add(ofRequest(batch, querySlots(batch, y.narrow(1, 0, numQueries))));
      case GLOBALS_AND_POOL -> parts.add(ofRequest(batch, pool(batch, y.narrow(1, 0, numQueries))));
    }
    parts.add(ofRequest(batch, y.narrow(1, numQueries, numRequestRows)));
    Tensor own =
        y.narrow(
                1,
                numQueries + numRequestRows,
                (long) batch.numCandidates * config.rowsPerCandidate())
            .unflatten(1, batch.numCandidates, config.rowsPerCandidate());
    int numTokens = config.candidateTokens().size();
    if (config.globalVisibility() != GlobalVisibility.CACHEABLE) {
      parts.add(own.narrow(2, numTokens, config.globalTokens().size()).flatten(2, 3));
    }
    parts.add(own.narrow(2, 0, numTokens).flatten(2, 3));
    Tensor input = Layers.concat(2, parts.toArray(Tensor[]::new));
    Tensor hidden = Layers.gelu(layers.linear("head.fc1", input));
    Dropout.Rows dropped = dropout == null ? null : batch.candidateRows(dropout);
    return layers.linear("head.fc2", Layers.drop(dropped, Dropout.HEAD, hidden));
  }

  /** [B, R, D], the newest query row last, zeros where there is none. */
  private Tensor querySlots(PaddedBatch batch, Tensor queries) {
    Tensor present = queries.mul(hasQuery(batch));
    int numAbsent = QueryRows.most(config) - batch.numQueries;
    float[] zeros = new float[batch.numRequests() * numAbsent * config.modelWidth()];
    Tensor absent = precision.tensor(zeros, batch.numRequests(), numAbsent, config.modelWidth());
    return Layers.concat(1, absent, present);
  }

  /** [B, 1, D] mean of the query rows, zeros where a request has none. */
  private Tensor pool(PaddedBatch batch, Tensor queries) {
    float[] factors = new float[batch.numRequests()];
    for (int b = 0; b < factors.length; b++) {
      factors[b] = Math.max(1, batch.numQueries(b));
    }
    Tensor sum = queries.mul(hasQuery(batch)).sum(1);
    return sum.div(precision.tensor(factors, batch.numRequests(), 1)).unsqueeze(1);
  }

  private Tensor hasQuery(PaddedBatch batch) {
    float[] has = new float[batch.numRequests() * batch.numQueries];
    for (int i = 0; i < has.length; i++) {
      has[i] = batch.hasQuery(i / batch.numQueries, i % batch.numQueries) ? 1F : 0F;
    }
    return precision.tensor(has, batch.numRequests(), batch.numQueries, 1);
  }

  /** Rows of a request [B, n, D], side by side and once per candidate: [B, C, n·D]. */
  private static Tensor ofRequest(PaddedBatch batch, Tensor rows) {
    return rows.flatten(1, 2).unsqueeze(1).expand(-1, batch.numCandidates, -1);
  }
}
