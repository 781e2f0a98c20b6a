package ai.longer;

import ai.longer.internal.ConfigJson;
import ai.longer.internal.NativeConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A model's features and architecture; {@code config.json} is its written form.
 *
 * <p>Letters as in native/docs/model.md: K merge factor, d event width, D = K · d. Immutable; safe
 * for use by several threads.
 */
public final class LongerConfig {
  private final Schema schema;
  private final int maxHistory;
  private final int eventWidth;
  private final int mergeFactor;
  private final int innerLayers;
  private final int innerHeads;
  private final int heads;
  private final QueryStrategy queryStrategy;
  private final int queries;
  private final int queryBlock;
  private final int selfLayers;
  private final int clsTokens;
  private final int timeBuckets;
  private final int timeWidth;
  private final double dropout;
  private final Anchor anchor;
  private final PositionMode position;
  private final TimeMode time;
  private final GlobalVisibility globalVisibility;
  private final Head head;
  private final List<TokenSpec> globalTokens;
  private final List<TokenSpec> candidateTokens;

  private LongerConfig(Builder builder) {
    schema = builder.schema;
    maxHistory = builder.maxHistory;
    eventWidth = builder.eventWidth;
    mergeFactor = builder.mergeFactor;
    innerLayers = builder.innerLayers;
    innerHeads = builder.innerHeads;
    heads = builder.heads;
    queryStrategy = builder.queryStrategy;
    queries = builder.queries;
    queryBlock = builder.queryBlock;
    selfLayers = builder.selfLayers;
    clsTokens = builder.clsTokens;
    timeBuckets = builder.timeBuckets;
    timeWidth = builder.timeWidth;
    dropout = builder.dropout;
    anchor = builder.anchor;
    position = builder.position;
    time = builder.time;
    globalVisibility = builder.globalVisibility;
    head = builder.head;
    globalTokens =
        builder.globalTokens == null
            ? List.of(new TokenSpec("user", names(schema.userFeatures(), schema.contextFeatures())))
            : List.copyOf(builder.globalTokens);
    candidateTokens =
        builder.candidateTokens.isEmpty()
            ? List.of(new TokenSpec("candidate", names(schema.candidateFeatures(), List.of())))
            : List.copyOf(builder.candidateTokens);
  }

  private static List<String> names(List<Schema.Feature> features, List<Schema.Feature> more) {
    return Stream.concat(features.stream(), more.stream()).map(Schema.Feature::name).toList();
  }

  /** Starts a configuration with the defaults of native/docs/model-format.md. */
  public static Builder builder(Schema schema) {
    return new Builder(schema);
  }

  /**
   * Reads {@code config.json}. Loads the native library, which validates the text.
   *
   * @throws IllegalArgumentException if the text is not valid; the message names the JSON pointer
   * @throws UnsupportedOperationException for values that this version does not implement
   */
  public static LongerConfig parse(String json) {
    return ConfigJson.read(NativeConfig.normalize(json));
  }

  /** Returns this configuration as {@code config.json}. */
  public String toJson() {
    return ConfigJson.write(this);
  }

  /** Returns the features and labels. */
  public Schema schema() {
    return schema;
  }

  /** Returns the number of events kept per request. */
  public int maxHistory() {
    return maxHistory;
  }

  /** Returns d, the width of an event token. */
  public int eventWidth() {
    return eventWidth;
  }

  /** Returns K, the number of neighbouring events merged into one token. */
  public int mergeFactor() {
    return mergeFactor;
  }

  /** Returns D = K · d, the width of merged, global and candidate tokens. */
  public int modelWidth() {
    return Math.multiplyExact(mergeFactor, eventWidth);
  }

  /** Returns the number of InnerTransformer blocks; 0 = concatenation only. */
  public int innerLayers() {
    return innerLayers;
  }

  /** Returns the attention heads of the InnerTransformer. */
  public int innerHeads() {
    return innerHeads;
  }

  /** Returns the attention heads of the cross-causal and self-causal layers. */
  public int heads() {
    return heads;
  }

  /** Returns which rows on the side of the history go on as queries. */
  public QueryStrategy queryStrategy() {
    return queryStrategy;
  }

  /** Returns k, the number of query rows on the side of the history. */
  public int queries() {
    return queries;
  }

  /** Returns the multiple that the first recent query's group index is rounded down to. */
  public int queryBlock() {
    return queryBlock;
  }

