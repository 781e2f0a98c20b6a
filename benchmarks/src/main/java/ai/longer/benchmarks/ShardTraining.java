package ai.longer.benchmarks;

import ai.longer.Device;
import ai.longer.LongerConfig;
import ai.longer.data.RequestSource;
import ai.longer.data.Shards;
import ai.longer.training.EpochResult;
import ai.longer.training.StepResult;
import ai.longer.training.Trainer;
import ai.longer.training.TrainerOptions;
import ai.longer.training.TrainingListener;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * {@link Trainer#fit} over warm shards beside the same loop in C++: requests/s of the passes after
 * the first. Both make the same steps, which their last loss shows.
 *
 * <p>Arguments: folder for results, {@code longer_shard_training}, threads, alternating runs.
 */
final class ShardTraining {
  private static final int REQUESTS = 512;
  private static final int HISTORY = 200;
  private static final int CANDIDATES = 8;
  private static final int BATCH = 32;
  private static final int EPOCHS = 6;

  /** What one side did. */
  record Measurement(double requestsPerSecond, double loss) {}

  private ShardTraining() {}

  public static void main(String[] arguments) throws IOException, InterruptedException {
    String program = arguments[1];
    int threads = Integer.parseInt(arguments[2]);
    int runs = Integer.parseInt(arguments[3]);
    LongerConfig config = Workload.config(HISTORY);
    Path folder = Files.createTempDirectory("shard-training");
    List<Double> java = new ArrayList<>();
    List<Double> plain = new ArrayList<>();
    boolean isSameLoss = true;
    try {
      Path shards = folder.resolve("data.shards");
      Path configFile = folder.resolve("config.json");
      Files.writeString(configFile, config.toJson());
      Shards.write(
          shards,
          config.schema(),
          RequestSource.of(
              new Workload(config.schema(), 1).requests(REQUESTS, HISTORY, CANDIDATES)));
      for (int run = 0; run < runs; run++) {
        Measurement ours = fit(shards, config, threads);
        Measurement cpp = loop(program, shards, configFile, threads);
        System.out.printf(
            Locale.ROOT,
            "Trainer.fit %.1f requests/s, C++ %.1f requests/s%n",
            ours.requestsPerSecond(),
            cpp.requestsPerSecond());
        java.add(ours.requestsPerSecond());
        plain.add(cpp.requestsPerSecond());
        isSameLoss &= ours.loss() == cpp.loss();
      }
    } finally {
      delete(folder);
    }
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("threads", threads);
    figures.put("requests per step", BATCH);
    figures.put("events of a history", HISTORY);
    figures.put("Trainer.fit, requests/s", statistics(java));
    figures.put("C++, requests/s", statistics(plain));
    List<Gate> gates =
        List.of(
            Gate.atLeast(
                "Trainer.fit over shards: requests/s over the loop's in C++",
                statistics(java).median() / statistics(plain).median(),
                0.95),
            Gate.atLeast("the last losses have the same bits", isSameLoss ? 1 : 0, 1));
    figures.put("gates", gates);
    Results.write(Path.of(arguments[0]), "shard-training", figures);
    System.exit(Gate.report(gates) ? 0 : 1);
  }

  private static Statistics statistics(List<Double> values) {
    return Statistics.of(values.stream().mapToDouble(Double::doubleValue).toArray());
  }

  private static Measurement fit(Path path, LongerConfig config, int threads) {
    TrainerOptions options =
        TrainerOptions.builder().seed(1).batchSize(BATCH).epochs(EPOCHS).build();
    List<Double> rates = new ArrayList<>();
    double[] loss = new double[1];
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void onStep(StepResult result) {
            loss[0] = result.loss();
          }

          @Override
          public void onEpoch(EpochResult result) {
            rates.add(result.numRequests() / result.seconds());
          }
        };
    try (Shards shards = Shards.openUnverified(path);
        Trainer trainer = Trainer.create(config, Device.cpu(threads), options)) {
      trainer.fit(shards, listener);
    }
    List<Double> warm = rates.subList(1, rates.size()).stream().sorted().toList();
    return new Measurement(warm.get(warm.size() / 2), loss[0]);
  }

  private static Measurement loop(String program, Path shards, Path config, int threads)
      throws IOException, InterruptedException {
    List<String> command =
        List.of(
            program,
            shards.toString(),
            config.toString(),
            Integer.toString(threads),
            Integer.toString(BATCH),
            Integer.toString(EPOCHS));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String line =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    if (process.waitFor() != 0) {
      throw new IOException(command + " failed");
    }
    return new ObjectMapper().readValue(line, Measurement.class);
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
