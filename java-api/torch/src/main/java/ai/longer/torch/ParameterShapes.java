package ai.longer.torch;

import ai.longer.LongerConfig;
import ai.longer.PositionMode;
import ai.longer.QueryStrategy;
import ai.longer.Schema;
import ai.longer.TimeMode;
import ai.longer.TokenSpec;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** Names and shapes of the dense parameters (native/docs/model.md, "Parameters"). */
final class ParameterShapes {
  private final Map<String, long[]> shapes = new LinkedHashMap<>();

  private ParameterShapes() {}

  /** By name, in the order of the document. */
  static Map<String, long[]> of(LongerConfig config) {
    ParameterShapes declared = new ParameterShapes();
    declared.declare(config);
    return Collections.unmodifiableMap(declared.shapes);
  }

  /** Name of the parameter that a dense table is. */
  static String ofTable(Schema.Table table) {
    return "table." + table.name() + ".weight";
  }

  private void declare(LongerConfig config) {
    Schema schema = config.schema();
    Features inputs = new Features(schema);
    int eventInput = inputs.width(schema.eventFeatures());
    int timeWidth = config.time() == TimeMode.NONE ? 0 : config.timeWidth();
    int width = config.modelWidth();
    int d = config.eventWidth();
    if (config.position() == PositionMode.LEARNED) {
      shapes.put("event_encoder.position.weight", new long[] {config.maxHistory(), eventInput});
    }
    if (timeWidth > 0) {
      shapes.put(
          "event_encoder.time_bucket.weight",
          new long[] {config.timeBuckets() + 1, config.timeWidth()});
    }
    declareLinear("event_encoder.fc1", 2 * d, eventInput + timeWidth);
    declareLinear("event_encoder.fc2", d, 2 * d);
    if (config.innerLayers() > 0) {
      shapes.put("token_merge.slot.weight", new long[] {config.mergeFactor(), d});
    }
    for (int i = 0; i < config.innerLayers(); i++) {
      declareBlock("token_merge.inner." + i, d);
    }
    if (config.clsTokens() > 0) {
      shapes.put("global.cls", new long[] {config.clsTokens(), width});
    }
    if (config.queryStrategy() == QueryStrategy.LEARNABLE) {
      shapes.put("global.query.weight", new long[] {config.queries(), width});
    }
    if (!config.globalTokens().isEmpty()) {
      shapes.put(
          "global.user_time_bucket.weight",
          new long[] {config.timeBuckets() + 1, config.timeWidth()});
    }
    for (TokenSpec token : config.globalTokens()) {
      declareLinear(
          "global." + token.name(),
          width,
          inputs.width(Features.named(inputs.ofUsers(), token.features())) + config.timeWidth());
    }
    for (TokenSpec token : config.candidateTokens()) {
      declareLinear(
          "global." + token.name(),
          width,
          inputs.width(Features.named(schema.candidateFeatures(), token.features())));
    }
    for (int layer = 0; layer <= config.selfLayers(); layer++) {
      declareBlock("layers." + layer, width);
    }
    declareNorm("head.ln", width);
    declareLinear("head.fc1", width, headRows(config) * width);
    declareLinear("head.fc2", schema.tasks().size(), width);
    for (Schema.Table table : schema.tables()) {
      if (table.rows() > 0) {
        shapes.put(ofTable(table), new long[] {table.rows() + 1, table.width()});
      }
    }
  }

  /** Rows of width D that the head reads for one candidate. */
  private static int headRows(LongerConfig config) {
    int ofHistory =
        switch (config.head()) {
          case GLOBALS -> 0;
          case ALL -> QueryRows.most(config);
          case GLOBALS_AND_POOL -> 1;
        };
    return ofHistory + config.numGlobals() + config.candidateTokens().size();
  }

  private void declareBlock(String prefix, int width) {
    declareNorm(prefix + ".ln1", width);
    declareLinear(prefix + ".qkv", 3 * width, width);
    declareLinear(prefix + ".out", width, width);
    declareNorm(prefix + ".ln2", width);
    declareLinear(prefix + ".fc1", 4 * width, width);
    declareLinear(prefix + ".fc2", width, 4 * width);
  }

  private void declareNorm(String name, int width) {
    shapes.put(name + ".weight", new long[] {width});
    shapes.put(name + ".bias", new long[] {width});
  }

  private void declareLinear(String name, int out, int in) {
    shapes.put(name + ".weight", new long[] {out, in});
    shapes.put(name + ".bias", new long[] {out});
  }
}