  /** Returns the number of self-causal layers after the cross-causal one. */
  public int selfLayers() {
    return selfLayers;
  }

  /** Returns the number of learned CLS tokens. */
  public int clsTokens() {
    return clsTokens;
  }

  /**
   * Returns the tokens of user and context features; each reads the time since the newest event.
   */
  public List<TokenSpec> globalTokens() {
    return globalTokens;
  }

  /** Returns the tokens of one candidate, in order. */
  public List<TokenSpec> candidateTokens() {
    return candidateTokens;
  }

  /** Returns the number of global tokens: CLS tokens and user tokens. */
  public int numGlobals() {
    return clsTokens + globalTokens.size();
  }

  /**
   * Returns the rows that a request has once: CLS tokens and, where candidates share them, user
   * tokens.
   */
  public int numRequestRows() {
    return globalVisibility == GlobalVisibility.CACHEABLE ? numGlobals() : clsTokens;
  }

  /** Returns the rows of one candidate: its tokens and, where it has its own, the user tokens. */
  public int rowsPerCandidate() {
    return numGlobals() - numRequestRows() + candidateTokens.size();
  }

  /** Returns the number of logarithmic time buckets. */
  public int timeBuckets() {
    return timeBuckets;
  }

  /** Returns the width of a time bucket's embedding. */
  public int timeWidth() {
    return timeWidth;
  }

  /** Returns the share of activations that training steps drop. */
  public double dropout() {
    return dropout;
  }

  /** Returns the order in which groups and positions are counted. */
  public Anchor anchor() {
    return anchor;
  }

  /** Returns whether events know their place in the window. */
  public PositionMode position() {
    return position;
  }

  /** Returns what event times are measured against. */
  public TimeMode time() {
    return time;
  }

  /** Returns what globals and candidates may attend to. */
  public GlobalVisibility globalVisibility() {
    return globalVisibility;
  }

  /** Returns what the prediction head reads beside the globals and the candidate. */
  public Head head() {
    return head;
  }

  /** Returns a builder that starts from this configuration. */
  public Builder toBuilder() {
    Builder builder =
        new Builder(schema)
            .maxHistory(maxHistory)
            .eventWidth(eventWidth)
            .mergeFactor(mergeFactor)
            .innerLayers(innerLayers)
            .innerHeads(innerHeads)
            .heads(heads)
            .queries(queryStrategy, queries)
            .queryBlock(queryBlock)
            .selfLayers(selfLayers)
            .clsTokens(clsTokens)
            .timeBuckets(timeBuckets)
            .timeWidth(timeWidth)
            .dropout(dropout)
            .anchor(anchor)
            .position(position)
            .time(time)
            .globalVisibility(globalVisibility)
            .head(head);
    builder.globalTokens = new ArrayList<>(globalTokens);
    builder.candidateTokens.addAll(candidateTokens);
    return builder;
  }

  @Override
  public boolean equals(Object other) {
    return this == other
        || (other instanceof LongerConfig that
            && schema.equals(that.schema)
            && toJson().equals(that.toJson()));
  }

  @Override
  public int hashCode() {
    return toJson().hashCode();
  }

  /** Returns {@link #toJson()}. */
  @Override
  public String toString() {
    return toJson();
  }

  /**
   * Collects a configuration. The native core validates it as a whole, see {@link
   * LongerModel#create} and {@link LongerConfig#parse}. Not thread-safe.
   */
  public static final class Builder {
    private final Schema schema;
    private int maxHistory = 1000;
    private int eventWidth = 16;
    private int mergeFactor = 4;
    private int innerLayers = 1;
    private int innerHeads = 2;
    private int heads = 4;
    private QueryStrategy queryStrategy = QueryStrategy.RECENT;
    private int queries = 32;
    private int queryBlock = 1;
    private int selfLayers = 1;
    private int clsTokens = 1;
    private int timeBuckets = 32;
    private int timeWidth = 16;
    private double dropout;
    private Anchor anchor = Anchor.NEWEST;
    private PositionMode position = PositionMode.LEARNED;
    private TimeMode time = TimeMode.REQUEST_RELATIVE;
    private GlobalVisibility globalVisibility = GlobalVisibility.CACHEABLE;
    private Head head = Head.GLOBALS;
    private @Nullable List<TokenSpec> globalTokens;
    private final List<TokenSpec> candidateTokens = new ArrayList<>();

    private Builder(Schema schema) {
      this.schema = Objects.requireNonNull(schema, "schema");
    }

