package ai.longer.benchmarks.quality;

import ai.longer.LongerConfig;
import ai.longer.Schema;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

/**
 * A model that takes part in an experiment.
 *
 * @param name unique in its experiment; names files
 * @param title shown in tables
 * @param kind {@code longer}, or a baseline of {@link Learners}
 * @param history newest events that it gets; null = all
 * @param config keys of {@code config.json} in which it differs from the experiment's model
 */
record Contender(
    String name,
    String title,
    @Nullable String kind,
    @Nullable Integer history,
    @Nullable ObjectNode config) {
  static final String LONGER = "longer";

  /** The split as this contender sees it. */
  Split apply(Split split) {
    return history == null ? split : split.newest(history);
  }

  /**
   * The features of {@code schema} with the model's keys, then this contender's, then the
   * setting's.
   */
  LongerConfig config(Schema schema, ObjectNode model, Setting setting) {
    ObjectNode all = Json.parse(LongerConfig.builder(schema).build().toJson());
    all.setAll(model);
    if (config != null) {
      all.setAll(config);
    }
    if (setting.config() != null) {
      all.setAll(setting.config());
    }
    return LongerConfig.parse(all.toString());
  }
}
