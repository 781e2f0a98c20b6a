package ai.longer.torch;

import ai.longer.LongerConfig;
import ai.longer.Schema;
import ai.longer.data.Request;
import ai.longer.training.TrainerOptions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Trains a {@link SequenceNetwork} exactly as {@link TorchLonger} trains LONGER: the same tables,
 * window, time buckets, loss and optimizer, in 32 bits.
 *
 * <p>Not safe for use by several threads at a time; several models may be used by a thread each.
 */
@SuppressWarnings("try") // a PointerScope is opened, not read
public final class SequenceModel implements AutoCloseable {
  private final LongerConfig config;
  private final SequenceNetwork network;
  private final Parameters parameters;
  private final Optimizer optimizer;
  private final List<@Nullable GrowableTable> tables = new ArrayList<>();

  private record Pass(RequestBatch requests, PaddedBatch batch, Embeddings inputs, Tensor logits) {}

  private SequenceModel(LongerConfig config, SequenceNetwork network, TrainerOptions options) {
    this.config = config;
    this.network = network;
    Map<String, long[]> shapes = new LinkedHashMap<>(network.parameters());
    for (Schema.Table table : config.schema().tables()) {
      if (table.rows() > 0) {
        shapes.put(ParameterShapes.ofTable(table), new long[] {table.rows() + 1L, table.width()});
      }
    }
    // One generator draws every model's weights.
    synchronized (SequenceModel.class) {
      this.parameters = new Parameters(shapes, Precision.FLOAT, options.seed());
      for (Schema.Table table : config.schema().tables()) {
        tables.add(
            table.rows() == 0
                ? new GrowableTable(Precision.FLOAT, table.width(), table.admission())
                : null);
      }
    }
    this.optimizer = new Optimizer(options, parameters);
  }

  /**
   * Makes a model with random weights.
   *
   * @param config features, window and time buckets; its merge factor must be 1
   * @param options rates, clipping, schedule and seed
   */
  public static SequenceModel create(
      LongerConfig config, SequenceNetwork network, TrainerOptions options) {
    if (config.mergeFactor() != 1) {
      throw new IllegalArgumentException(
          "[sequence_model] events are not merged: the merge factor must be 1; got "
              + config.mergeFactor());
    }
    return new SequenceModel(config, network, options);
  }

  /**
   * One optimizer step over labelled requests. Ids seen for the first time get a random row.
   *
   * @return the loss before the step
   * @throws IllegalArgumentException if a request has no labels
   */
  public double step(List<Request> requests) {
    try (PointerScope scope = new PointerScope()) {
      Pass pass = forward(requests, true);
      Tensor loss =
          Objective.loss(config, Precision.FLOAT, pass.requests(), pass.batch(), pass.logits());
      Gradients gradients = Gradients.of(loss, parameters, pass.inputs().namedRows());
      try (NoGradGuard guard = new NoGradGuard()) {
        optimizer.step(gradients);
      }
      return loss.item().toDouble();
    }
  }

  /** Probabilities of the first task, candidates in request order [ΣC]. */
  public float[] probabilities(List<Request> requests) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      Pass pass = forward(requests, false);
      double[] padded = Precision.values(pass.logits().sigmoid());
      int numTasks = config.schema().tasks().size();
      float[] probabilities = new float[pass.requests().numCandidates()];
      for (int b = 0; b < requests.size(); b++) {
        for (int c = 0; c < pass.requests().numCandidates(b); c++) {
          int from = (b * pass.batch().numCandidates + c) * numTasks;
          probabilities[pass.requests().candidateOffsets()[b] + c] = (float) padded[from];
        }
      }
      return probabilities;
    }
  }

  /** Trained values, rows of growable tables included. */
  public long numValues() {
    long values = 0;
    for (String name : parameters.names()) {
      values += parameters.get(name).numel();
    }
    for (GrowableTable table : tables) {
      values += table == null ? 0 : table.numRows() * table.rows().size(1);
    }
    return values;
  }

  /** Frees every tensor. */
  @Override
  public void close() {
    parameters.close();
    optimizer.close();
    for (GrowableTable table : tables) {
      if (table != null) {
        table.close();
      }
    }
  }

  private Pass forward(List<Request> requests, boolean insert) {
    Schema schema = config.schema();
    RequestBatch ragged = RequestBatch.of(schema, requests);
    PaddedBatch padded = new PaddedBatch(config, ragged);
    Embeddings inputs = new Embeddings(schema, parameters, tables, ragged, padded, insert);
    SequenceInputs rectangles = SequenceInputs.of(padded, inputs, Precision.FLOAT);
    return new Pass(ragged, padded, inputs, network.logits(rectangles, parameters::get));
  }
}
