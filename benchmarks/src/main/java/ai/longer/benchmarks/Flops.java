package ai.longer.benchmarks;

import ai.longer.LongerConfig;
import ai.longer.Schema;
import java.util.List;

/**
 * Floating-point operations of the matrix products of one request, a multiply-add counting 2.
 * Element-wise work, norms and softmax are not counted.
 *
 * @param user what depends on the history only: event tokens, token merge, keys, values and query
 *     rows
 * @param candidates what the globals and candidates cost on top
 */
public record Flops(double user, double candidates) {

  /**
   * Forward pass over {@code numEvents} events, whole groups, and {@code numCandidates} candidates.
   */
  public static Flops forward(LongerConfig config, int numEvents, int numCandidates) {
    double events = Math.min(numEvents, config.maxHistory());
    double groups = Math.ceil(events / config.mergeFactor());
    double queries = Math.min(config.queries(), groups);
    double heads = config.numGlobals() + numCandidates;
    double width = config.modelWidth();
    double squared = 2 * width * width;

    double user = encoder(config, events);
    user += 2 * squared * groups; // keys and values of layer 0
    double perHead = 0; // of a global or candidate row, besides attention
    double attention = 0; // of the global and candidate rows
    for (int layer = 0; layer <= config.selfLayers(); layer++) {
      double keys = layer == 0 ? groups : queries;
      if (layer > 0) {
        user += 2 * squared * queries;
      }
      if (layer < config.selfLayers()) {
        // Query, output projection and the feed-forward's two maps of 4D; each query row sees half
        // of its own block.
        double seen = layer == 0 ? groups - queries / 2 : queries / 2;
        user += queries * (10 * squared + 4 * width * seen);
      }
      perHead += 12 * squared;
      attention += 4 * width * heads * (keys + config.numGlobals());
    }
    double globals = 2 * width * (inputWidth(config, true) + config.timeWidth());
    double candidate = 2 * width * inputWidth(config, false) + head(config);
    return new Flops(user, perHead * heads + attention + globals + candidate * numCandidates);
  }

  /** Returns the forward pass of the whole request. */
  public double total() {
    return user + candidates;
  }

  /** Returns forward and backward: each product has two more in the backward pass. */
  public double trainingStep() {
    return 3 * total();
  }

  /** Event MLP and the transformer inside the groups. */
  private static double encoder(LongerConfig config, double events) {
    double d = config.eventWidth();
    Schema schema = config.schema();
    double input = width(schema, schema.eventFeatures()) + config.timeWidth();
    double mlp = 2 * (2 * d * input + 2 * d * d);
    double block = 24 * d * d + 4 * d * config.mergeFactor();
    return events * (mlp + config.innerLayers() * block);
  }

  private static double head(LongerConfig config) {
    double width = config.modelWidth();
    return 2 * width * ((config.numGlobals() + 1) * width + config.schema().tasks().size());
  }

  private static double inputWidth(LongerConfig config, boolean ofUser) {
    Schema schema = config.schema();
    return ofUser
        ? width(schema, schema.userFeatures()) + width(schema, schema.contextFeatures())
        : width(schema, schema.candidateFeatures());
  }

  private static double width(Schema schema, List<Schema.Feature> features) {
    double sum = 0;
    for (Schema.Feature feature : features) {
      for (Schema.Table table : schema.tables()) {
        sum += table.name().equals(feature.table()) ? table.width() : 0;
      }
    }
    return sum;
  }
}
