package ai.longer.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.longer.support.Samples;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.stream.LongStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class HistoryTest {
  @Property(tries = 200)
  void slicesAreWhatArraysSay(
      @ForAll @Size(max = 40) long[] items,
      @ForAll @IntRange(max = 50) int a,
      @ForAll @IntRange(max = 50) int b,
      @ForAll @IntRange(max = 1000) int firstOrdinal) {
    int from = Math.min(Math.min(a, b), items.length);
    int to = Math.min(Math.max(a, b), items.length);
    long[] times = new long[items.length];
    Arrays.setAll(times, i -> i / 2);
    History history =
        History.builder(Samples.PLAIN_SCHEMA)
            .longs("item", items)
            .times(times)
            .firstOrdinal(firstOrdinal)
            .build();
    History slice = history.slice(from, to);
    assertThat(slice.size()).isEqualTo(to - from);
    assertThat(slice.firstOrdinal()).isEqualTo(firstOrdinal + from);
    assertThat(slice.column("item").ids()).isEqualTo(Arrays.copyOfRange(items, from, to));
    assertThat(slice.times()).isEqualTo(Arrays.copyOfRange(times, from, to));
    LongBuffer copied = LongBuffer.allocate(to - from);
    slice.column(0).copyIds(copied);
    assertThat(copied.array()).isEqualTo(slice.column("item").ids());
    assertThat(history.tail(items.length - from)).isEqualTo(history.slice(from, items.length));
    History rebuilt =
        History.builder(Samples.PLAIN_SCHEMA)
            .longs("item", slice.column("item").ids())
            .times(slice.times())
            .firstOrdinal(slice.firstOrdinal())
            .build();
    assertThat(rebuilt).isEqualTo(slice).hasSameHashCodeAs(slice);
  }

  @Test
  void longHistoriesAreCutOrRefusedAsSet() {
    int events = 100_000;
    long[] items = LongStream.range(0, events).toArray();
    long[] times = LongStream.range(0, events).toArray();
    History.Builder builder =
        History.builder(Samples.PLAIN_SCHEMA).longs("item", items).times(times).firstOrdinal(7);
    assertThat(builder.build().size()).isEqualTo(events);
    History cut = builder.keepNewest(2000).build();
    assertThat(cut.size()).isEqualTo(2000);
    assertThat(cut.id(0, 0)).isEqualTo(98_000);
    assertThat(cut.firstOrdinal()).isEqualTo(98_007);
    assertThat(builder.atMost(events).build()).isEqualTo(cut);
    assertThatThrownBy(() -> builder.atMost(events - 1).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("must have at most 99999 events; got 100000");
    assertThatThrownBy(() -> builder.keepNewest(-1)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> builder.atMost(-1)).isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void inputsAreCopied() {
    long[] items = {1, 2};
    long[] times = {5, 6};
    History history =
        History.builder(Samples.PLAIN_SCHEMA).longs("item", items).times(times).build();
    items[0] = 9;
    times[0] = 9;
    assertThat(history.id(0, 0)).isEqualTo(1);
    assertThat(history.time(0)).isEqualTo(5);
  }

  @Test
  void problemsNameColumnAndRow() {
    assertThatThrownBy(() -> builder().longs("colour", new long[0]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no column \"colour\"; expected one of [item, genre]");
    assertThatThrownBy(() -> complete(2).longs("item", new long[2]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("\"item\" is set twice");
    assertThatThrownBy(() -> builder().longs("item", new long[2]).times(new long[2]).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("\"genre\" is missing");
    assertThatThrownBy(
            () ->
                builder()
                    .longs("item", new long[2])
                    .longs("genre", new long[3])
                    .times(new long[2])
                    .build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("\"genre\" must have 2 rows like the others; got 3");
    assertThatThrownBy(() -> complete(2).times(new long[] {5, 4}).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("time 4 of event 1 is before 5");
    assertThatThrownBy(() -> complete(2).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("times are missing");
    assertThatThrownBy(() -> complete(1).times(new long[1]).firstOrdinal(-1).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("first ordinal");
  }

  @Test
  void indexesAreChecked() {
    History history = Samples.history(3, 1);
    assertThatThrownBy(() -> history.time(3)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> history.slice(1, 1).id(0, 0))
        .isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> history.slice(2, 4)).isInstanceOf(IndexOutOfBoundsException.class);
    assertThatThrownBy(() -> history.tail(-1)).isInstanceOf(IllegalArgumentException.class);
  }

  private static History.Builder builder() {
    return History.builder(Samples.SCHEMA);
  }

  private static History.Builder complete(int rows) {
    return builder().longs("item", new long[rows]).longs("genre", new long[rows]);
  }
}
