package ai.longer.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * Runs {@link RankCall} with JMH's allocation profiler and checks its promises. Argument: folder
 * for results.
 */
final class RankCalls {
  /**
   * JMH divides the bytes of its own bookkeeping by the calls: what stays below one byte a call is
   * not ours.
   */
  private static final double NO_BYTES = 1.0;

  private RankCalls() {}

  /**
   * One benchmark.
   *
   * @param nanoseconds mean time of a call
   * @param error half of its 99.9 % interval
   * @param allocatedBytes by a call, on the Java heap
   */
  record Call(double nanoseconds, double error, double allocatedBytes) {}

  public static void main(String[] arguments) throws IOException, RunnerException {
    Collection<RunResult> runs =
        new Runner(
                new OptionsBuilder()
                    .include(RankCall.class.getName())
                    .addProfiler(GCProfiler.class)
                    .jvmArgsAppend("-Xmx512m")
                    .build())
            .run();
    Map<String, Call> calls = new LinkedHashMap<>();
    for (RunResult run : runs) {
      Result<?> time = run.getPrimaryResult();
      double bytes = run.getSecondaryResults().get("gc.alloc.rate.norm").getScore();
      calls.put(time.getLabel(), new Call(time.getScore(), time.getScoreError(), bytes));
    }
    List<Gate> gates = new ArrayList<>();
    calls.forEach(
        (name, call) ->
            gates.add(Gate.atMost(name + ": bytes per call", call.allocatedBytes(), NO_BYTES)));
    gates.add(
        Gate.atMost(
            "zero candidates: ns per call", calls.get("zeroCandidates").nanoseconds(), 300));
    Results.write(Path.of(arguments[0]), "rank-calls", Map.of("calls", calls, "gates", gates));
    System.exit(Gate.report(gates) ? 0 : 1);
  }
}
