package ai.longer.benchmarks;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
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

  private static final int COUNTED_CALLS = 200;

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
      double bytes = found(run.getSecondaryResults(), "gc.alloc.rate.norm").getScore();
      calls.put(time.getLabel(), new Call(time.getScore(), time.getScoreError(), bytes));
    }
    List<Gate> gates = new ArrayList<>();
    RankCall state = new RankCall();
    gates.add(noAllocation("zero candidates", state::zeroCandidates));
    gates.add(noAllocation("cache hit", state::cacheHit));
    gates.add(noAllocation("encode and score", state::encodeAndScore));
    state.close();
    gates.add(
        Gate.atMost(
            "zero candidates: bytes per call by JMH",
            found(calls, "zeroCandidates").allocatedBytes(),
            NO_BYTES));
    gates.add(
        Gate.atMost(
            "zero candidates: ns per call", found(calls, "zeroCandidates").nanoseconds(), 300));
    Results.write(Path.of(arguments[0]), "rank-calls", Map.of("calls", calls, "gates", gates));
    System.exit(Gate.report(gates) ? 0 : 1);
  }

  /** Counts exactly: JMH's figure for long calls is the bytes of its own bookkeeping. */
  private static Gate noAllocation(String name, Runnable call) {
    ThreadMXBean threads = ManagementFactory.getPlatformMXBean(ThreadMXBean.class);
    for (int i = 0; i < COUNTED_CALLS; i++) {
      call.run();
    }
    long before = threads.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < COUNTED_CALLS; i++) {
      call.run();
    }
    double bytes = threads.getCurrentThreadAllocatedBytes() - before;
    return Gate.atMost(name + ": bytes allocated by " + COUNTED_CALLS + " calls", bytes, 0);
  }

  private static <V> V found(Map<String, V> map, String name) {
    return Objects.requireNonNull(map.get(name), () -> "JMH reported no " + name);
  }
}
