package ai.longer.evaluation;

import ai.longer.LongerConfig;
import ai.longer.Schema;
import ai.longer.data.DataListener;
import ai.longer.data.Dataset;
import ai.longer.data.Request;
import ai.longer.data.RequestSource;
import ai.longer.data.Shards;
import ai.longer.internal.Access;
import ai.longer.internal.BatchScorer;
import ai.longer.internal.ProgressMeter;
import ai.longer.internal.ReaderBatch;
import ai.longer.internal.ReaderHandle;
import ai.longer.internal.ReaderHandle.Pass;
import ai.longer.serving.Ranker;
import ai.longer.serving.RankingRequest;
import ai.longer.training.Trainer;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Scores requests whose outcome is known.
 *
 * <p>Each method makes one pass over the data, holds a few batches of requests at a time, and
 * returns one row per labelled candidate, in the data's order: two models over one data set give
 * paired predictions. The user of a row is its request's {@linkplain Request#groupKey group key};
 * candidates whose label is missing (NaN) leave no row.
 */
public final class Evaluation {
  private static final int BATCH = 128;

  private Evaluation() {}

  /**
   * Scores the first task with the present weights of a trainer.
   *
   * @throws IllegalArgumentException if a request of a source has no labels or does not fit the
   *     model, shards lack a column of the model, a label is neither 0 nor 1, or no candidate has a
   *     label
   * @throws ai.longer.CorruptDataException if a shard is damaged; the message names file and place
   * @throws CancellationException if the thread was interrupted; its interrupt flag stays set
   */
  public static Predictions predict(Trainer trainer, Dataset data) {
    PredictionRows rows = new PredictionRows(0);
    if (data instanceof Shards shards) {
      collect(Access.TRAINER.of(trainer), BATCH, trainer.config(), shards, meter(), List.of(rows));
    } else {
      collect(trainer::predict, (RequestSource) data, meter(), List.of(rows));
    }
    return rows.finish();
  }

  /**
   * Scores the first task with a ranker, without its user cache.
   *
   * @throws IllegalArgumentException as above
   * @throws ai.longer.CorruptDataException as above
   * @throws CancellationException as above
   */
  public static Predictions predict(Ranker ranker, Dataset data) {
    PredictionRows rows = new PredictionRows(0);
    collect(ranker, data, meter(), List.of(rows));
    return rows.finish();
  }

  /**
   * Scores every task with a ranker, without its user cache.
   *
   * @param listeners told how many requests are done
   * @return predictions by the name of the task, in the schema's order; tasks without a labelled
   *     candidate are left out
   * @throws IllegalArgumentException as above
   * @throws ai.longer.CorruptDataException as above
   * @throws CancellationException as above
   */
  public static Map<String, Predictions> predictTasks(
      Ranker ranker, Dataset data, DataListener... listeners) {
    List<Schema.Task> tasks = ranker.config().schema().tasks();
    List<PredictionRows> rows =
        IntStream.range(0, tasks.size()).mapToObj(PredictionRows::new).toList();
    collect(ranker, data, meter(listeners), rows);
    Map<String, Predictions> predictions = new LinkedHashMap<>();
    for (int task = 0; task < rows.size(); task++) {
      if (!rows.get(task).isEmpty()) {
        predictions.put(tasks.get(task).name(), rows.get(task).finish());
      }
    }
    if (predictions.isEmpty()) {
      throw new IllegalArgumentException("[evaluation] no candidate has a label");
    }
    return predictions;
  }

  private static ProgressMeter meter(DataListener... listeners) {
    return new ProgressMeter("evaluation", List.of(listeners));
  }

  private static void collect(
      Ranker ranker, Dataset data, ProgressMeter meter, List<PredictionRows> tasks) {
    if (data instanceof Shards shards) {
      collect(Access.RANKER.of(ranker), 1, ranker.config(), shards, meter, tasks);
    } else {
      collect(batch -> rank(ranker, batch), (RequestSource) data, meter, tasks);
    }
  }

  private static void collect(
      BatchScorer scorer,
      int batchSize,
      LongerConfig config,
      Shards shards,
      ProgressMeter meter,
      List<PredictionRows> tasks) {
    double total = shards.counts().requests();
    try (ReaderHandle reader = Access.SHARDS.of(shards).read(config, Pass.inOrder(batchSize))) {
      ReaderBatch batch;
      while ((batch = reader.next()) != null) {
        checkInterrupt();
        float[] scores = scorer.score(batch);
        long[] users = reader.userKeys();
        for (PredictionRows rows : tasks) {
          rows.add(batch, scores, users);
        }
        count(meter, batch.numRequests(), total);
      }
    }
    meter.end(0);
  }

  private static void collect(
      Function<List<Request>, float[]> scorer,
      RequestSource requests,
      ProgressMeter meter,
      List<PredictionRows> tasks) {
    double total = requests.size().isPresent() ? requests.size().getAsLong() : Double.NaN;
    try (Stream<Request> stream = requests.stream()) {
      Iterator<Request> all = stream.iterator();
      List<Request> batch = new ArrayList<>(BATCH);
      while (all.hasNext()) {
        batch.add(all.next());
        if (batch.size() == BATCH || !all.hasNext()) {
          checkInterrupt();
          float[] scores = scorer.apply(batch);
          tasks.forEach(rows -> rows.add(batch, scores));
          count(meter, batch.size(), total);
          batch.clear();
        }
      }
    }
    meter.end(0);
  }

  private static void count(ProgressMeter meter, int requests, double total) {
    for (int i = 0; i < requests; i++) {
      meter.row((meter.rows() + 1) / total, 0);
    }
  }

  private static void checkInterrupt() {
    if (Thread.currentThread().isInterrupted()) {
      throw new CancellationException("[evaluation] was interrupted");
    }
  }

  /** Scores of all tasks, [tasks, sum of C]. */
  private static float[] rank(Ranker ranker, List<Request> batch) {
    int numTasks = ranker.config().schema().tasks().size();
    int sum = batch.stream().mapToInt(r -> r.candidates().size()).sum();
    float[] scores = new float[Math.multiplyExact(numTasks, sum)];
    int next = 0;
    for (Request request : batch) {
      int candidates = request.candidates().size();
      float[] all = ranker.rank(RankingRequest.of(request)).toArray();
      for (int task = 0; task < numTasks; task++) {
        System.arraycopy(all, task * candidates, scores, task * sum + next, candidates);
      }
      next += candidates;
    }
    return scores;
  }

  /**
   * Scores the first task with any model.
   *
   * @param scorer returns probabilities of a batch, row-major [tasks, sum of C], candidates in
   *     request order; only the first task's are used, and later tasks may be left out
   * @throws IllegalArgumentException as above
   * @throws CancellationException as above
   */
  public static Predictions predict(
      Function<List<Request>, float[]> scorer, RequestSource requests) {
    PredictionRows rows = new PredictionRows(0);
    collect(scorer, requests, meter(), List.of(rows));
    return rows.finish();
  }
}
