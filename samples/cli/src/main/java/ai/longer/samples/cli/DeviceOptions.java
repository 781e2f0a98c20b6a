package ai.longer.samples.cli;

import ai.longer.Device;
import picocli.CommandLine.Option;

/** Where a model computes. */
final class DeviceOptions {
  @Option(
      names = "--device",
      description = "One of ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Device.Kind kind = Device.Kind.BEST;

  @Option(names = "--threads", description = "CPU threads (default: all processors).")
  private int threads;

  Device device() {
    return new Device(kind, 0, threads);
  }
}
