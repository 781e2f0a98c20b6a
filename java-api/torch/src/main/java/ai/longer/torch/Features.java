package ai.longer.torch;

import ai.longer.Schema;
import java.util.List;
import java.util.stream.Stream;

/** The features of a schema as the model reads them. */
final class Features {
  private final Schema schema;

  Features(Schema schema) {
    this.schema = schema;
  }

  /** User features, then context features. */
  List<Schema.Feature> ofUsers() {
    return Stream.concat(schema.userFeatures().stream(), schema.contextFeatures().stream())
        .toList();
  }

  /** Index of the table that a feature reads; −1 if it is numeric. */
  int table(Schema.Feature feature) {
    List<String> names = schema.tables().stream().map(Schema.Table::name).toList();
    return names.indexOf(feature.table());
  }

  /** Values that a feature is in the input of a token. */
  int width(Schema.Feature feature) {
    return feature.kind() == Schema.Kind.NUMERIC ? 2 : schema.tables().get(table(feature)).width();
  }

  /** Width of features side by side. */
  int width(List<Schema.Feature> features) {
    return features.stream().mapToInt(this::width).sum();
  }

  /** The features of those names, in that order. */
  static List<Schema.Feature> named(List<Schema.Feature> features, List<String> names) {
    return names.stream()
        .map(name -> features.stream().filter(f -> f.name().equals(name)).findFirst().orElseThrow())
        .toList();
  }
}
