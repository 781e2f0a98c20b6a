package ai.longer.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.longer.data.Request;
import ai.longer.internal.BatchBuffer.Content;
import ai.longer.internal.capi.longer_batch;
import ai.longer.internal.capi.longer_column;
import ai.longer.support.Samples;
import java.util.List;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Reads back, through the generated bindings, what was written at hand-computed places. */
class BatchBufferTest {
  @BeforeAll
  static void loadBindings() {
    NativeLibrary.load();
  }

  @Test
  void bindingsReadWhatWasFilledIn() {
    BatchBuffer buffer = new BatchBuffer(Samples.CONFIG);
    for (int size : new int[] {3, 40, 1, 0}) { // grows, then is used again
      List<Request> requests = Samples.labelled(size);
      buffer.fill(requests.toArray(new Request[0]), Content.LABELS);
      checkInputs(buffer.pointer(), requests);
      checkLabels(buffer.pointer(), requests);
    }
  }

  private static void checkInputs(longer_batch batch, List<Request> requests) {
    assertThat(batch.struct_bytes()).isEqualTo(batch.sizeof());
    assertThat(batch.num_requests()).isEqualTo(requests.size());
    LongPointer eventOffsets = batch.event_offsets();
    LongPointer candidateOffsets = batch.candidate_offsets();
    assertThat(eventOffsets.get(0)).isZero();
    assertThat(candidateOffsets.get(0)).isZero();
    assertThat(batch.num_events()).isEqualTo(eventOffsets.get(requests.size()));
    assertThat(batch.num_candidates()).isEqualTo(candidateOffsets.get(requests.size()));
    for (int r = 0; r < requests.size(); r++) {
      Request request = requests.get(r);
      int events = request.history().size();
      assertThat(eventOffsets.get(r + 1) - eventOffsets.get(r)).isEqualTo(events);
      for (int column = 0; column < 2; column++) {
        for (int i = 0; i < events; i++) {
          assertThat(ids(batch.event_columns(), column).get(eventOffsets.get(r) + i))
              .isEqualTo(request.history().id(column, i));
        }
        for (int i = 0; i < request.candidates().size(); i++) {
          assertThat(ids(batch.candidate_columns(), column).get(candidateOffsets.get(r) + i))
              .isEqualTo(request.candidates().id(column, i));
        }
        assertThat(ids(batch.user_columns(), column).get(r)).isEqualTo(request.userId(column));
      }
      for (int i = 0; i < events; i++) {
        assertThat(batch.event_times().get(eventOffsets.get(r) + i))
            .isEqualTo(request.history().time(i));
      }
      assertThat(batch.first_ordinals().get(r)).isEqualTo(request.history().firstOrdinal());
      assertThat(batch.reference_times().get(r)).isEqualTo(request.referenceTime());
    }
  }

  private static LongPointer ids(longer_column columns, int column) {
    longer_column one = columns.getPointer(column);
    assertThat(one.numbers()).isNull();
    assertThat(one.offsets()).isNull();
    assertThat(one.valid()).isNull();
    return one.ids();
  }

  private static void checkLabels(longer_batch batch, List<Request> requests) {
    FloatPointer labels = batch.labels();
    assertThat(batch.weights()).isNull(); // no request has weights
    for (int r = 0; r < requests.size(); r++) {
      for (int task = 0; task < 2; task++) {
        float[] expected = requests.get(r).labels(task);
        for (int i = 0; i < expected.length; i++) {
          long at = task * batch.num_candidates() + batch.candidate_offsets().get(r) + i;
          // Boxed: missing labels are NaN.
          assertThat(labels.get(at)).isEqualTo(Float.valueOf(expected[i]));
        }
      }
    }
  }

  @Test
  void weightsOfSomeRequestsAreOnesForTheOthers() {
    Request without = Samples.labelled(3, 2, 1);
    Request with =
        Request.builder(without.history(), without.candidates())
            .user("country", 1)
            .context("hour", 1)
            .labels("click", new float[] {1, 0})
            .weights(new float[] {0.25f, 4})
            .build();
    BatchBuffer buffer = new BatchBuffer(Samples.CONFIG);
    buffer.fill(new Request[] {without, with}, Content.LABELS);
    float[] weights = new float[4];
    buffer.pointer().weights().get(weights);
    assertThat(weights).containsExactly(1, 1, 0.25f, 4);
    buffer.fill(new Request[] {with}, Content.INPUTS);
    assertThat(buffer.pointer().weights()).isNull();
    assertThat(buffer.pointer().labels()).isNull();
  }

  @Test
  void requestsThatDoNotFitAreNamed() {
    BatchBuffer buffer = new BatchBuffer(Samples.CONFIG);
    Request[] requests = {Samples.labelled(3, 2, 1), Samples.request(3, 2, 1)};
    assertThatThrownBy(() -> buffer.fill(requests, Content.LABELS))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("request 1 has no labels");
    Request[] other = {
      Request.builder(Samples.plainHistory(1, 1), Samples.plainCandidates(1, 1)).build()
    };
    assertThatThrownBy(() -> buffer.fill(other, Content.INPUTS))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("another schema");
  }
}