    /** Sets the number of events kept per request; default 1000. */
    public Builder maxHistory(int events) {
      maxHistory = events;
      return this;
    }

    /** Sets d, the width of an event token; default 16. */
    public Builder eventWidth(int width) {
      eventWidth = width;
      return this;
    }

    /** Sets K, the number of neighbouring events merged into one token; default 4. */
    public Builder mergeFactor(int factor) {
      mergeFactor = factor;
      return this;
    }

    /** Merges through one InnerTransformer block, or by concatenation only; default true. */
    public Builder innerTransformer(boolean use) {
      return innerLayers(use ? 1 : 0);
    }

    /** Sets the number of InnerTransformer blocks; 0 = concatenation only; default 1. */
    public Builder innerLayers(int layers) {
      innerLayers = layers;
      return this;
    }

    /** Sets the attention heads of the InnerTransformer, a divisor of d; default 2. */
    public Builder innerHeads(int heads) {
      innerHeads = heads;
      return this;
    }

    /** Sets the attention heads of the other layers, a divisor of D; default 4. */
    public Builder heads(int heads) {
      this.heads = heads;
      return this;
    }

    /** Sets the number of newest merged tokens kept as queries; default 32. */
    public Builder recentQueries(int queries) {
      return queries(QueryStrategy.RECENT, queries);
    }

    /** Sets which rows, and how many, go on as queries; default 32 recent ones. */
    public Builder queries(QueryStrategy strategy, int queries) {
      queryStrategy = Objects.requireNonNull(strategy, "strategy");
      this.queries = queries;
      return this;
    }

    /**
     * Sets the multiple that the first recent query's group index is rounded down to; default 1.
     */
    public Builder queryBlock(int groups) {
      queryBlock = groups;
      return this;
    }

    /** Sets the number of self-causal layers after the cross-causal one; default 1. */
    public Builder selfLayers(int layers) {
      selfLayers = layers;
      return this;
    }

    /** Sets the number of learned CLS tokens; default 1. */
    public Builder clsTokens(int tokens) {
      clsTokens = tokens;
      return this;
    }

    /** Sets the number of logarithmic time buckets; default 32. */
    public Builder timeBuckets(int buckets) {
      timeBuckets = buckets;
      return this;
    }

    /** Sets the width of a time bucket's embedding; default 16. */
    public Builder timeWidth(int width) {
      timeWidth = width;
      return this;
    }

    /**
     * Sets the share of activations that training steps drop, in [0, 1); default 0. Scores never
     * see it.
     */
    public Builder dropout(double share) {
      dropout = share;
      return this;
    }

    /** Sets the order in which groups and positions are counted; default NEWEST. */
    public Builder anchor(Anchor anchor) {
      this.anchor = Objects.requireNonNull(anchor, "anchor");
      return this;
    }

    /** Sets whether events know their place in the window; default LEARNED. */
    public Builder position(PositionMode mode) {
      position = Objects.requireNonNull(mode, "mode");
      return this;
    }

    /** Sets what event times are measured against; default REQUEST_RELATIVE. */
    public Builder time(TimeMode mode) {
      time = Objects.requireNonNull(mode, "mode");
      return this;
    }

    /** Sets what globals and candidates may attend to; default CACHEABLE. */
    public Builder globalVisibility(GlobalVisibility visibility) {
      globalVisibility = Objects.requireNonNull(visibility, "visibility");
      return this;
    }

    /**
     * Sets what the prediction head reads beside the globals and the candidate; default GLOBALS.
     */
    public Builder head(Head head) {
      this.head = Objects.requireNonNull(head, "head");
      return this;
    }

    /**
     * Adds a token of user and context features, read with the time since the newest event;
     * default: one, "user", of all of them.
     */
    public Builder globalToken(String name, String... features) {
      if (globalTokens == null) {
        globalTokens = new ArrayList<>();
      }
      globalTokens.add(new TokenSpec(name, List.of(features)));
      return this;
    }

    /** Leaves user tokens out; tokens added so far are dropped. */
    public Builder noGlobalTokens() {
      globalTokens = new ArrayList<>();
      return this;
    }

    /** Adds a token of a candidate; default: one, "candidate", of all its features. */
    public Builder candidateToken(String name, String... features) {
      candidateTokens.add(new TokenSpec(name, List.of(features)));
      return this;
    }

    /** Returns the configuration. */
    public LongerConfig build() {
      return new LongerConfig(this);
    }
  }
}
