package ai.longer.evaluation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.longer.Device;
import ai.longer.LongerModel;
import ai.longer.data.Candidates;
import ai.longer.data.DataProgress;
import ai.longer.data.Dataset;
import ai.longer.data.Request;
import ai.longer.data.RequestSource;
import ai.longer.data.Shards;
import ai.longer.serving.Ranker;
import ai.longer.serving.RankingRequest;
import ai.longer.serving.Scores;
import ai.longer.support.NoLeaks;
import ai.longer.support.Samples;
import ai.longer.training.Trainer;
import ai.longer.training.TrainerOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(NoLeaks.class)
class EvaluationTest {
  private static Request request(int index, int candidates) {
    long[] items = new long[candidates];
    float[] labels = new float[candidates];
    for (int i = 0; i < candidates; i++) {
      items[i] = 7L * index + i;
      labels[i] = (index + i) % 3 == 0 ? 1 : (index + i) % 7 == 0 ? Float.NaN : 0;
    }
    return Request.builder(
            Samples.plainHistory(index % 30, index),
            Candidates.builder(Samples.PLAIN_SCHEMA).longs("item", items).build())
        .referenceTime(1_000_000_000_000L)
        .labels("click", labels)
        .groupKey(index / 4)
        .build();
  }

  /** More than one batch, with requests of 0 to 5 candidates. */
  private static List<Request> requests() {
    List<Request> requests = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      requests.add(request(i, i % 6));
    }
    return requests;
  }

  @Test
  void rowsAreTheLabelledCandidatesInOrder() {
    try (LongerModel model = LongerModel.create(Samples.PLAIN_CONFIG, 1, Device.cpu(1));
        Ranker ranker = model.ranker()) {
      Predictions predictions = Evaluation.predict(ranker, RequestSource.of(requests()));
      int row = 0;
      for (Request request : requests()) {
        float[] scores = ranker.rank(RankingRequest.of(request)).toArray();
        float[] labels = request.labels(0);
        for (int i = 0; i < labels.length; i++) {
          if (!Float.isNaN(labels[i])) {
            assertEquals(scores[i], predictions.scores()[row]);
            assertEquals(labels[i], predictions.labels()[row]);
            assertEquals(request.groupKey(), predictions.users()[row]);
            assertEquals(request.history().size(), predictions.historyLengths()[row]);
            assertEquals(
                request.history().size(), predictions.where(r -> true).historyLengths()[row]);
            row++;
          }
        }
      }
      assertEquals(row, predictions.size());
    }
  }

  @Test
  void trainerAndRankerAgree() {
    RequestSource source = RequestSource.of(requests());
    try (LongerModel model = LongerModel.create(Samples.PLAIN_CONFIG, 1, Device.cpu(1));
        Trainer trainer = Trainer.create(model, Device.cpu(1), TrainerOptions.defaults());
        Ranker ranker = model.ranker()) {
      assertArrayEquals(
          Evaluation.predict(trainer, source).scores(),
          Evaluation.predict(ranker, source).scores());
    }
  }

  @Test
  void shardsArePredictedAsTheirRequestsAre(@TempDir Path folder) {
    RequestSource source = RequestSource.of(requests());
    Path path = folder.resolve("data.shards");
    Shards.write(path, Samples.PLAIN_SCHEMA, source);
    try (Shards shards = Shards.open(path);
        LongerModel model = LongerModel.create(Samples.PLAIN_CONFIG, 1, Device.cpu(1));
        Trainer trainer = Trainer.create(model, Device.cpu(1), TrainerOptions.defaults());
        Ranker ranker = model.ranker()) {
      Predictions expected = Evaluation.predict(trainer, source);
      for (Predictions found :
          List.of(Evaluation.predict(trainer, shards), Evaluation.predict(ranker, shards))) {
        assertArrayEquals(expected.scores(), found.scores());
        assertArrayEquals(expected.labels(), found.labels());
        assertArrayEquals(expected.users(), found.users());
        assertArrayEquals(expected.historyLengths(), found.historyLengths());
      }
    }
  }

  /** Histories reach beyond what the model keeps, and start after events that are not supplied. */
  @Test
  void everyTaskHasTheRowsOfItsLabels(@TempDir Path folder) {
    List<Request> requests =
        Samples.labelled(120).stream()
            .map(r -> r.groupKey() % 5 == 0 ? r.withHistory(r.history().tail(4)) : r)
            .toList();
    RequestSource source = RequestSource.of(requests);
    Path path = folder.resolve("data.shards");
    Shards.write(path, Samples.SCHEMA, source);
    List<DataProgress> told = new ArrayList<>();
    try (Shards shards = Shards.open(path);
        LongerModel model = LongerModel.create(Samples.CONFIG, 1, Device.cpu(1));
        Ranker ranker = model.ranker()) {
      for (Map<String, Predictions> found :
          List.of(
              Evaluation.predictTasks(ranker, source, told::add),
              Evaluation.predictTasks(ranker, shards))) {
        assertEquals(List.of("click", "like"), List.copyOf(found.keySet()));
        for (int task = 0; task < 2; task++) {
          String name = Samples.SCHEMA.tasks().get(task).name();
          Predictions rows = Objects.requireNonNull(found.get(name));
          int row = 0;
          for (Request request : requests) {
            Scores scores = ranker.rank(RankingRequest.of(request));
            float[] labels = request.labels(task);
            for (int i = 0; i < labels.length; i++) {
              if (!Float.isNaN(labels[i])) {
                assertEquals(scores.get(task, i), rows.scores()[row]);
                assertEquals(labels[i], rows.labels()[row]);
                assertEquals(
                    request.history().firstOrdinal() + request.history().size(),
                    rows.historyLengths()[row]);
                row++;
              }
            }
          }
          assertEquals(row, rows.size());
        }
      }
    }
    assertEquals(1, told.get(told.size() - 1).done());
    assertEquals(120, told.get(told.size() - 1).rows());
    assertEquals(1, told.stream().filter(progress -> progress.done() == 1).count());
  }

  @Test
  void anInterruptEndsThePass(@TempDir Path folder) {
    RequestSource source = RequestSource.of(requests());
    Path path = folder.resolve("data.shards");
    Shards.write(path, Samples.PLAIN_SCHEMA, source);
    try (Shards shards = Shards.open(path);
        LongerModel model = LongerModel.create(Samples.PLAIN_CONFIG, 1, Device.cpu(1));
        Ranker ranker = model.ranker()) {
      for (Dataset data : List.of(source, shards)) {
        Thread.currentThread().interrupt();
        assertThrows(CancellationException.class, () -> Evaluation.predict(ranker, data));
        assertTrue(Thread.interrupted(), "the flag stays set");
      }
    }
  }

  @Test
  void requestsWithoutLabelsAreRefused() {
    Request bare =
        Request.builder(
                Samples.plainHistory(3, 1),
                Candidates.builder(Samples.PLAIN_SCHEMA).longs("item", new long[] {1}).build())
            .build();
    try (LongerModel model = LongerModel.create(Samples.PLAIN_CONFIG, 1, Device.cpu(1));
        Ranker ranker = model.ranker()) {
      Exception e =
          assertThrows(
              IllegalArgumentException.class,
              () -> Evaluation.predict(ranker, RequestSource.of(List.of(bare))));
      assertTrue(String.valueOf(e.getMessage()).contains("has no labels"), e.getMessage());
      assertThrows(
          IllegalArgumentException.class,
          () -> Evaluation.predict(ranker, RequestSource.of(List.of())));
    }
  }
}
