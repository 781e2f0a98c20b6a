package ai.longer.benchmarks;

import ai.longer.Device;
import ai.longer.LongerConfig;
import ai.longer.data.Request;
import ai.longer.torch.Precision;
import ai.longer.torch.TorchLonger;
import ai.longer.training.Trainer;
import ai.longer.training.TrainerOptions;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.bytedeco.pytorch.global.torch;

/**
 * One side of the training comparison in a JVM of its own: trains, then scores, and prints a {@link
 * Measurement} as JSON.
 *
 * <p>Arguments: {@code sdk} or {@code torch}, threads, requests per step, seconds per part.
 */
final class TrainingSide {
  static final int HISTORY = 1000;
  static final int CANDIDATES = 8;
  private static final int NUM_BATCHES = 4;

  /**
   * What a side did.
   *
   * @param usersPerSecond requests trained on
   * @param scoresPerSecond candidates scored, every history encoded
   * @param peakBytes greatest resident memory of the process
   * @param loss after the last step, to show that it trained
   */
  record Measurement(
      double usersPerSecond, double scoresPerSecond, double peakBytes, double loss) {}

  private TrainingSide() {}

  public static void main(String[] arguments) throws IOException {
    int threads = Integer.parseInt(arguments[1]);
    int requestsPerStep = Integer.parseInt(arguments[2]);
    double seconds = Double.parseDouble(arguments[3]);
    LongerConfig config = Workload.config(HISTORY);
    Workload workload = new Workload(config.schema(), 1);
    List<List<Request>> batches = new ArrayList<>();
    for (int i = 0; i < NUM_BATCHES; i++) {
      batches.add(workload.requests(requestsPerStep, HISTORY, CANDIDATES));
    }
    TrainerOptions options = TrainerOptions.builder().seed(1).build();
    Measurement measured =
        arguments[0].equals("sdk")
            ? sdk(config, options, threads, batches, seconds)
            : torch(config, options, threads, batches, seconds);
    System.out.println(new ObjectMapper().writeValueAsString(measured));
  }

  private static Measurement sdk(
      LongerConfig config,
      TrainerOptions options,
      int threads,
      List<List<Request>> batches,
      double seconds)
      throws IOException {
    try (Trainer trainer = Trainer.create(config, Device.cpu(threads), options)) {
      double[] loss = new double[1];
      double users = rate(batches, seconds, batch -> loss[0] = trainer.step(batch).loss());
      double scored = rate(batches, seconds, trainer::predict);
      return new Measurement(users, CANDIDATES * scored, peakBytes(), loss[0]);
    }
  }

  private static Measurement torch(
      LongerConfig config,
      TrainerOptions options,
      int threads,
      List<List<Request>> batches,
      double seconds)
      throws IOException {
    torch.set_num_threads(threads);
    try (TorchLonger model = TorchLonger.create(config, options, Precision.FLOAT)) {
      double[] loss = new double[1];
      double users = rate(batches, seconds, batch -> loss[0] = model.step(batch));
      double scored = rate(batches, seconds, model::logits);
      return new Measurement(users, CANDIDATES * scored, peakBytes(), loss[0]);
    }
  }

  /** Requests per second over at least {@code seconds}, after every batch ran once. */
  private static double rate(
      List<List<Request>> batches, double seconds, Consumer<List<Request>> work) {
    batches.forEach(work);
    long requests = 0;
    long start = System.nanoTime();
    double elapsed = 0;
    for (int i = 0; elapsed < seconds; i++) {
      List<Request> batch = batches.get(i % batches.size());
      work.accept(batch);
      requests += batch.size();
      elapsed = (System.nanoTime() - start) / 1e9;
    }
    return requests / elapsed;
  }

  /** The kernel's high-water mark of this process's resident memory. */
  private static double peakBytes() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmHWM:")) {
        return 1024 * Double.parseDouble(line.replaceAll("\\D", ""));
      }
    }
    throw new IOException("/proc/self/status names no VmHWM");
  }
}
