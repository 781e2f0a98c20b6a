package ai.longer.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.longer.support.Samples;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ColumnTest {
  private static Candidates.Builder builder() {
    return Candidates.builder(Samples.KINDS_SCHEMA);
  }

  private static Candidates candidates() {
    return builder()
        .longs("item", new long[] {1, 99, 3, 4}, missing(1))
        .longs("tags", new long[] @Nullable [] {{5}, null, {}, {6, 6, 7}})
        .floats("price", new float[] {Float.NaN, -0f, 2, 3})
        .build();
  }

  private static BitSet missing(int... rows) {
    BitSet missing = new BitSet();
    for (int row : rows) {
      missing.set(row);
    }
    return missing;
  }

  @Test
  void rowsHoldWhatWasSet() {
    Column items = candidates().column("item");
    Column tags = candidates().column("tags");
    Column prices = candidates().column("price");
    assertThat(items.isMissing(0)).isFalse();
    assertThat(items.isMissing(1)).isTrue();
    assertThat(items.id(3)).isEqualTo(4);
    assertThat(tags.isMissing(1)).isTrue();
    assertThat(tags.isMissing(2)).isTrue();
    assertThat(tags.ids(3)).containsExactly(6, 6, 7);
    assertThat(prices.isMissing(0)).isTrue();
    assertThat(prices.number(2)).isEqualTo(2f);
    assertThatThrownBy(() -> items.number(0)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> tags.id(0)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> prices.ids(0)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> items.id(4)).isInstanceOf(IndexOutOfBoundsException.class);
  }

  @Test
  void offsetsAndArraysOfArraysSayTheSame() {
    Candidates flat =
        builder()
            .longs("item", new long[] {1, 0, 3, 4}, missing(1))
            .longs("tags", new long[] {5, 6, 6, 7}, new int[] {0, 1, 1, 1, 4})
            .floats("price", new float[] {Float.NaN, 0f, 2, 3})
            .build();
    // Ids of missing rows and the sign of 0 do not count.
    assertThat(flat).isEqualTo(candidates()).hasSameHashCodeAs(candidates());
    assertThat(flat.slice(1, 4)).isEqualTo(candidates().slice(1, 4));
    assertThat(flat.slice(1, 4)).isNotEqualTo(candidates().slice(0, 3));
  }

  @Test
  void textsAreHashed() {
    Candidates texts =
        builder()
            .strings("item", new @Nullable String[] {"a", null})
            .strings("tags", new String[] @Nullable [] {null, {"b", "c"}})
            .floats("price", new float[2])
            .build();
    assertThat(texts.id(0, 0)).isEqualTo(StringIds.hash("a"));
    assertThat(texts.column(0).isMissing(1)).isTrue();
    assertThat(texts.column(1).isMissing(0)).isTrue();
    assertThat(texts.column(1).ids(1)).containsExactly(StringIds.hash("b"), StringIds.hash("c"));
  }

  @Test
  void slicesCopyTheirRowsAlone() {
    Candidates slice = candidates().slice(1, 4);
    LongBuffer longs = LongBuffer.allocate(9);
    slice.column("tags").copyIds(longs);
    slice.column("tags").copyEnds(10, longs);
    slice.column("item").copyIds(longs);
    assertThat(longs.array()).containsExactly(6, 6, 7, 10, 10, 13, 99, 3, 4);
    FloatBuffer floats = FloatBuffer.allocate(3);
    slice.column("price").copyNumbers(floats);
    assertThat(floats.array()).containsExactly(-0f, 2, 3);
    ByteBuffer bits = ByteBuffer.allocate(3);
    slice.column("item").copyValidity(bits, 1, 6);
    assertThat(bits.array()).containsExactly(0, 0b1000_0000, 0b1);
    assertThat(slice.column("item").needsValidity()).isTrue();
    assertThat(slice.slice(1, 3).column("item").needsValidity()).isFalse();
    assertThat(slice.column("tags").numIds()).isEqualTo(3);
    assertThat(slice.column("price").numIds()).isZero();
  }

  @Test
  void problemsNameTheColumn() {
    assertProblem(
        () -> builder().longs("price", new long[1]), "\"price\" is NUMERIC; got CATEGORICAL");
    assertProblem(
        () -> builder().longs("tags", new long[1]), "\"tags\" is MANY_VALUED; got CATEGORICAL");
    assertProblem(
        () -> builder().floats("item", new float[1]), "\"item\" is CATEGORICAL; got NUMERIC");
    assertProblem(
        () -> builder().longs("item", new long[1][]), "\"item\" is CATEGORICAL; got MANY_VALUED");
    assertProblem(
        () -> builder().floats("price", new float[] {0, Float.POSITIVE_INFINITY}),
        "\"price\" row 1 must be finite or NaN; got Infinity");
    assertProblem(
        () -> builder().longs("tags", new long[2], new int[] {0, 1}),
        "\"tags\" needs offsets from 0 to the number of values, 2; got 0 … 1");
    assertProblem(
        () -> builder().longs("tags", new long[0], new int[0]),
        "the number of values, 0; got none");
    assertProblem(
        () -> builder().longs("tags", new long[2], new int[] {0, 2, 1, 2}),
        "\"tags\" needs offsets that do not descend; offset 2 is 1 after 2");
    assertProblem(
        () -> builder().longs("item", new long[2], missing(2)), "\"item\" has 2 rows; row 2");
    assertThatThrownBy(() -> Value.number(1e39))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("must be finite or NaN; got 1.0E39");
  }

  private static void assertProblem(
      org.assertj.core.api.ThrowableAssert.ThrowingCallable call, String message) {
    assertThatThrownBy(call)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(message);
  }
}
