package ai.longer.samples.cli;

import ai.longer.LongerModel;
import ai.longer.Schema;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** A model, the requests it gets, and what is shown of each. */
final class RequestOptions {
  @Option(names = "--model", required = true, paramLabel = "FOLDER", description = "Model folder.")
  private Path model = Path.of(".");

  @Option(
      names = "--request",
      required = true,
      paramLabel = "FILE",
      description = "File of one or more requests in JSON; - for standard input.")
  private Path requests = Path.of(".");

  @Option(
      names = "--task",
      paramLabel = "NAME",
      description = "Task that ranks, by name (default: the first).")
  private @Nullable String task;

  @Option(
      names = "--top",
      paramLabel = "N",
      description = "Rows shown (default: ${DEFAULT-VALUE}).")
  private int top = 10;

  @Option(names = "--json", description = "Print one JSON object per request, each on one line.")
  private boolean json;

  @Mixin private DeviceOptions device = new DeviceOptions();

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command = CommandSpec.create();

  LongerModel load() {
    return LongerModel.load(model, device.device());
  }

  RequestReader open(Schema schema) {
    return RequestReader.open(requests, schema);
  }

  boolean isJson() {
    return json;
  }

  int top() {
    return atLeast(0, "--top", top);
  }

  /** The index of the task that ranks. */
  int task(Schema schema) {
    List<String> names = schema.tasks().stream().map(Schema.Task::name).toList();
    int index = task == null ? 0 : names.indexOf(task);
    if (index < 0) {
      throw usage("--task must be one of %s; got %s".formatted(names, task));
    }
    return index;
  }

  int atLeast(int least, String option, int value) {
    if (value < least) {
      throw usage("%s must be at least %d; got %d".formatted(option, least, value));
    }
    return value;
  }

  ParameterException usage(String problem) {
    return new ParameterException(command.commandLine(), problem);
  }
}
