package ai.longer.internal;

import ai.longer.Device;
import ai.longer.LongerConfig;
import ai.longer.internal.capi.LongerC;
import ai.longer.internal.capi.longer_step_result;
import ai.longer.internal.capi.longer_trainer;
import ai.longer.internal.capi.longer_trainer_options;
import ai.longer.training.Gradients;
import ai.longer.training.StepResult;
import ai.longer.training.TableGradient;
import ai.longer.training.TrainerOptions;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bytedeco.javacpp.Pointer;

/** A {@code longer_trainer}. Calls must not overlap; {@link #close} may be called any time. */
public final class TrainerHandle extends NativeHandle {
  private static final int OPTIONS_BYTES = 128;
  private static final int RESULT_BYTES = 344;
  private static final int NONFINITE_OFFSET = 88;

  private final longer_trainer pointer;
  private final LongerConfig config;
  private final ParameterShapes shapes;
  private final NativeError error = new NativeError();
  private final ByteBuffer result = Memory.allocate(RESULT_BYTES);
  private final longer_step_result resultPointer = new longer_step_result(new Pointer(result));

  private TrainerHandle(longer_trainer pointer, LongerConfig config, ParameterShapes shapes) {
    super("trainer", () -> LongerC.longer_trainer_destroy(pointer));
    this.pointer = pointer;
    this.config = config;
    this.shapes = shapes;
    result.putLong(0, RESULT_BYTES);
  }

  /** Trains on from a copy of a model's weights. */
  public static TrainerHandle create(ModelHandle model, Device device, TrainerOptions options) {
    NativeError error = new NativeError();
    longer_trainer_options struct = struct(options);
    return new TrainerHandle(
        model.call(
            m ->
                error.checkCreated(
                    LongerC.longer_trainer_create(
                        m, struct, NativeDevice.of(device), error.pointer()))),
        model.config(),
        model.shapes());
  }

  /** Goes on from a checkpoint. */
  public static TrainerHandle load(Path folder, Device device, TrainerOptions options) {
    NativeLibrary.load();
    NativeError error = new NativeError();
    longer_trainer pointer =
        error.checkCreated(
            LongerC.longer_trainer_load(
                folder.toString(), struct(options), NativeDevice.of(device), error.pointer()));
    // Only a model tells its configuration.
    try (ModelHandle model =
        ModelHandle.own(
            error.checkCreated(LongerC.longer_trainer_model(pointer, error.pointer())))) {
      return new TrainerHandle(pointer, model.config(), model.shapes());
    } catch (RuntimeException e) {
      LongerC.longer_trainer_destroy(pointer);
      throw e;
    }
  }

  /** The options struct: its size, rates, schedule, seed, two choices; 64 bits each. */
  private static longer_trainer_options struct(TrainerOptions options) {
    ByteBuffer memory = Memory.allocate(OPTIONS_BYTES);
    memory.putLong(OPTIONS_BYTES);
    memory.putDouble(options.learningRate());
    memory.putDouble(options.tableLearningRate());
    memory.putDouble(options.beta1());
    memory.putDouble(options.beta2());
    memory.putDouble(options.epsilon());
    memory.putDouble(options.weightDecay());
    memory.putDouble(options.tableEpsilon());
    memory.putDouble(options.clipNorm());
    memory.putLong(options.warmupSteps());
    memory.putLong(options.decaySteps());
    memory.putDouble(options.decayFloor());
    memory.putLong(options.seed());
    memory.putLong(
        switch (options.recomputation()) {
          case NONE -> LongerC.LONGER_RECOMPUTE_NONE;
          case MERGE -> LongerC.LONGER_RECOMPUTE_MERGE;
          case FULL -> LongerC.LONGER_RECOMPUTE_FULL;
        });
    memory.putLong(
        switch (options.onNonfinite()) {
          case SKIP -> LongerC.LONGER_NONFINITE_SKIP;
          case FAIL -> LongerC.LONGER_NONFINITE_FAIL;
        });
    memory.putLong(
        switch (options.precision()) {
          case FP32 -> LongerC.LONGER_PRECISION_FP32;
          case BF16 -> LongerC.LONGER_PRECISION_BF16;
        });
    return new longer_trainer_options(new Pointer(memory.rewind()));
  }

  /** Returns the configuration of the model in training. */
  public LongerConfig config() {
    return config;
  }

