package ai.longer;

import ai.longer.internal.ModelAccess;
import ai.longer.internal.ModelHandle;
import ai.longer.serving.Ranker;
import ai.longer.serving.RankerOptions;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A set of weights, immutable.
 *
 * <p>Safe for use by several threads, and by any number of rankers and trainers, which keep what
 * they need of it: closing a model under a live {@link Ranker} is safe. Calls after {@link #close}
 * throw {@link IllegalStateException}.
 */
public final class LongerModel implements AutoCloseable {
  static {
    ModelAccess.set(
        new ModelAccess() {
          @Override
          public LongerModel wrap(ModelHandle handle) {
            return new LongerModel(handle);
          }

          @Override
          public ModelHandle unwrap(LongerModel model) {
            return model.handle;
          }
        });
  }

  private final ModelHandle handle;

  private LongerModel(ModelHandle handle) {
    this.handle = handle;
  }

  /**
   * Makes a freshly initialised model.
   *
   * @param config features and architecture
   * @param seed of the initial weights; equal seeds give equal bits
   * @param device where it computes
   * @throws IllegalArgumentException if the configuration is not valid; the message names the JSON
   *     pointer
   * @throws UnsupportedOperationException if the loaded library lacks the device or an option
   * @throws LongerException if the native library cannot be loaded, or the device failed
   */
  public static LongerModel create(LongerConfig config, long seed, Device device) {
    return new LongerModel(ModelHandle.create(config, seed, device));
  }

  /**
   * Makes a model of weights that were trained elsewhere.
   *
   * @param parameters values of every dense parameter by name, row-major (native/docs/model.md,
   *     "Parameters")
   * @param tables rows of every growable table by name, ids in any order
   * @throws IllegalArgumentException if the configuration is not valid, or a name or size is not of
   *     it
   * @throws IllegalStateException if a parameter or table is missing; the message names one
   * @throws UnsupportedOperationException if the loaded library lacks the device or an option
   */
  public static LongerModel of(
      LongerConfig config,
      Map<String, float[]> parameters,
      Map<String, TableRows> tables,
      Device device) {
    return new LongerModel(ModelHandle.of(config, parameters, tables, device));
  }

  /**
   * Reads a model folder (native/docs/model-format.md).
   *
   * @throws java.io.UncheckedIOException if a file cannot be read
   * @throws CorruptDataException if a file is damaged; the message names it
   * @throws UnsupportedOperationException if the loaded library lacks the device or the format
   */
  public static LongerModel load(Path folder, Device device) {
    return new LongerModel(ModelHandle.load(folder, device));
  }

  /**
   * Writes a model folder: complete or not at all, over what was there.
   *
   * @throws java.io.UncheckedIOException if it cannot be written; what was there is unchanged
   */
  public void save(Path folder) {
    handle.save(folder);
  }

  /** Returns the features and architecture. */
  public LongerConfig config() {
    return handle.config();
  }

  /** Returns the number of this set of weights, unique in this process. */
  public long version() {
    return handle.version();
  }

  /** Returns the number of values in dense parameters. */
  public long numParameters() {
    return handle.numParameters();
  }

  /** Returns the number of rows over all growable tables. */
  public long numTableRows() {
    return handle.numTableRows();
  }

  /** Returns the names of the dense parameters (native/docs/model.md, "Parameters"). */
  public List<String> parameterNames() {
    return handle.shapes().names();
  }

  /**
   * Returns the shape of a dense parameter.
   *
   * @throws IllegalArgumentException if there is no such parameter
   */
  public List<Integer> parameterShape(String name) {
    return handle.shapes().shape(name);
  }

  /**
   * Returns a copy of a dense parameter, row-major.
   *
   * @throws IllegalArgumentException if there is no such parameter
   */
  public float[] parameter(String name) {
    return handle.parameter(name);
  }

  /**
   * Returns a copy of a growable table.
   *
   * @throws IllegalArgumentException if there is no such table or its rows are fixed
   */
  public TableRows table(String name) {
    return handle.table(name);
  }

  /** Returns a ranker over these weights with default options. */
  public Ranker ranker() {
    return ranker(RankerOptions.defaults());
  }

  /** Returns a ranker over these weights. */
  public Ranker ranker(RankerOptions options) {
    return Ranker.create(this, options);
  }

  /** Frees the weights once no ranker or trainer needs them; waits for calls in flight. */
  @Override
  public void close() {
    handle.close();
  }
}
