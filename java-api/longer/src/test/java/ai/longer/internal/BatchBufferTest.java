package ai.longer.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.longer.Schema.Kind;
import ai.longer.data.Column;
import ai.longer.data.History;
import ai.longer.data.Request;
import ai.longer.internal.BatchBuffer.Content;
import ai.longer.internal.capi.longer_batch;
import ai.longer.internal.capi.longer_column;
import ai.longer.support.Samples;
import java.util.List;
import java.util.stream.Stream;
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

  @Test
  void bindingsReadColumnsOfEveryKind() {
    BatchBuffer buffer = new BatchBuffer(Samples.KINDS_CONFIG);
    for (int size : new int[] {3, 40, 1, 0}) {
      List<Request> requests =
          Stream.iterate(0, i -> i + 1)
              .limit(size)
              .map(i -> Samples.kindsRequest(i * 7 % 30, i % 5, i))
              .toList();
      for (Content content : Content.values()) {
        buffer.fill(requests.toArray(new Request[0]), content);
        checkInputs(buffer.pointer(), requests);
      }
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
      History history = request.history();
      int events = history.size();
      assertThat(eventOffsets.get(r + 1) - eventOffsets.get(r)).isEqualTo(events);
      for (int i = 0; i < request.schema().eventFeatures().size(); i++) {
        checkColumn(batch.event_columns(), i, eventOffsets.get(r), history.column(i));
      }
      for (int i = 0; i < request.schema().candidateFeatures().size(); i++) {
        Column column = request.candidates().column(i);
        checkColumn(batch.candidate_columns(), i, candidateOffsets.get(r), column);
      }
      for (int i = 0; i < 2; i++) {
        checkColumn(batch.user_columns(), i, r, request.userColumn(i));
      }
      for (int i = 0; i < events; i++) {
        assertThat(batch.event_times().get(eventOffsets.get(r) + i)).isEqualTo(history.time(i));
      }
      assertThat(batch.first_ordinals().get(r)).isEqualTo(history.firstOrdinal());
      assertThat(batch.reference_times().get(r)).isEqualTo(request.referenceTime());
    }
  }

  /** Rows from {@code first} on of column {@code index} hold {@code expected}. */
  private static void checkColumn(longer_column columns, int index, long first, Column expected) {
    longer_column column = columns.getPointer(index);
    assertThat(column.numbers() != null).isEqualTo(expected.kind() == Kind.NUMERIC);
    assertThat(column.ids() == null).isEqualTo(expected.kind() == Kind.NUMERIC);
    assertThat(column.offsets() != null).isEqualTo(expected.kind() == Kind.MANY_VALUED);
    for (int i = 0; i < expected.size(); i++) {
      long row = first + i;
      switch (expected.kind()) {
        case CATEGORICAL -> {
          boolean isValid =
              column.valid() == null || (column.valid().get(row / 8) >> (row % 8) & 1) != 0;
          assertThat(isValid).isEqualTo(!expected.isMissing(i));
          assertThat(column.ids().get(row)).isEqualTo(expected.id(i));
        }
        case MANY_VALUED -> {
          long begin = column.offsets().get(row);
          long[] ids = new long[(int) (column.offsets().get(row + 1) - begin)];
          column.ids().position(begin).get(ids);
          assertThat(ids).isEqualTo(expected.ids(i));
        }
        case NUMERIC ->
            // Boxed: missing numbers are NaN.
            assertThat(column.numbers().get(row)).isEqualTo(Float.valueOf(expected.number(i)));
      }
    }
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
