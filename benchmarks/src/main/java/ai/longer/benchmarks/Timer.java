package ai.longer.benchmarks;

import java.util.Arrays;

/** Times a short piece of work. */
final class Timer {
  private static final int SAMPLES = 30;

  private Timer() {}

  /**
   * Median seconds of a call over 30 samples, each of calls that take {@code sampleSeconds}
   * together.
   */
  static double medianSeconds(double sampleSeconds, Runnable work) {
    long start = System.nanoTime();
    long calls = 0;
    while (System.nanoTime() - start < 10 * sampleSeconds * 1e9) {
      work.run();
      calls++;
    }
    double once = (System.nanoTime() - start) / 1e9 / calls;
    int callsPerSample = (int) Math.max(1, Math.round(sampleSeconds / once));
    double[] seconds = new double[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) {
      long begin = System.nanoTime();
      for (int call = 0; call < callsPerSample; call++) {
        work.run();
      }
      seconds[i] = (System.nanoTime() - begin) / 1e9 / callsPerSample;
    }
    Arrays.sort(seconds);
    return (seconds[SAMPLES / 2 - 1] + seconds[SAMPLES / 2]) / 2;
  }
}
