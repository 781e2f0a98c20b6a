package ai.longer.samples.cli;

import ai.longer.Device;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Where a model computes. */
final class DeviceOptions {
  @Option(
      names = "--device",
      paramLabel = "KIND",
      description = "One of ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Device.Kind kind = Device.Kind.BEST;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "CPU threads (default: all processors).")
  private int threads;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command = CommandSpec.create();

  Device device() {
    if (threads < 0) {
      throw new ParameterException(
          command.commandLine(), "--threads must not be negative; got " + threads);
    }
    return new Device(kind, 0, threads);
  }
}
