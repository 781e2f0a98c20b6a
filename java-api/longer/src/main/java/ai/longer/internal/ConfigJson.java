package ai.longer.internal;

import ai.longer.Anchor;
import ai.longer.GlobalVisibility;
import ai.longer.Head;
import ai.longer.LongerConfig;
import ai.longer.PositionMode;
import ai.longer.QueryStrategy;
import ai.longer.Schema;
import ai.longer.Schema.Feature;
import ai.longer.Schema.Kind;
import ai.longer.TimeMode;
import ai.longer.TokenSpec;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.StringJoiner;

/** {@code config.json}, written and, in the form the native core normalises it to, read. */
public final class ConfigJson {
  private static final int FORMAT_VERSION = 1;

  private ConfigJson() {}

  /** Returns {@code config.json} of a configuration; the native core validates it. */
  public static String write(LongerConfig config) {
    Schema schema = config.schema();
    StringJoiner json = new StringJoiner(",\n  ", "{\n  ", "\n}\n");
    json.add("\"format_version\": " + FORMAT_VERSION);
    json.add("\"tables\": " + array(schema.tables().stream().map(ConfigJson::table).toList()));
    json.add("\"event_features\": " + features(schema.eventFeatures()));
    json.add("\"user_features\": " + features(schema.userFeatures()));
    json.add("\"context_features\": " + features(schema.contextFeatures()));
    json.add("\"candidate_features\": " + features(schema.candidateFeatures()));
    json.add("\"tasks\": " + array(schema.tasks().stream().map(ConfigJson::task).toList()));
    json.add("\"max_history\": " + config.maxHistory());
    json.add("\"event_width\": " + config.eventWidth());
    json.add("\"merge_factor\": " + config.mergeFactor());
    json.add("\"inner_layers\": " + config.innerLayers());
    json.add("\"inner_heads\": " + config.innerHeads());
    json.add("\"heads\": " + config.heads());
    json.add("\"query_strategy\": \"" + config.queryStrategy() + "\"");
    json.add("\"queries\": " + config.queries());
    json.add("\"query_block\": " + config.queryBlock());
    json.add("\"self_layers\": " + config.selfLayers());
    json.add("\"cls_tokens\": " + config.clsTokens());
    json.add("\"time_buckets\": " + config.timeBuckets());
    json.add("\"time_width\": " + config.timeWidth());
    json.add("\"dropout\": " + real(config.dropout()));
    json.add("\"anchor\": \"" + config.anchor() + "\"");
    json.add("\"position\": \"" + config.position() + "\"");
    json.add("\"time\": \"" + config.time() + "\"");
    json.add("\"global_visibility\": \"" + config.globalVisibility() + "\"");
    json.add("\"head\": \"" + config.head() + "\"");
    json.add("\"global_tokens\": " + tokens(config.globalTokens()));
    json.add("\"candidate_tokens\": " + tokens(config.candidateTokens()));
    return json.toString();
  }

  private static String table(Schema.Table table) {
    return "{\"name\": %s, \"width\": %d, \"rows\": %d, \"admission\": %d}"
        .formatted(Json.quote(table.name()), table.width(), table.rows(), table.admission());
  }

  private static String task(Schema.Task task) {
    return "{\"name\": %s, \"weight\": %s, \"negative_sampling_rate\": %s}"
        .formatted(Json.quote(task.name()), real(task.weight()), real(task.negativeSamplingRate()));
  }

  /** JSON has no NaN and no infinities; null makes the native core name the key. */
  private static String real(double value) {
    return Double.isFinite(value) ? Double.toString(value) : "null";
  }

  private static String features(List<Feature> features) {
    return array(features.stream().map(ConfigJson::feature).toList());
  }

  private static String feature(Feature feature) {
    String name = Json.quote(feature.name());
    String table = feature.table();
    if (table == null) {
      return "{\"name\": %s, \"kind\": \"numeric\", \"mean\": %s, \"scale\": %s}"
          .formatted(name, real(feature.mean()), real(feature.scale()));
    }
    String values = feature.kind() == Kind.MANY_VALUED ? "many" : "one";
    return "{\"name\": %s, \"kind\": \"categorical\", \"table\": %s, \"values\": \"%s\"}"
        .formatted(name, Json.quote(table), values);
  }

