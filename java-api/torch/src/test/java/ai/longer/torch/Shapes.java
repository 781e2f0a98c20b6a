package ai.longer.torch;

import ai.longer.torch.ModelShape.Table;
import ai.longer.torch.ModelShape.Time;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Small models, each different from the default in the part that its name says. */
final class Shapes {
  private Shapes() {}

  /** By name, in a fixed order. */
  static Map<String, ModelShape> all() {
    Map<String, ModelShape> all = new LinkedHashMap<>();
    all.put("default", new Builder().build());
    all.put("concatenation only", new Builder().innerLayers(0).build());
    all.put("two inner layers", new Builder().innerLayers(2).build());
    all.put("no cls token", new Builder().clsTokens(0).build());
    all.put("two cls tokens", new Builder().clsTokens(2).build());
    all.put("no self layer", new Builder().selfLayers(0).build());
    all.put("two self layers", new Builder().selfLayers(2).build());
    all.put("three self layers", new Builder().selfLayers(3).clsTokens(2).build());
    all.put("oldest anchor", new Builder().oldest().time(Time.EVENT_RELATIVE).build());
    all.put("oldest anchor, blocks", new Builder().oldest().queryBlock(2).selfLayers(2).build());
    all.put("event-relative time", new Builder().time(Time.EVENT_RELATIVE).build());
    all.put("no time", new Builder().time(Time.NONE).build());
    all.put("no time, oldest anchor", new Builder().time(Time.NONE).oldest().build());
    all.put("two tasks", new Builder().tasks(1.0, 0.25).build());
    all.put("no user features", new Builder().withoutUserFeatures().build());
    all.put("no merging", new Builder().mergeFactor(1).innerLayers(0).recentQueries(22).build());
    return all;
  }

  /** Settings of a model; the tables, widths and lengths are the same in all of them. */
  private static final class Builder {
    private int mergeFactor = 4;
    private int innerLayers = 1;
    private int recentQueries = 3;
    private int queryBlock = 1;
    private int selfLayers = 1;
    private int clsTokens = 1;
    private boolean oldest;
    private Time time = Time.REQUEST_RELATIVE;
    private List<Double> taskWeights = List.of(1.0);
    private List<Integer> userFeatures = List.of(2, 1);

    Builder mergeFactor(int value) {
      mergeFactor = value;
      return this;
    }

    Builder innerLayers(int value) {
      innerLayers = value;
      return this;
    }

    Builder recentQueries(int value) {
      recentQueries = value;
      return this;
    }

    Builder queryBlock(int value) {
      queryBlock = value;
      return this;
    }

    Builder selfLayers(int value) {
      selfLayers = value;
      return this;
    }

    Builder clsTokens(int value) {
      clsTokens = value;
      return this;
    }

    Builder oldest() {
      oldest = true;
      return this;
    }

    Builder time(Time value) {
      time = value;
      return this;
    }

    Builder tasks(double... weights) {
      taskWeights = new ArrayList<>();
      for (double weight : weights) {
        taskWeights.add(weight);
      }
      return this;
    }

    Builder withoutUserFeatures() {
      userFeatures = List.of();
      return this;
    }

    ModelShape build() {
      return new ModelShape(
          List.of(new Table("movie", 6, 0), new Table("genre", 3, 5), new Table("user", 4, 0)),
          List.of(0, 1),
          userFeatures,
          List.of(0, 1),
          taskWeights,
          22,
          8,
          mergeFactor,
          innerLayers,
          2,
          4,
          recentQueries,
          queryBlock,
          selfLayers,
          clsTokens,
          12,
          5,
          oldest,
          time);
    }
  }
}
