package ai.longer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.longer.support.Samples;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class LongerConfigTest {
  @Test
  void nativeTextReadsBackEqual() {
    assertThat(LongerConfig.parse(Samples.CONFIG.toJson())).isEqualTo(Samples.CONFIG);
    assertThat(LongerConfig.parse(Samples.CONFIG.toJson()).schema()).isEqualTo(Samples.SCHEMA);
    assertThat(LongerConfig.parse(Samples.KINDS_CONFIG.toJson())).isEqualTo(Samples.KINDS_CONFIG);
  }

  @Property(tries = 100)
  void everyOptionReadsBackEqual(
      @ForAll @IntRange(min = 1, max = 100_000) int maxHistory,
      @ForAll @IntRange(min = 1, max = 16) int mergeFactor,
      @ForAll @IntRange(min = 0, max = 8) int innerLayers,
      @ForAll QueryStrategy strategy,
      @ForAll @IntRange(min = 1, max = 1000) int queries,
      @ForAll @IntRange(min = 1, max = 64) int queryBlock,
      @ForAll @IntRange(min = 0, max = 8) int selfLayers,
      @ForAll @IntRange(min = 0, max = 8) int clsTokens,
      @ForAll @IntRange(min = 1, max = 63) int timeBuckets,
      @ForAll Anchor anchor,
      @ForAll TimeMode time,
      @ForAll GlobalVisibility visibility,
      @ForAll Head head) {
    LongerConfig config =
        LongerConfig.builder(Samples.SCHEMA)
            .maxHistory(maxHistory)
            .mergeFactor(mergeFactor)
            .innerLayers(innerLayers)
            .queries(strategy, queries)
            .queryBlock(strategy == QueryStrategy.RECENT ? queryBlock : 1)
            .selfLayers(selfLayers)
            .clsTokens(clsTokens)
            .timeBuckets(timeBuckets)
            .timeWidth(timeBuckets + 1)
            .dropout(timeBuckets / 128.0)
            .anchor(anchor)
            .time(time)
            .globalVisibility(visibility)
            .head(head)
            .build();
    assertThat(LongerConfig.parse(config.toJson())).isEqualTo(config);
    assertThat(config.toBuilder().build()).isEqualTo(config);
  }

  @Test
  void tokensReadBackEqual() {
    String user = Samples.SCHEMA.userFeatures().get(0).name();
    String item = Samples.SCHEMA.candidateFeatures().get(0).name();
    LongerConfig config =
        LongerConfig.builder(Samples.SCHEMA)
            .globalToken("who", user)
            .candidateToken("item", item)
            .candidateToken("again", item)
            .globalVisibility(GlobalVisibility.STRICT)
            .build();
    assertThat(config.globalTokens()).containsExactly(new TokenSpec("who", List.of(user)));
    assertThat(config.numRequestRows()).isEqualTo(config.clsTokens());
    assertThat(config.rowsPerCandidate()).isEqualTo(3);
    assertThat(LongerConfig.parse(config.toJson())).isEqualTo(config);
    assertThat(config.toBuilder().build()).isEqualTo(config);

    LongerConfig without = config.toBuilder().noGlobalTokens().build();
    assertThat(without.globalTokens()).isEmpty();
    assertThat(LongerConfig.parse(without.toJson())).isEqualTo(without);
  }

  @Test
  void defaultsAreThoseOfTheNativeCore() {
    String onlyFeatures =
        """
        {"format_version": 1,
         "tables": [{"name": "item", "width": 8, "rows": 0}],
         "event_features": [{"name": "item", "table": "item"}],
         "candidate_features": [{"name": "item", "table": "item"}],
         "tasks": [{"name": "click"}]}
        """;
    assertThat(LongerConfig.parse(onlyFeatures))
        .isEqualTo(LongerConfig.builder(Samples.PLAIN_SCHEMA).build());
  }

  @Test
  void errorsNameTheJsonPointer() {
    assertThatThrownBy(() -> parse(Samples.CONFIG.toBuilder().heads(7)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("/heads");
    assertThatThrownBy(() -> parse(Samples.CONFIG.toBuilder().maxHistory(-1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("/max_history");
    assertThatThrownBy(() -> LongerConfig.parse("{\"format_version\": 1, \"colour\": 3}"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("/colour");
    assertThatThrownBy(() -> LongerConfig.parse("not json"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("not valid JSON");
  }

  @Test
  void namesThatNeedEscapesReachTheNativeCheck() {
    Schema schema =
        Schema.builder()
            .table("a\"b\\c\n", 8)
            .event("item", "a\"b\\c\n")
            .candidate("item", "a\"b\\c\n")
            .task("click", Double.NaN)
            .build();
    assertThatThrownBy(() -> parse(LongerConfig.builder(schema)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("/tables/0/name");
  }

  @Test
  void weightsThatAreNotFiniteAreNamed() {
    Schema schema =
        Schema.builder()
            .table("item", 8)
            .event("item", "item")
            .candidate("item", "item")
            .task("click", Double.NaN)
            .build();
    assertThatThrownBy(() -> parse(LongerConfig.builder(schema)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("/tasks/0/weight");
  }

  @Test
  void tablesAndTasksKeepTheirOptions() {
    Schema schema =
        Schema.builder()
            .table("item", 8, 3)
            .event("item", "item")
            .candidate("item", "item")
            .task("click", 2.0, 0.125)
            .build();
    LongerConfig config = LongerConfig.parse(LongerConfig.builder(schema).build().toJson());
    assertThat(config.schema()).isEqualTo(schema);
    assertThat(config.schema().tables().get(0).admission()).isEqualTo(3);
    assertThat(config.schema().tasks().get(0).negativeSamplingRate()).isEqualTo(0.125);
  }

  @Test
  void scalesThatAreNotPositiveAreNamed() {
    for (double scale : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
      Schema schema =
          Schema.builder()
              .table("item", 8)
              .event("item", "item")
              .event(Schema.Feature.numeric("price", 0, scale))
              .candidate("item", "item")
              .task("click")
              .build();
      assertThatThrownBy(() -> parse(LongerConfig.builder(schema)))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("/event_features/1/scale");
    }
  }

  @Test
  void otherFormatVersionsAreUnsupported() {
    String other =
        Samples.CONFIG.toJson().replace("\"format_version\": 1", "\"format_version\": 2");
    assertThatThrownBy(() -> LongerConfig.parse(other))
        .isInstanceOf(UnsupportedOperationException.class)
        .hasMessageContaining("/format_version");
  }

  private static LongerConfig parse(LongerConfig.Builder builder) {
    return LongerConfig.parse(builder.build().toJson());
  }
}
