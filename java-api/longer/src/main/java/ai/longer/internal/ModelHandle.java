package ai.longer.internal;

import ai.longer.Device;
import ai.longer.LongerConfig;
import ai.longer.TableRows;
import ai.longer.internal.capi.LongerC;
import ai.longer.internal.capi.longer_model;
import ai.longer.internal.capi.longer_model_builder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.Function;

/** A {@code longer_model}. Safe for use by several threads. */
public final class ModelHandle extends NativeHandle {
  private final longer_model pointer;
  private final LongerConfig config;
  private final ParameterShapes shapes;

  private ModelHandle(longer_model pointer) {
    super("model", () -> LongerC.longer_model_destroy(pointer));
    this.pointer = pointer;
    this.config =
        ConfigJson.read(
            NativeText.read(
                (text, needed, error) ->
                    LongerC.longer_model_config(pointer, text, text.length, needed, error)));
    this.shapes =
        ParameterShapes.parse(
            NativeText.read(
                (text, needed, error) ->
                    LongerC.longer_model_describe_parameters(
                        pointer, text, text.length, needed, error)));
  }

  /** Makes a freshly initialised model. */
  public static ModelHandle create(LongerConfig config, long seed, Device device) {
    NativeLibrary.load();
    String json = config.toJson();
    long bytes = json.getBytes(StandardCharsets.UTF_8).length;
    NativeError error = new NativeError();
    return own(
        error.checkCreated(
            LongerC.longer_model_create(
                json, bytes, seed, NativeDevice.of(device), error.pointer())));
  }

  /** Makes a model of given numbers. */
  public static ModelHandle of(
      LongerConfig config,
      Map<String, float[]> parameters,
      Map<String, TableRows> tables,
      Device device) {
    NativeLibrary.load();
    String json = config.toJson();
    long bytes = json.getBytes(StandardCharsets.UTF_8).length;
    NativeError error = new NativeError();
    longer_model_builder builder =
        error.checkCreated(LongerC.longer_model_builder_create(json, bytes, error.pointer()));
    try {
      parameters.forEach(
          (name, values) ->
              error.check(
                  LongerC.longer_model_builder_set_parameter(
                      builder, name, values, values.length, error.pointer())));
      tables.forEach(
          (name, table) -> {
            checkWidth(config, name, table);
            error.check(
                LongerC.longer_model_builder_set_table(
                    builder, name, table.ids(), table.rows(), table.ids().length, error.pointer()));
          });
      return own(
          error.checkCreated(
              LongerC.longer_model_builder_build(
                  builder, NativeDevice.of(device), error.pointer())));
    } finally {
      LongerC.longer_model_builder_destroy(builder);
    }
  }

  /** Reads a model folder. */
  public static ModelHandle load(Path folder, Device device) {
    NativeLibrary.load();
    NativeError error = new NativeError();
    return own(
        error.checkCreated(
            LongerC.longer_model_load(
                folder.toString(), NativeDevice.of(device), error.pointer())));
  }

  /** Takes ownership of a pointer that a create call returned. */
  static ModelHandle own(longer_model pointer) {
    return new ModelHandle(pointer);
  }

  /** Runs a call with the pointer, which is valid until it returns. */
  <T> T call(Function<longer_model, T> call) {
    enter();
    try {
      return call.apply(pointer);
    } finally {
      exit();
    }
  }

  /** Returns the configuration. */
  public LongerConfig config() {
    return config;
  }

  /** Returns the number of this set of weights. */
  public long version() {
    return call(LongerC::longer_model_version);
  }

  /** Returns the number of values in dense parameters. */
  public long numParameters() {
    return call(LongerC::longer_model_num_parameters);
  }

  /** Returns the number of rows over all growable tables. */
  public long numTableRows() {
    return call(LongerC::longer_model_num_table_rows);
  }

  /** Returns the names and shapes of the dense parameters. */
  public ParameterShapes shapes() {
    return shapes;
  }

  /** Returns a copy of a dense parameter. */
  public float[] parameter(String name) {
    float[] values = new float[shapes.size(name)];
    NativeError error = new NativeError();
    call(
        model -> {
          error.check(
              LongerC.longer_model_get_parameter(
                  model, name, values, values.length, error.pointer()));
          return values;
        });
    return values;
  }

  /** Returns a copy of a growable table. */
  public TableRows table(String name) {
    int width = growableWidth(config, name);
    return call(
        model -> {
          NativeError error = new NativeError();
          long[] count = new long[1];
          // Immutable: the count of the first call holds for the second.
          error.check(
              LongerC.longer_model_get_table(
                  model, name, new long[0], new float[width], 0, count, error.pointer()));
          int ids = Math.toIntExact(count[0]);
          TableRows table =
              new TableRows(
                  new long[ids],
                  new float[Math.multiplyExact(Math.addExact(ids, 1), width)],
                  width);
          error.check(
              LongerC.longer_model_get_table(
                  model, name, table.ids(), table.rows(), ids, count, error.pointer()));
          return table;
        });
  }

  /** The width of a growable table. */
  static int growableWidth(LongerConfig config, String name) {
    return config.schema().tables().stream()
        .filter(table -> table.name().equals(name) && table.rows() == 0)
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "[model] no growable table is named \"%s\"; the schema has %s"
                        .formatted(name, config.schema().tables())))
        .width();
  }

  private static void checkWidth(LongerConfig config, String name, TableRows table) {
    int width = growableWidth(config, name);
    if (table.width() != width) {
      throw new IllegalArgumentException(
          "[model] rows of table \"%s\" are %d wide; got %d".formatted(name, width, table.width()));
    }
  }

  /** Writes a model folder. */
  public void save(Path folder) {
    NativeError error = new NativeError();
    call(
        model -> {
          error.check(LongerC.longer_model_save(model, folder.toString(), error.pointer()));
          return folder;
        });
  }
}
