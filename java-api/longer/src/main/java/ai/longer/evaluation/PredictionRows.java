package ai.longer.evaluation;

import ai.longer.data.History;
import ai.longer.data.Request;
import ai.longer.internal.ReaderBatch;
import java.util.Arrays;
import java.util.List;

/** Collects the predictions of one task in growing columns. Not thread-safe. */
final class PredictionRows {
  private final int task;
  private float[] scores = new float[1024];
  private float[] labels = new float[1024];
  private long[] users = new long[1024];
  private long[] lengths = new long[1024];
  private int size;

  PredictionRows(int task) {
    this.task = task;
  }

  /** {@code batchScores}: [tasks, sum of C]. */
  void add(List<Request> batch, float[] batchScores) {
    int next = task * batch.stream().mapToInt(request -> request.candidates().size()).sum();
    for (Request request : batch) {
      if (!request.hasLabels()) {
        throw new IllegalArgumentException(
            "[evaluation] %s has no labels to compare with".formatted(request));
      }
      History history = request.history();
      for (float label : request.labels(task)) {
        add(
            batchScores[next++],
            label,
            request.groupKey(),
            history.firstOrdinal() + history.size());
      }
    }
  }

  /** {@code batchScores}: [tasks, sum of C]; {@code userKeys}: [B]. */
  void add(ReaderBatch batch, float[] batchScores, long[] userKeys) {
    float[] batchLabels = batch.labels(task);
    long[] offsets = batch.candidateOffsets();
    long[] batchLengths = batch.historyLengths();
    for (int request = 0; request < userKeys.length; request++) {
      for (int i = (int) offsets[request]; i < offsets[request + 1]; i++) {
        add(
            batchScores[task * batchLabels.length + i],
            batchLabels[i],
            userKeys[request],
            batchLengths[request]);
      }
    }
  }

  private void add(float score, float label, long user, long length) {
    if (Float.isNaN(label)) {
      return;
    }
    if (size == scores.length) {
      int larger = Math.addExact(size, size);
      scores = Arrays.copyOf(scores, larger);
      labels = Arrays.copyOf(labels, larger);
      users = Arrays.copyOf(users, larger);
      lengths = Arrays.copyOf(lengths, larger);
    }
    scores[size] = score;
    labels[size] = label;
    users[size] = user;
    lengths[size++] = length;
  }

  boolean isEmpty() {
    return size == 0;
  }

  Predictions finish() {
    return Predictions.of(
        Arrays.copyOf(scores, size),
        Arrays.copyOf(labels, size),
        Arrays.copyOf(users, size),
        Arrays.copyOf(lengths, size));
  }
}
