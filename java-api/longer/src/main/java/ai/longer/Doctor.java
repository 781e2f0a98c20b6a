package ai.longer;

import ai.longer.internal.DoctorReport;

/**
 * Reports what this process can run: version, platform, native libraries, processor, memory.
 *
 * <p>Safe for use by several threads.
 */
public final class Doctor {
  private Doctor() {}

  /** Prints {@link #report} and exits with status 0 if the native library loads, else 1. */
  public static void main(String[] args) {
    System.out.print(report());
    System.exit(isHealthy() ? 0 : 1);
  }

  /** Returns whether the native library of this version loads. Never throws. */
  public static boolean isHealthy() {
    return DoctorReport.isHealthy();
  }

  /** Returns the report, one {@code key: value} a line. Never throws. */
  public static String report() {
    return DoctorReport.text();
  }
}
