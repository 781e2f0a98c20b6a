package ai.longer;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Floating-point operations of the matrix products of one request, a multiply-add counting 2
 * (LONGER §3.4, §3.5). Element-wise work, norms and softmax are not counted.
 *
 * <p>Immutable; safe for use by several threads.
 *
 * @param user what depends on the history only, and what a user cache saves: event tokens, token
 *     merge, keys, values and query rows
 * @param candidates what the globals, candidates and the head cost on top
 */
public record Flops(double user, double candidates) {

  /**
   * Forward pass over {@code numEvents} events, whole groups, and {@code numCandidates} candidates.
   */
  public static Flops forward(LongerConfig config, int numEvents, int numCandidates) {
    return new Counter(config, numEvents, numCandidates).count();
  }

  /** Returns the forward pass of the whole request. */
  public double total() {
    return user + candidates;
  }

  /** Returns forward and backward: each product has two more in the backward pass. */
  public double trainingStep() {
    return 3 * total();
  }

  /** The sizes of one request. */
  private static final class Counter {
    private final LongerConfig config;
    private final double events;
    private final double candidates;
    private final double width;
    private final double square; // a map D × D over one row
    private final boolean learns; // queries are learned rows, not merged tokens
    private final double groups;
    private final double queries;

    Counter(LongerConfig config, int numEvents, int numCandidates) {
      this.config = config;
      events = Math.min(numEvents, config.maxHistory());
      candidates = numCandidates;
      width = config.modelWidth();
      square = 2 * width * width;
      learns = config.queryStrategy() == QueryStrategy.LEARNABLE;
      groups = Math.ceil(events / config.mergeFactor());
      queries = learns ? config.queries() : Math.min(config.queries(), groups);
    }

    Flops count() {
      return new Flops(encoder() + userRows(), sideRows() + inputs() + head());
    }

    /** Event MLP and the transformer inside the groups. */
    private double encoder() {
      double d = config.eventWidth();
      Schema schema = config.schema();
      double time = config.time() == TimeMode.NONE ? 0 : config.timeWidth();
      double input =
          widths(schema, schema.eventFeatures()).values().stream().mapToDouble(w -> w).sum();
      double mlp = 2 * (2 * d * (input + time) + 2 * d * d);
      double block = 24 * d * d + 4 * d * config.mergeFactor();
      return events * (mlp + config.innerLayers() * block);
    }

    /** Merged and learned rows of the layer's keys. */
    private double keys(int layer) {
      return layer > 0 ? queries : learns ? groups + queries : groups;
    }

    private double userRows() {
      // The last layer's query rows feed nothing but these heads.
      boolean feedHead = config.head() != Head.GLOBALS;
      double sum = 0;
      for (int layer = 0; layer <= config.selfLayers(); layer++) {
        sum += 2 * square * keys(layer);
        if (layer < config.selfLayers() || feedHead) {
          // Query, output projection and the feed-forward's two maps of 4D. A query row sees what
          // is older: of the query rows half on average, of uniformly chosen groups half as well.
          boolean seesAll = layer == 0 && learns;
          boolean spreads = config.queryStrategy() == QueryStrategy.UNIFORM;
          double seen =
              seesAll
                  ? groups + queries / 2
                  : layer > 0 ? queries / 2 : spreads ? groups / 2 : groups - queries / 2;
          sum += queries * (10 * square + 4 * width * seen);
        }
      }
      return sum;
    }

    /** Globals and candidates through the layers. */
    private double sideRows() {
      double own = config.rowsPerCandidate();
      double shared = config.numRequestRows();
      double rows = shared + candidates * own;
      double sum = 0;
      for (int layer = 0; layer <= config.selfLayers(); layer++) {
        // A candidate's row sees its own block, a shared row the shared ones.
        sum += 12 * square * rows;
        sum += 4 * width * (rows * (keys(layer) + shared) + candidates * own * own);
      }
      return sum;
    }

    /** The maps from features to tokens. */
    private double inputs() {
      Schema schema = config.schema();
      List<Schema.Feature> ofUser = new ArrayList<>(schema.userFeatures());
      ofUser.addAll(schema.contextFeatures());
      double user = config.globalTokens().size() * config.timeWidth();
      user += tokens(config.globalTokens(), widths(schema, ofUser));
      double candidate =
          tokens(config.candidateTokens(), widths(schema, schema.candidateFeatures()));
      return 2 * width * (user + candidates * candidate);
    }

    private static double tokens(List<TokenSpec> tokens, Map<String, Double> widths) {
      return tokens.stream()
          .flatMap(token -> token.features().stream())
          .mapToDouble(feature -> widths.getOrDefault(feature, 0.0))
          .sum();
    }

    /** The head's maps: what a request's candidates share is multiplied once. */
    private double head() {
      double shared = config.numRequestRows();
      if (config.head() == Head.ALL) {
        shared += config.queries() + config.queryBlock() - 1;
      } else if (config.head() == Head.GLOBALS_AND_POOL) {
        shared += 1;
      }
      double perCandidate =
          config.rowsPerCandidate() * square + 2 * width * config.schema().tasks().size();
      return shared * square + candidates * perCandidate;
    }

    private static Map<String, Double> widths(Schema schema, List<Schema.Feature> features) {
      Map<String, Integer> tables =
          schema.tables().stream()
              .collect(Collectors.toMap(Schema.Table::name, Schema.Table::width));
      return features.stream()
          .collect(
              Collectors.toMap(
                  Schema.Feature::name,
                  f ->
                      f.kind() == Schema.Kind.NUMERIC
                          ? 2.0
                          : (double) tables.getOrDefault(f.table(), 0)));
    }
  }
}