  /** Makes one optimizer step and returns its figures. */
  public StepResult step(NativeBatch batch) {
    enter();
    try {
      error.check(LongerC.longer_trainer_step(pointer, batch.pointer(), error.pointer()));
      return result();
    } finally {
      exit();
    }
  }

  /** Adds the gradients of one of several batches of an optimizer step. */
  public void accumulate(NativeBatch batch) {
    enter();
    try {
      error.check(LongerC.longer_trainer_accumulate(pointer, batch.pointer(), error.pointer()));
    } finally {
      exit();
    }
  }

  /** Makes one optimizer step over all accumulated batches and returns its figures. */
  public StepResult apply() {
    enter();
    try {
      error.check(LongerC.longer_trainer_apply(pointer, error.pointer()));
      return result();
    } finally {
      exit();
    }
  }

  /** Forgets the accumulated batches. */
  public void discard() {
    enter();
    try {
      error.check(LongerC.longer_trainer_discard(pointer, error.pointer()));
    } finally {
      exit();
    }
  }

  private StepResult result() {
    error.check(LongerC.longer_trainer_result(pointer, resultPointer, error.pointer()));
    return new StepResult(
        result.getLong(8),
        result.getDouble(16),
        result.getDouble(24),
        result.getDouble(32),
        result.getDouble(40),
        result.getLong(48) != 0,
        result.getLong(56),
        result.getLong(64),
        result.getLong(72),
        result.getLong(80),
        nonfinite());
  }

  private String nonfinite() {
    int end = NONFINITE_OFFSET;
    while (result.get(end) != 0) {
      end++;
    }
    byte[] text = new byte[end - NONFINITE_OFFSET];
    result.get(NONFINITE_OFFSET, text);
    return new String(text, StandardCharsets.UTF_8);
  }

  /** Returns loss and gradients without an update. */
  public Gradients gradients(BatchBuffer batch) {
    enter();
    try {
      double[] loss = new double[1];
      error.check(
          LongerC.longer_trainer_gradients(pointer, batch.pointer(), loss, error.pointer()));
      Map<String, float[]> parameters = new LinkedHashMap<>();
      for (String name : shapes.names()) {
        float[] values = new float[shapes.size(name)];
        error.check(
            LongerC.longer_trainer_get_gradient(
                pointer, name, values, values.length, error.pointer()));
        parameters.put(name, values);
      }
      Map<String, TableGradient> tables = new LinkedHashMap<>();
      config.schema().tables().stream()
          .filter(table -> table.rows() == 0)
          .forEach(t -> tables.put(t.name(), tableGradient(t.name(), t.width())));
      return new Gradients(loss[0], parameters, tables);
    } finally {
      exit();
    }
  }

  private TableGradient tableGradient(String table, int width) {
    long[] count = new long[1];
    error.check(
        LongerC.longer_trainer_get_table_gradient(
            pointer, table, new long[0], new float[0], 0, count, error.pointer()));
    int ids = Math.toIntExact(count[0]);
    TableGradient gradient =
        new TableGradient(new long[ids], new float[Math.multiplyExact(ids, width)], width);
    error.check(
        LongerC.longer_trainer_get_table_gradient(
            pointer, table, gradient.ids(), gradient.rows(), ids, count, error.pointer()));
    return gradient;
  }

  /** Returns probabilities with the present weights, [tasks, sum of C]. */
  public float[] predict(NativeBatch batch) {
    enter();
    try {
      float[] scores = new float[batch.numScores()];
      error.check(
          LongerC.longer_trainer_predict(
              pointer, batch.pointer(), scores, scores.length, error.pointer()));
      return scores;
    } finally {
      exit();
    }
  }

  /** Returns a snapshot of the present weights. */
  public ModelHandle model() {
    enter();
    try {
      return ModelHandle.own(
          error.checkCreated(LongerC.longer_trainer_model(pointer, error.pointer())));
    } finally {
      exit();
    }
  }

  /** Writes a checkpoint with the caller's progress. */
  public void save(Path folder, String progress) {
    byte[] text = progress.getBytes(StandardCharsets.UTF_8);
    enter();
    try {
      error.check(
          LongerC.longer_trainer_save(
              pointer, folder.toString(), progress, text.length, error.pointer()));
    } finally {
      exit();
    }
  }

  /** Returns the progress of the checkpoint that this was loaded from, empty without. */
  public String progress() {
    enter();
    try {
      return NativeText.read(
          (text, needed, e) ->
              LongerC.longer_trainer_progress(pointer, text, text.length, needed, e));
    } finally {
      exit();
    }
  }
}
