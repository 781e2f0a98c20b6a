package ai.longer.torch;

import ai.longer.Schema;
import java.util.List;
import java.util.stream.Stream;

/** Which table each feature reads, as indexes into {@link Schema#tables()}. */
final class FeatureTables {
  private FeatureTables() {}

  static List<Integer> ofEvents(Schema schema) {
    return tables(schema, schema.eventFeatures().stream());
  }

  /** User features, then context features. */
  static List<Integer> ofUsers(Schema schema) {
    return tables(
        schema, Stream.concat(schema.userFeatures().stream(), schema.contextFeatures().stream()));
  }

  static List<Integer> ofCandidates(Schema schema) {
    return tables(schema, schema.candidateFeatures().stream());
  }

  /** Width of a row of these features side by side. */
  static int width(Schema schema, List<Integer> tables) {
    return tables.stream().mapToInt(table -> schema.tables().get(table).width()).sum();
  }

  private static List<Integer> tables(Schema schema, Stream<Schema.Feature> features) {
    List<String> names = schema.tables().stream().map(Schema.Table::name).toList();
    return features.map(feature -> names.indexOf(feature.table())).toList();
  }
}
