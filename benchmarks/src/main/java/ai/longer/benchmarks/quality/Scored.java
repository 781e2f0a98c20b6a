package ai.longer.benchmarks.quality;

import ai.longer.data.Request;
import ai.longer.evaluation.Predictions;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/**
 * The scores of one training on the test rows, with what comparing them needs, as a file.
 *
 * @param predictions one row for each labelled candidate
 * @param events length of the full history that each row's request had [rows]
 */
record Scored(Predictions predictions, int[] events) {

  /** Lengths of the histories of {@code requests}, one for each labelled candidate. */
  static int[] events(List<Request> requests) {
    return requests.stream()
        .flatMapToInt(
            request -> {
              int labelled = 0;
              for (float label : request.labels(0)) {
                labelled += Float.isNaN(label) ? 0 : 1;
              }
              return java.util.stream.IntStream.generate(request.history()::size).limit(labelled);
            })
        .toArray();
  }

  /**
   * What two trainings must share to be compared: labels, users and history lengths of the rows.
   */
  String fingerprint() {
    CRC32 sum = new CRC32();
    float[] labels = predictions.labels();
    long[] users = predictions.users();
    for (int i = 0; i < labels.length; i++) {
      sum.update(labels[i] == 1 ? 1 : 0);
      for (long value : new long[] {users[i], events[i]}) {
        for (int shift = 0; shift < 64; shift += 8) {
          sum.update((int) (value >>> shift));
        }
      }
    }
    return "%d-%08x".formatted(labels.length, sum.getValue());
  }

  void write(Path file) {
    try {
      Path unfinished = file.resolveSibling(file.getFileName() + ".tmp");
      try (DataOutputStream out =
          new DataOutputStream(
              new BufferedOutputStream(new GZIPOutputStream(Files.newOutputStream(unfinished))))) {
        float[] scores = predictions.scores();
        float[] labels = predictions.labels();
        long[] users = predictions.users();
        out.writeInt(scores.length);
        for (int i = 0; i < scores.length; i++) {
          out.writeFloat(scores[i]);
          out.writeFloat(labels[i]);
          out.writeLong(users[i]);
          out.writeInt(events[i]);
        }
      }
      Files.move(unfinished, file, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException("[results] cannot write " + file, e);
    }
  }

  static Scored read(Path file) {
    try (DataInputStream in =
        new DataInputStream(
            new BufferedInputStream(new GZIPInputStream(Files.newInputStream(file))))) {
      int rows = in.readInt();
      float[] scores = new float[rows];
      float[] labels = new float[rows];
      long[] users = new long[rows];
      int[] events = new int[rows];
      for (int i = 0; i < rows; i++) {
        scores[i] = in.readFloat();
        labels[i] = in.readFloat();
        users[i] = in.readLong();
        events[i] = in.readInt();
      }
      return new Scored(Predictions.of(scores, labels, users), events);
    } catch (IOException e) {
      throw new UncheckedIOException("[results] cannot read " + file, e);
    }
  }
}
