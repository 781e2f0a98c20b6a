package ai.longer.samples.cli;

import ai.longer.Doctor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** What this machine can run. */
@Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    description = "Reports versions, natives, processor, driver and memory.")
final class DoctorCommand implements Callable<Integer> {
  private final Console console;

  @Mixin private OutputOptions output = new OutputOptions();

  DoctorCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    String report = Doctor.report();
    if (output.json) {
      Map<String, String> lines = new LinkedHashMap<>();
      report
          .lines()
          .filter(line -> line.contains(": "))
          .forEach(
              line -> {
                int colon = line.indexOf(": ");
                lines.put(line.substring(0, colon).strip(), line.substring(colon + 2).strip());
              });
      console.json(lines);
    } else {
      console.print(report.stripTrailing());
    }
    return Doctor.isHealthy() ? 0 : Cli.FAILED;
  }
}
