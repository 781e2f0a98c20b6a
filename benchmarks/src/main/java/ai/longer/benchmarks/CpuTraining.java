package ai.longer.benchmarks;

import ai.longer.Flops;
import ai.longer.LongerConfig;
import ai.longer.benchmarks.TrainingSide.Measurement;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * Training on the CPU beside {@code TorchLonger}: users/s, scores/s, peak memory, share of the
 * matrix-product peak.
 *
 * <p>Arguments: folder for results, {@code longer_bench}, threads, alternating runs, seconds per
 * part. PyTorch first runs once with each core type and split of threads; its best setting takes
 * part in the comparison.
 */
final class CpuTraining {
  private static final int REQUESTS_PER_STEP = 32;
  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * How PyTorch runs.
   *
   * @param coreType kernels of OpenBLAS; empty = those it picks
   * @param threads of PyTorch
   * @param blasThreads of OpenBLAS
   */
  record Setting(String coreType, int threads, int blasThreads) {
    Map<String, String> environment() {
      Map<String, String> environment = new LinkedHashMap<>();
      environment.put("OPENBLAS_NUM_THREADS", Integer.toString(blasThreads));
      environment.put("OMP_NUM_THREADS", Integer.toString(threads));
      if (!coreType.isEmpty()) {
        environment.put("OPENBLAS_CORETYPE", coreType);
      }
      return environment;
    }
  }

  private CpuTraining() {}

  public static void main(String[] arguments) throws IOException, InterruptedException {
    Path folder = Path.of(arguments[0]);
    String bench = arguments[1];
    int threads = Integer.parseInt(arguments[2]);
    int runs = Integer.parseInt(arguments[3]);
    String seconds = arguments[4];

    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("threads", threads);
    figures.put("requests per step", REQUESTS_PER_STEP);
    Map<String, Measurement> sweep = new LinkedHashMap<>();
    Setting best = sweep(threads, seconds, sweep);
    figures.put("torch settings", sweep);
    figures.put("torch setting", best);

    List<Measurement> sdk = new ArrayList<>();
    List<Measurement> torch = new ArrayList<>();
    List<Double> peaks = new ArrayList<>();
    for (int run = 0; run < runs; run++) {
      peaks.add(matrixPeak(bench, threads));
      sdk.add(side("sdk", Map.of(), threads, seconds));
      torch.add(side("torch", best.environment(), best.threads(), seconds));
    }
    LongerConfig config = Workload.config(TrainingSide.HISTORY);
    Flops forward = Flops.forward(config, TrainingSide.HISTORY, TrainingSide.CANDIDATES);
    Statistics peak = Statistics.of(peaks.stream().mapToDouble(Double::doubleValue).toArray());
    figures.put("MFLOP per trained user", forward.trainingStep() / 1e6);
    figures.put("matrix-product peak, GFLOP/s", peak);
    figures.put("sdk", summary(sdk));
    figures.put("torch", summary(torch));

    double users = median(sdk, Measurement::usersPerSecond);
    List<Gate> gates =
        List.of(
            Gate.atLeast(
                "training: users/s of ours over TorchLonger's",
                users / median(torch, Measurement::usersPerSecond),
                4),
            Gate.atLeast(
                "scoring: scores/s of ours over TorchLonger's",
                median(sdk, Measurement::scoresPerSecond)
                    / median(torch, Measurement::scoresPerSecond),
                4),
            Gate.atLeast(
                "training: share of the matrix-product peak",
                users * forward.trainingStep() / (peak.median() * 1e9),
                0.2),
            Gate.atMost(
                "training: peak memory of ours over TorchLonger's",
                median(sdk, Measurement::peakBytes) / median(torch, Measurement::peakBytes),
                0.5));
    figures.put("gates", gates);
    Results.write(folder, "cpu-training", figures);
    System.exit(Gate.report(gates) ? 0 : 1);
  }

  private static Setting sweep(int threads, String seconds, Map<String, Measurement> measured)
      throws IOException, InterruptedException {
    List<Setting> settings =
        new ArrayList<>(List.of(new Setting("", 1, 1), new Setting("", threads, threads)));
    for (String coreType : coreTypes()) {
      settings.add(new Setting(coreType, threads, 1));
      settings.add(new Setting(coreType, 1, threads));
    }
    Setting best = settings.get(0);
    double most = 0;
    for (Setting setting : settings) {
      Measurement result = side("torch", setting.environment(), setting.threads(), seconds);
      measured.put(setting.toString(), result);
      if (result.usersPerSecond() > most) {
        most = result.usersPerSecond();
        best = setting;
      }
    }
    return best;
  }

  /**
   * OpenBLAS's kernels that this processor can run; another one's end in an illegal instruction.
   */
  private static List<String> coreTypes() throws IOException {
    String flags = Files.readString(Path.of("/proc/cpuinfo"));
    List<String> types = new ArrayList<>(List.of(""));
    if (flags.contains(" avx512vl")) {
      types.add("SkylakeX");
    }
    if (flags.contains(" avx2")) {
      types.addAll(List.of("Haswell", "Zen"));
    }
    return types;
  }

  private static Measurement side(
      String name, Map<String, String> environment, int threads, String seconds)
      throws IOException, InterruptedException {
    List<String> arguments =
        List.of(name, Integer.toString(threads), Integer.toString(REQUESTS_PER_STEP), seconds);
    String line = ChildJvm.run(TrainingSide.class, environment, arguments);
    Measurement measured = JSON.readValue(line, Measurement.class);
    System.out.printf(
        Locale.ROOT,
        "%-6s %-60s %8.1f users/s %9.1f scores/s %7.1f MiB%n",
        name,
        environment,
        measured.usersPerSecond(),
        measured.scoresPerSecond(),
        measured.peakBytes() / (1 << 20));
    return measured;
  }

  /** GFLOP/s of the best matrix product that {@code longer_bench} measures. */
  private static double matrixPeak(String bench, int threads)
      throws IOException, InterruptedException {
    Path json = Files.createTempFile("longer-bench", ".json");
    try {
      List<String> command =
          List.of(
              bench,
              "--threads",
              Integer.toString(threads),
              "--only",
              "linear",
              "--json",
              json.toString());
      Process process =
          new ProcessBuilder(command)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      if (process.waitFor() != 0) {
        throw new IOException(command + " failed");
      }
      double peak = 0;
      for (String line : Files.readAllLines(json)) {
        JsonNode row = JSON.readTree(line);
        peak = Math.max(peak, row.path("gflops").asDouble());
      }
      return peak;
    } finally {
      Files.delete(json);
    }
  }

  private static Map<String, Statistics> summary(List<Measurement> runs) {
    Map<String, Statistics> summary = new LinkedHashMap<>();
    summary.put("users/s", statistics(runs, Measurement::usersPerSecond));
    summary.put("scores/s", statistics(runs, Measurement::scoresPerSecond));
    summary.put("peak bytes", statistics(runs, Measurement::peakBytes));
    return summary;
  }

  private static double median(List<Measurement> runs, ToDoubleFunction<Measurement> figure) {
    return statistics(runs, figure).median();
  }

  private static Statistics statistics(
      List<Measurement> runs, ToDoubleFunction<Measurement> figure) {
    return Statistics.of(runs.stream().mapToDouble(figure).toArray());
  }
}