  private static String tokens(List<TokenSpec> tokens) {
    return array(
        tokens.stream()
            .map(
                t ->
                    "{\"name\": %s, \"features\": [%s]}"
                        .formatted(
                            Json.quote(t.name()),
                            String.join(", ", t.features().stream().map(Json::quote).toList())))
            .toList());
  }

  private static String array(List<String> elements) {
    return elements.isEmpty() ? "[]" : "[\n    " + String.join(",\n    ", elements) + "\n  ]";
  }

  /** Returns the configuration of a text that {@link NativeConfig#normalize} returned. */
  public static LongerConfig read(String normalized) {
    Map<?, ?> root = (Map<?, ?>) Json.parse(normalized);
    Schema.Builder schema = Schema.builder();
    for (Map<?, ?> table : objects(root, "tables")) {
      String name = text(table, "name");
      int width = number(table, "width");
      int rows = number(table, "rows");
      if (rows == 0) {
        schema.table(name, width, number(table, "admission"));
      } else {
        schema.denseTable(name, width, rows);
      }
    }
    objects(root, "event_features").forEach(f -> schema.event(feature(f)));
    objects(root, "user_features").forEach(f -> schema.user(feature(f)));
    objects(root, "context_features").forEach(f -> schema.context(feature(f)));
    objects(root, "candidate_features").forEach(f -> schema.candidate(feature(f)));
    for (Map<?, ?> task : objects(root, "tasks")) {
      schema.task(text(task, "name"), real(task, "weight"), real(task, "negative_sampling_rate"));
    }
    LongerConfig.Builder config = LongerConfig.builder(schema.build()).noGlobalTokens();
    for (Map<?, ?> token : objects(root, "global_tokens")) {
      config.globalToken(text(token, "name"), texts(token, "features"));
    }
    for (Map<?, ?> token : objects(root, "candidate_tokens")) {
      config.candidateToken(text(token, "name"), texts(token, "features"));
    }
    return config
        .maxHistory(number(root, "max_history"))
        .eventWidth(number(root, "event_width"))
        .mergeFactor(number(root, "merge_factor"))
        .innerLayers(number(root, "inner_layers"))
        .innerHeads(number(root, "inner_heads"))
        .heads(number(root, "heads"))
        .queries(QueryStrategy.valueOf(text(root, "query_strategy")), number(root, "queries"))
        .queryBlock(number(root, "query_block"))
        .selfLayers(number(root, "self_layers"))
        .clsTokens(number(root, "cls_tokens"))
        .timeBuckets(number(root, "time_buckets"))
        .timeWidth(number(root, "time_width"))
        .dropout(real(root, "dropout"))
        .anchor(Anchor.valueOf(text(root, "anchor")))
        .position(PositionMode.valueOf(text(root, "position")))
        .time(TimeMode.valueOf(text(root, "time")))
        .globalVisibility(GlobalVisibility.valueOf(text(root, "global_visibility")))
        .head(Head.valueOf(text(root, "head")))
        .build();
  }

  private static Feature feature(Map<?, ?> feature) {
    String name = text(feature, "name");
    if (text(feature, "kind").equals("numeric")) {
      return Feature.numeric(name, real(feature, "mean"), real(feature, "scale"));
    }
    String table = text(feature, "table");
    return text(feature, "values").equals("many")
        ? Feature.manyValued(name, table)
        : Feature.categorical(name, table);
  }

  private static List<Map<?, ?>> objects(Map<?, ?> object, String key) {
    return ((List<?>) member(object, key))
        .stream().<Map<?, ?>>map(element -> (Map<?, ?>) element).toList();
  }

  private static String text(Map<?, ?> object, String key) {
    return (String) member(object, key);
  }

  private static String[] texts(Map<?, ?> object, String key) {
    return ((List<?>) member(object, key)).stream().map(String.class::cast).toArray(String[]::new);
  }

  private static int number(Map<?, ?> object, String key) {
    return Math.toIntExact((Long) member(object, key));
  }

  private static double real(Map<?, ?> object, String key) {
    return ((Number) member(object, key)).doubleValue();
  }

  private static Object member(Map<?, ?> object, String key) {
    return Objects.requireNonNull(object.get(key), key);
  }
}
