package ai.longer.torch;

import ai.longer.Device;
import ai.longer.LongerConfig;
import ai.longer.LongerModel;
import ai.longer.Schema;
import ai.longer.TableRows;
import ai.longer.data.Request;
import ai.longer.training.TrainerOptions;
import java.util.ArrayList;
import java.util.Arrays;
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
 * <p>Requests of a batch are padded to the longest one. Not safe for use by several threads at a
 * time.
 */
@SuppressWarnings("try") // a PointerScope is opened, not read
public final class TorchLonger implements AutoCloseable {
  private final LongerConfig config;
  private final TrainerOptions options;
  private final Schema schema;
  private final Precision precision;
  private final Parameters parameters;
  private final List<@Nullable GrowableTable> tables = new ArrayList<>();
  private final Network network;
  private final Optimizer optimizer;

  private record Pass(RequestBatch requests, PaddedBatch batch, Embeddings inputs, Tensor logits) {}

  private TorchLonger(LongerConfig config, TrainerOptions options, Precision precision) {
    this.config = config;
    this.options = options;
    this.schema = config.schema();
    this.precision = precision;
    this.parameters = new Parameters(config, precision, options.seed());
    for (Schema.Table table : schema.tables()) {
      tables.add(
          table.rows() == 0
              ? new GrowableTable(precision, table.width(), table.admission())
              : null);
    }
    this.network = new Network(config, parameters, precision);
    this.optimizer = new Optimizer(options, parameters);
  }

  /**
   * A model with random weights, drawn by PyTorch's generator from the seed of {@code options}: not
   * those that the SDK draws from the same seed, see {@link #copyFrom}.
   *
   * @param options rates, clipping and schedule of {@link #step}; what concerns whole runs is not
   *     used
   */
  public static TorchLonger create(
      LongerConfig config, TrainerOptions options, Precision precision) {
    return new TorchLonger(config, options, precision);
  }

  /** Replaces every parameter and table by those of a model of the same configuration. */
  public void copyFrom(LongerModel model) {
    for (String name : model.parameterNames()) {
      setParameter(name, doubles(model.parameter(name)));
    }
    for (Schema.Table table : schema.tables()) {
      if (table.rows() == 0) {
        setTable(table.name(), model.table(table.name()));
      }
    }
  }

  /**
   * These weights, rounded to 32 bits, as a model of the SDK: to be saved, ranked with, trained on.
   */
  public LongerModel model(Device device) {
    Map<String, float[]> values = new TreeMap<>();
    for (String name : parameters.names()) {
      try (PointerScope scope = new PointerScope()) {
        values.put(name, Precision.floats(parameters.get(name)));
      }
    }
    Map<String, TableRows> rows = new TreeMap<>();
    for (GrowableTable table : tables) {
      if (table != null) {
        rows.put(nameOf(table), table.export());
      }
    }
    return LongerModel.of(config, values, rows, device);
  }

  /** Names of the dense parameters, in the order of native/docs/model.md. */
  public List<String> parameterNames() {
    return List.copyOf(parameters.names());
  }

  /**
   * Values of one dense parameter, row-major.
   *
   * @throws IllegalArgumentException if there is no such parameter
   */
  public double[] parameter(String name) {
    return values(parameters.get(name));
  }

  /**
   * Replaces one dense parameter, row-major.
   *
   * @throws IllegalArgumentException if there is no such parameter or it has another number of
   *     values
   */
  public void setParameter(String name, double[] values) {
    parameters.set(name, values);
  }

  /**
   * Row of an id in a growable table; the out-of-vocabulary row for an id that has none.
   *
   * @throws IllegalArgumentException if there is no such table
   */
  public double[] tableRow(String name, long id) {
    GrowableTable table = table(name);
    try (PointerScope scope = new PointerScope()) {
      return values(table.rows().select(0, table.find(id)));
    }
  }

  /**
   * Replaces the rows of a growable table and forgets its optimizer state.
   *
   * @throws IllegalArgumentException if there is no such table
   */
  public void setTable(String name, TableRows rows) {
    table(name).set(rows.ids(), rows.rows());
  }

