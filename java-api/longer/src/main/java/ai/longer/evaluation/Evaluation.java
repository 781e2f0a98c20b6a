package ai.longer.evaluation;

import ai.longer.LongerConfig;
import ai.longer.data.Dataset;
import ai.longer.data.Request;
import ai.longer.data.RequestSource;
import ai.longer.data.Shards;
import ai.longer.internal.Access;
import ai.longer.internal.BatchScorer;
import ai.longer.internal.ReaderBatch;
import ai.longer.internal.ReaderHandle;
import ai.longer.internal.ReaderHandle.Pass;
import ai.longer.serving.Ranker;
import ai.longer.serving.RankingRequest;
import ai.longer.training.Trainer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Scores requests whose outcome is known.
 *
 * <p>Each method makes one pass over the data, holds a few batches of requests at a time, and
 * returns one row per labelled candidate of the first task, in the data's order: two models over
 * one data set give paired predictions. The user of a row is its request's {@linkplain
 * Request#groupKey group key}; candidates whose label is missing (NaN) leave no row.
 */
public final class Evaluation {
  private static final int BATCH = 128;

  private Evaluation() {}

  /**
   * Scores with the present weights of a trainer.
   *
   * @throws IllegalArgumentException if a request of a source has no labels or does not fit the
   *     model, shards lack a column of the model, a label is neither 0 nor 1, or no candidate has a
   *     label
   * @throws ai.longer.CorruptDataException if a shard is damaged; the message names file and place
   */
  public static Predictions predict(Trainer trainer, Dataset data) {
    return data instanceof Shards shards
        ? predict(Access.TRAINER.of(trainer), BATCH, trainer.config(), shards)
        : predict(trainer::predict, (RequestSource) data);
  }

  /**
   * Scores with a ranker, without its user cache.
   *
   * @throws IllegalArgumentException as above
   * @throws ai.longer.CorruptDataException as above
   */
  public static Predictions predict(Ranker ranker, Dataset data) {
    return data instanceof Shards shards
        ? predict(Access.RANKER.of(ranker), 1, ranker.config(), shards)
        : predict(batch -> rank(ranker, batch), (RequestSource) data);
  }

  private static Predictions predict(
      BatchScorer scorer, int batchSize, LongerConfig config, Shards shards) {
    Rows rows = new Rows();
    try (ReaderHandle reader = Access.SHARDS.of(shards).read(config, Pass.inOrder(batchSize))) {
      ReaderBatch batch;
      while ((batch = reader.next()) != null) {
        rows.add(
            scorer.score(batch), batch.firstLabels(), batch.candidateOffsets(), reader.userKeys());
      }
    }
    return rows.finish();
  }

  private static float[] rank(Ranker ranker, List<Request> batch) {
    float[] scores = new float[batch.stream().mapToInt(r -> r.candidates().size()).sum()];
    int next = 0;
    for (Request request : batch) {
      int candidates = request.candidates().size();
      float[] all = ranker.rank(RankingRequest.of(request)).toArray();
      System.arraycopy(all, 0, scores, next, candidates);
      next += candidates;
    }
    return scores;
  }

  /**
   * Scores with any model.
   *
   * @param scorer returns probabilities of a batch, row-major [tasks, sum of C], candidates in
   *     request order; only the first task's are used, and later tasks may be left out
   * @throws IllegalArgumentException as above
   */
  public static Predictions predict(
      Function<List<Request>, float[]> scorer, RequestSource requests) {
    Rows rows = new Rows();
    try (Stream<Request> stream = requests.stream()) {
      Iterator<Request> all = stream.iterator();
      List<Request> batch = new ArrayList<>(BATCH);
      while (all.hasNext()) {
        batch.add(all.next());
        if (batch.size() == BATCH || !all.hasNext()) {
          rows.add(batch, scorer.apply(batch));
          batch.clear();
        }
      }
    }
    return rows.finish();
  }

  /** Growing columns. */
  private static final class Rows {
    private float[] scores = new float[1024];
    private float[] labels = new float[1024];
    private long[] users = new long[1024];
    private int size;

    void add(List<Request> batch, float[] batchScores) {
      int next = 0;
      for (Request request : batch) {
        if (!request.hasLabels()) {
          throw new IllegalArgumentException(
              "[evaluation] %s has no labels to compare with".formatted(request));
        }
        for (float label : request.labels(0)) {
          float score = batchScores[next++];
          if (!Float.isNaN(label)) {
            add(score, label, request.groupKey());
          }
        }
      }
    }

    void add(float[] batchScores, float[] batchLabels, long[] offsets, long[] userKeys) {
      for (int request = 0; request < userKeys.length; request++) {
        for (int i = (int) offsets[request]; i < offsets[request + 1]; i++) {
          if (!Float.isNaN(batchLabels[i])) {
            add(batchScores[i], batchLabels[i], userKeys[request]);
          }
        }
      }
    }

    private void add(float score, float label, long user) {
      if (size == scores.length) {
        scores = Arrays.copyOf(scores, 2 * size);
        labels = Arrays.copyOf(labels, 2 * size);
        users = Arrays.copyOf(users, 2 * size);
      }
      scores[size] = score;
      labels[size] = label;
      users[size++] = user;
    }

    Predictions finish() {
      return Predictions.of(
          Arrays.copyOf(scores, size), Arrays.copyOf(labels, size), Arrays.copyOf(users, size));
    }
  }
}
