package ai.longer.training;

import static org.assertj.core.api.Assertions.assertThat;

import ai.longer.data.Request;
import ai.longer.support.Samples;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class ShuffleBufferTest {
  private static final List<Request> REQUESTS = Samples.labelled(60);

  private static List<Request> shuffled(ShuffleBuffer buffer, List<Request> requests) {
    List<Request> out = new ArrayList<>();
    for (Request request : requests) {
      Request exchanged = buffer.exchange(request);
      if (exchanged != null) {
        out.add(exchanged);
      }
    }
    for (Request left = buffer.remove(); left != null; left = buffer.remove()) {
      out.add(left);
    }
    return out;
  }

  @Property(tries = 200)
  void everyRequestComesOutOnce(
      @ForAll @IntRange(max = 60) int size,
      @ForAll @IntRange(min = 1, max = 80) int capacity,
      @ForAll long seed) {
    List<Request> requests = REQUESTS.subList(0, size);
    List<Request> out = shuffled(new ShuffleBuffer(capacity, seed, 1, 1), requests);
    assertThat(out).containsExactlyInAnyOrderElementsOf(requests);
    assertThat(shuffled(new ShuffleBuffer(capacity, seed, 1, 1), requests)).isEqualTo(out);
    for (int i = 0; i < out.size(); i++) {
      // None comes out before it could have arrived.
      assertThat(requests.indexOf(out.get(i))).isLessThanOrEqualTo(i + capacity);
    }
  }

  @Test
  void seedsRunsAndEpochsDiffer() {
    List<Request> first = shuffled(new ShuffleBuffer(100, 1, 1, 1), REQUESTS);
    assertThat(first).isNotEqualTo(REQUESTS);
    assertThat(shuffled(new ShuffleBuffer(100, 2, 1, 1), REQUESTS)).isNotEqualTo(first);
    assertThat(shuffled(new ShuffleBuffer(100, 1, 2, 1), REQUESTS)).isNotEqualTo(first);
    assertThat(shuffled(new ShuffleBuffer(100, 1, 1, 2), REQUESTS)).isNotEqualTo(first);
    assertThat(shuffled(ShuffleBuffer.none(), REQUESTS)).isEqualTo(REQUESTS);
  }

  @Test
  void everyPlaceIsEquallyLikely() {
    int[] places = new int[5];
    List<Request> requests = REQUESTS.subList(0, 5);
    int rounds = 20_000;
    for (int seed = 0; seed < rounds; seed++) {
      places[shuffled(new ShuffleBuffer(9, seed, 1, 1), requests).indexOf(requests.get(0))]++;
    }
    for (int count : places) {
      // Five standard deviations of a binomial with p = 1/5.
      assertThat(count).isBetween(rounds / 5 - 285, rounds / 5 + 285);
    }
  }
}