  /**
   * Logits of every candidate, request after request: [tasks][ΣC]. Ids without a row read the
   * out-of-vocabulary row.
   */
  public double[][] logits(List<Request> requests) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      Pass pass = forward(requests, false, null);
      double[] padded = values(pass.logits());
      double[][] logits = new double[schema.tasks().size()][pass.requests().numCandidates()];
      for (int b = 0; b < requests.size(); b++) {
        for (int c = 0; c < pass.requests().numCandidates(b); c++) {
          for (int task = 0; task < logits.length; task++) {
            int from = (b * pass.batch().numCandidates + c) * logits.length + task;
            logits[task][pass.requests().candidateOffsets()[b] + c] = padded[from];
          }
        }
      }
      return logits;
    }
  }

  /**
   * Loss and gradients of labelled requests, dropout being that of the next step. Ids that are
   * admitted get a random row.
   *
   * @throws IllegalArgumentException if a request has no labels
   */
  public LossAndGradients gradients(List<Request> requests) {
    try (PointerScope scope = new PointerScope()) {
      Pass pass = trainingForward(requests);
      Tensor loss = loss(pass);
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
   * One optimizer step over labelled requests. Ids that are admitted get a random row.
   *
   * @return the loss before the step
   * @throws IllegalArgumentException if a request has no labels
   */
  public double step(List<Request> requests) {
    try (PointerScope scope = new PointerScope()) {
      Pass pass = trainingForward(requests);
      Tensor loss = loss(pass);
      Gradients gradients = Gradients.of(loss, parameters, pass.inputs().namedRows());
      try (NoGradGuard guard = new NoGradGuard()) {
        optimizer.step(gradients);
      }
      return loss.item().toDouble();
    }
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

  private Pass trainingForward(List<Request> requests) {
    long step = optimizer.numSteps() + 1;
    return forward(requests, true, Dropout.of(config.dropout(), options.seed(), step, precision));
  }

  private Pass forward(List<Request> requests, boolean insert, @Nullable Dropout dropout) {
    RequestBatch ragged = RequestBatch.of(schema, requests);
    PaddedBatch padded = new PaddedBatch(config, ragged);
    Embeddings inputs = new Embeddings(schema, parameters, tables, ragged, padded, insert);
    return new Pass(ragged, padded, inputs, network.logits(padded, inputs, dropout));
  }

  private Tensor loss(Pass pass) {
    return Objective.loss(config, precision, pass.requests(), pass.batch(), pass.logits());
  }

  private GrowableTable table(String name) {
    for (int i = 0; i < tables.size(); i++) {
      GrowableTable table = tables.get(i);
      if (table != null && schema.tables().get(i).name().equals(name)) {
        return table;
      }
    }
    throw new IllegalArgumentException("no growable table is named \"" + name + "\"");
  }

  private String nameOf(GrowableTable table) {
    return schema.tables().get(tables.indexOf(table)).name();
  }

  /** Rows by id, without the out-of-vocabulary row. */
  private static Map<Long, double[]> byId(NamedRows named, Tensor gradient) {
    double[] values = values(gradient);
    long[] rows = named.rows();
    int width = rows.length == 0 ? 0 : values.length / rows.length;
    Map<Long, double[]> byId = new TreeMap<>();
    for (int i = 0; i < rows.length; i++) {
      if (rows[i] != 0) {
        double[] row = Arrays.copyOfRange(values, i * width, (i + 1) * width);
        byId.put(named.table().id((int) rows[i]), row);
      }
    }
    return byId;
  }

  private static double[] values(Tensor tensor) {
    try (PointerScope scope = new PointerScope()) {
      return Precision.values(tensor);
    }
  }

  private static double[] doubles(float[] values) {
    double[] doubles = new double[values.length];
    for (int i = 0; i < values.length; i++) {
      doubles[i] = values[i];
    }
    return doubles;
  }
}
