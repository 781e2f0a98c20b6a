package ai.longer.internal;

import ai.longer.Schema;
import ai.longer.Schema.Feature;
import java.util.List;
import java.util.stream.Collectors;

/** {@code schema.json} of a shard folder; the native core validates it. */
public final class ShardSchemaJson {
  private ShardSchemaJson() {}

  /** Returns the columns of a schema, without tables and widths. */
  public static String write(Schema schema) {
    return "{\"format_version\": 1, \"event_features\": %s, \"user_features\": %s, \"context_features\": %s, \"candidate_features\": %s, \"tasks\": %s}"
        .formatted(
            features(schema.eventFeatures()),
            features(schema.userFeatures()),
            features(schema.contextFeatures()),
            features(schema.candidateFeatures()),
            names(schema.tasks().stream().map(Schema.Task::name).toList()));
  }

  private static String features(List<Feature> features) {
    return features.stream()
        .map(ShardSchemaJson::feature)
        .collect(Collectors.joining(", ", "[", "]"));
  }

  private static String feature(Feature feature) {
    String kind =
        switch (feature.kind()) {
          case CATEGORICAL -> "\"kind\": \"categorical\", \"values\": \"one\"";
          case MANY_VALUED -> "\"kind\": \"categorical\", \"values\": \"many\"";
          case NUMERIC -> "\"kind\": \"numeric\"";
        };
    return "{\"name\": %s, %s}".formatted(Json.quote(feature.name()), kind);
  }

  private static String names(List<String> names) {
    return names.stream()
        .map(name -> "{\"name\": %s}".formatted(Json.quote(name)))
        .collect(Collectors.joining(", ", "[", "]"));
  }
}
