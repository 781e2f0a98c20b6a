package ai.longer.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.longer.Schema;
import ai.longer.Schema.Feature;
import ai.longer.support.Samples;
import java.util.List;
import org.junit.jupiter.api.Test;

class RequestTest {
  @Test
  void referenceTimeIsThatOfTheNewestEventUnlessGiven() {
    assertThat(plain(3, 2).build().referenceTime()).isEqualTo(120);
    assertThat(plain(3, 2).referenceTime(500).build().referenceTime()).isEqualTo(500);
    assertThat(plain(0, 2).build().referenceTime()).isZero();
  }

  @Test
  void futureEventsAreRefused() {
    assertThatThrownBy(() -> plain(3, 2).referenceTime(119).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("got 119, newest event at 120");
    Request request = plain(3, 2).build();
    assertThatThrownBy(() -> request.withHistory(Samples.plainHistory(9, 1)))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void schemasMustAgree() {
    assertThatThrownBy(
            () ->
                Request.builder(Samples.history(1, 1), Samples.plainCandidates(1, 1))
                    .user("country", 1)
                    .context("hour", 1)
                    .build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("one schema");
  }

  @Test
  void userAndContextIdsAreWanted() {
    Request.Builder builder = Request.builder(Samples.history(1, 1), Samples.candidates(1, 1));
    assertThatThrownBy(builder::build)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("[country, hour]");
    assertThatThrownBy(() -> builder.user("hour", 1))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("expected one of [country]");
    Request request = builder.user("country", 4).context("hour", 5).build();
    assertThat(request.userId(0)).isEqualTo(4);
    assertThat(request.userId(1)).isEqualTo(5);
  }

  @Test
  void userAndContextValuesHaveTheirFeaturesKind() {
    Schema schema =
        Schema.builder()
            .table("item", 8)
            .event("item", "item")
            .candidate("item", "item")
            .user(Feature.manyValued("liked", "item"))
            .context(Feature.numeric("hour", 12, 6))
            .task("click")
            .build();
    Request.Builder builder =
        Request.builder(History.empty(schema), Candidates.empty(schema))
            .user("liked", Value.ids(4, 4, 9));
    assertThatThrownBy(() -> builder.user("liked", 4))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("\"liked\" is MANY_VALUED; got 4");
    assertThatThrownBy(() -> builder.context("hour", Value.ids(4, 5)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("\"hour\" is NUMERIC; got [4, 5]");
    Request request = builder.context("hour", Value.number(3.5)).build();
    assertThat(request.userColumn(0).ids(0)).containsExactly(4, 4, 9);
    assertThat(request.userColumn(1).number(0)).isEqualTo(3.5f);
    assertThatThrownBy(() -> request.userId(0)).isInstanceOf(IllegalStateException.class);
    Request missing = builder.context("hour", Value.missing()).build();
    assertThat(missing.userColumn(1).isMissing(0)).isTrue();
  }

  @Test
  void labelsAndWeightsAreChecked() {
    assertThatThrownBy(() -> plain(1, 2).labels("click", new float[] {1}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("got 1, expected 2");
    assertThatThrownBy(() -> plain(1, 2).labels("click", new float[] {0, 1.5f}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("label 1 of \"click\"");
    assertThatThrownBy(() -> plain(1, 2).labels("buy", new float[] {0, 1}))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no task \"buy\"");
    for (float bad : new float[] {-1, Float.NaN, Float.POSITIVE_INFINITY}) {
      assertThatThrownBy(() -> plain(1, 2).weights(new float[] {1, bad}))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("weight 1");
    }
  }

  @Test
  void missingTasksAreMissingLabels() {
    Request request = Samples.labelled(3, 2, 1);
    assertThat(request.hasLabels()).isTrue();
    Request one =
        Request.builder(request.history(), request.candidates())
            .user("country", 1)
            .context("hour", 1)
            .labels("click", new float[] {1, 0})
            .build();
    assertThat(one.labels(0)).containsExactly(1, 0);
    assertThat(one.labels(1)).containsOnly(Float.NaN);
    assertThat(one.weights()).containsExactly(1, 1);
    Request none = plain(1, 2).build();
    assertThat(none.hasLabels()).isFalse();
    assertThatThrownBy(() -> none.labels(0)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void candidateColumnsAreChecked() {
    assertThatThrownBy(() -> Candidates.builder(Samples.SCHEMA).longs("item", new long[2]).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("\"genre\" is missing");
    Candidates candidates = Samples.candidates(5, 3);
    assertThat(candidates.slice(1, 3).column("item").ids())
        .containsExactly(candidates.id(0, 1), candidates.id(0, 2));
    assertThat(candidates.slice(0, 5)).isEqualTo(candidates).hasSameHashCodeAs(candidates);
    assertThat(candidates.slice(0, 4)).isNotEqualTo(candidates);
    assertThatThrownBy(() -> candidates.slice(1, 2).id(0, 1))
        .isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void listSourcesRepeat() {
    RequestSource source = RequestSource.of(List.of(plain(1, 1).build(), plain(2, 1).build()));
    assertThat(source.size()).hasValue(2);
    assertThat(source.stream().toList()).isEqualTo(source.stream().toList()).hasSize(2);
  }

  private static Request.Builder plain(int events, int candidates) {
    return Request.builder(Samples.plainHistory(events, 1), Samples.plainCandidates(candidates, 2));
  }
}
