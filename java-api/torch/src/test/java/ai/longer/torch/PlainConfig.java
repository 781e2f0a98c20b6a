package ai.longer.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.longer.Anchor;
import ai.longer.GlobalVisibility;
import ai.longer.Head;
import ai.longer.LongerConfig;
import ai.longer.PositionMode;
import ai.longer.QueryStrategy;
import ai.longer.Schema;
import ai.longer.TimeMode;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * A configuration read from {@code config.json} by the text of native/docs/model-format.md: the
 * SDK's own reader is not used. A key that this class does not know fails the test, so the text and
 * this class grow with the format.
 */
final class PlainConfig {
  private final JsonNode json;
  private final Set<String> unread;

  private PlainConfig(JsonNode json) {
    this.json = json;
    this.unread = new TreeSet<>(PlainFolder.names(json));
  }

  static LongerConfig read(JsonNode json) {
    PlainConfig reader = new PlainConfig(json);
    LongerConfig config = reader.config();
    assertEquals(Set.of(), reader.unread, "keys that model-format.md does not name");
    return config;
  }

  private LongerConfig config() {
    assertEquals(1, integer("format_version"));
    LongerConfig.Builder builder = LongerConfig.builder(schema()).noGlobalTokens();
    for (JsonNode token : node("global_tokens")) {
      builder.globalToken(token.get("name").asText(), featuresOf(token));
    }
    for (JsonNode token : node("candidate_tokens")) {
      builder.candidateToken(token.get("name").asText(), featuresOf(token));
    }
    return builder
        .maxHistory(integer("max_history"))
        .eventWidth(integer("event_width"))
        .mergeFactor(integer("merge_factor"))
        .innerLayers(integer("inner_layers"))
        .innerHeads(integer("inner_heads"))
        .heads(integer("heads"))
        .queries(QueryStrategy.valueOf(text("query_strategy")), integer("queries"))
        .queryBlock(integer("query_block"))
        .selfLayers(integer("self_layers"))
        .clsTokens(integer("cls_tokens"))
        .timeBuckets(integer("time_buckets"))
        .timeWidth(integer("time_width"))
        .dropout(node("dropout").doubleValue())
        .anchor(Anchor.valueOf(text("anchor")))
        .position(PositionMode.valueOf(text("position")))
        .time(TimeMode.valueOf(text("time")))
        .globalVisibility(GlobalVisibility.valueOf(text("global_visibility")))
        .head(Head.valueOf(text("head")))
        .build();
  }

  private static String[] featuresOf(JsonNode token) {
    List<String> names = new ArrayList<>();
    token.get("features").forEach(name -> names.add(name.asText()));
    return names.toArray(String[]::new);
  }

  private Schema schema() {
    Schema.Builder schema = Schema.builder();
    for (JsonNode table : node("tables")) {
      String name = table.get("name").asText();
      int width = table.get("width").asInt();
      int rows = table.get("rows").asInt();
      if (rows == 0) {
        schema.table(name, width, table.get("admission").asInt());
      } else {
        schema.denseTable(name, width, rows);
      }
    }
    node("event_features").forEach(feature -> schema.event(feature(feature)));
    node("user_features").forEach(feature -> schema.user(feature(feature)));
    node("context_features").forEach(feature -> schema.context(feature(feature)));
    node("candidate_features").forEach(feature -> schema.candidate(feature(feature)));
    for (JsonNode task : node("tasks")) {
      schema.task(
          task.get("name").asText(),
          task.get("weight").asDouble(),
          task.get("negative_sampling_rate").asDouble());
    }
    return schema.build();
  }

  private static Schema.Feature feature(JsonNode feature) {
    String name = feature.get("name").asText();
    if (feature.get("kind").asText().equals("numeric")) {
      assertEquals(Set.of("name", "kind", "mean", "scale"), PlainFolder.names(feature));
      double mean = feature.get("mean").asDouble();
      return Schema.Feature.numeric(name, mean, feature.get("scale").asDouble());
    }
    assertEquals("categorical", feature.get("kind").asText());
    assertEquals(Set.of("name", "kind", "table", "values"), PlainFolder.names(feature));
    String table = feature.get("table").asText();
    return switch (feature.get("values").asText()) {
      case "one" -> Schema.Feature.categorical(name, table);
      case "many" -> Schema.Feature.manyValued(name, table);
      default -> throw new AssertionError(feature);
    };
  }

  private JsonNode node(String key) {
    unread.remove(key);
    return json.get(key);
  }

  private int integer(String key) {
    return node(key).intValue();
  }

  private String text(String key) {
    return node(key).asText();
  }
}
