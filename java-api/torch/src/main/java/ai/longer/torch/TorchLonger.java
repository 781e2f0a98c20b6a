package ai.longer.torch;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * LONGER on PyTorch's C++ library: the same mathematics as the SDK (native/docs/model.md),
 * differentiated by autograd. An oracle in {@link Precision#DOUBLE}, a peer for benchmarks in
 * {@link Precision#FLOAT}.
 *
 * <p>Not safe for use by several threads at a time.
 */
@SuppressWarnings("try") // a PointerScope is opened, not read
public final class TorchLonger implements AutoCloseable {
  private final LongerConfig config;
  private final Precision precision;
  private final Parameters parameters;
  private final List<@Nullable GrowableTable> tables = new ArrayList<>();
  private final Network network;
  private final Optimizer optimizer;

  private record Pass(PaddedBatch batch, Embeddings inputs, Tensor logits) {}

  TorchLonger(LongerConfig config, OptimizerSettings settings, Precision precision, long seed) {
    this.config = config;
    this.precision = precision;
    this.parameters = new Parameters(config, precision, seed);
    for (Schema.Table table : config.tables()) {
      tables.add(table.isGrowable() ? new GrowableTable(precision, table.width()) : null);
    }
    this.network = new Network(config, parameters, precision);
    this.optimizer = new Optimizer(settings, parameters);
  }

  /** Names of the dense parameters, in the order of native/docs/model.md. */
  public List<String> parameterNames() {
    return List.copyOf(parameters.names());
  }

  /** Values of one dense parameter, row-major. */
  public double[] parameter(String name) {
    return values(parameters.get(name));
  }

  /**
   * Replaces one dense parameter.
   *
   * @throws IllegalArgumentException if there is no such parameter or it has another number of
   *     values
   */
  public void setParameter(String name, double[] values) {
    parameters.set(name, values);
  }

  /**
   * Replaces a growable table.
   *
   * @param rows [1 + ids.length, width], the row of ids without a row of their own first
   */
  public void setTable(String name, long[] ids, float[] rows) {
    table(name).set(ids, rows);
  }

  /**
   * Row of an id in a growable table; of an id that training has not seen, the out-of-vocabulary
   * row.
   */
  public double[] tableRow(String name, long id) {
    GrowableTable table = table(name);
    try (PointerScope scope = new PointerScope()) {
      return values(table.rows().select(0, table.find(id)));
    }
  }

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

  /** [tasks][ΣC]. */
  double[][] logits(RequestBatch requests) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      Pass pass = forward(requests, false);
      double[] padded = values(pass.logits());
      double[][] logits = new double[config.numTasks()][requests.numCandidates()];
      for (int b = 0; b < requests.numRequests(); b++) {
        for (int c = 0; c < requests.numCandidates(b); c++) {
          for (int task = 0; task < logits.length; task++) {
            int from = (b * pass.batch().numCandidates + c) * logits.length + task;
            logits[task][requests.candidateOffsets()[b] + c] = padded[from];
          }
        }
      }
      return logits;
    }
  }

  /** Loss and gradients of a labelled batch. Ids not seen before get a row. */
  LossAndGradients gradients(RequestBatch requests) {
    try (PointerScope scope = new PointerScope()) {
      Pass pass = forward(requests, true);
      Tensor loss = Objective.loss(config, precision, requests, pass.batch(), pass.logits());
      Gradients gradients = Gradients.of(loss, parameters, pass.inputs().namedRows());
      Map<String, double[]> dense = new TreeMap<>();
      gradients.dense().forEach((name, gradient) -> dense.put(name, values(gradient)));
      Map<String, Map<Long, double[]>> sparse = new TreeMap<>();
      gradients
          .tables()
          .forEach((rows, gradient) -> sparse.put(nameOf(rows.table()), byId(rows, gradient)));
      return new LossAndGradients(loss.item().toDouble(), gradients.norm(), dense, sparse);
    }
  }

  /**
   * One optimizer step.
   *
   * @return the loss before it
   */
  double step(RequestBatch requests) {
    try (PointerScope scope = new PointerScope()) {
      Pass pass = forward(requests, true);
      Tensor loss = Objective.loss(config, precision, requests, pass.batch(), pass.logits());
      Gradients gradients = Gradients.of(loss, parameters, pass.inputs().namedRows());
      try (NoGradGuard guard = new NoGradGuard()) {
        optimizer.step(gradients);
      }
      return loss.item().toDouble();
    }
  }

  private Pass forward(RequestBatch requests, boolean insert) {
    PaddedBatch batch = new PaddedBatch(config, requests);
    Embeddings inputs = new Embeddings(config, parameters, tables, requests, batch, insert);
    return new Pass(batch, inputs, network.logits(batch, inputs));
  }

  private GrowableTable table(String name) {
    for (int i = 0; i < tables.size(); i++) {
      GrowableTable table = tables.get(i);
      if (table != null && config.tables().get(i).name().equals(name)) {
        return table;
      }
    }
    throw new IllegalArgumentException("no growable table is named \"" + name + "\"");
  }

  private String nameOf(GrowableTable table) {
    return config.tables().get(tables.indexOf(table)).name();
  }

  /** Rows by id; those of unseen ids have no id of their own and are left out. */
  private static Map<Long, double[]> byId(NamedRows named, Tensor gradient) {
    double[] values = values(gradient);
    long[] rows = named.rows();
    int width = rows.length == 0 ? 0 : values.length / rows.length;
    Map<Long, double[]> byId = new TreeMap<>();
    for (int i = 0; i < rows.length; i++) {
      if (rows[i] != 0) {
        byId.put(
            named.table().id((int) rows[i]),
            java.util.Arrays.copyOfRange(values, i * width, (i + 1) * width));
      }
    }
    return byId;
  }

  private static double[] values(Tensor tensor) {
    try (PointerScope scope = new PointerScope()) {
      return Precision.values(tensor);
    }
  }
}
