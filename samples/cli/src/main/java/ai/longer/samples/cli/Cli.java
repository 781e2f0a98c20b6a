package ai.longer.samples.cli;

import ai.longer.CorruptDataException;
import ai.longer.DeviceException;
import java.io.FileNotFoundException;
import java.io.OutputStreamWriter;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.util.concurrent.CancellationException;
import picocli.AutoComplete.GenerateCompletion;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ParameterException;

/**
 * {@code longer}: the commands and what their exit codes mean.
 *
 * <p>Results go to standard output, progress and errors to standard error.
 */
@Command(
    name = "longer",
    mixinStandardHelpOptions = true,
    version = "longer 0.1.0",
    sortOptions = false,
    description = "Trains and serves LONGER, the long-sequence recommender.",
    subcommands = {
      PrepareCommand.class,
      TrainCommand.class,
      EvaluateCommand.class,
      RankCommand.class,
      ExplainCommand.class,
      InspectCommand.class,
      DoctorCommand.class,
      GenerateCompletion.class
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:done",
      "1:an error of the program or the machine",
      "2:the command line is wrong",
      "3:a file or its content is wrong",
      "4:the device is missing, lost or out of memory",
      "130:interrupted; a training run has saved its checkpoint",
      "141:standard output was closed before the end"
    })
public final class Cli {
  static final int FAILED = 1;
  static final int USAGE = 2;
  static final int BAD_INPUT = 3;
  static final int BAD_DEVICE = 4;
  static final int INTERRUPTED = 130;
  static final int OUTPUT_CLOSED = 141;

  private Cli() {}

  /** Runs a command and ends the process with its exit code. */
  public static void main(String[] arguments) {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    PrintStream err = new PrintStream(System.err, true, StandardCharsets.UTF_8);
    System.exit(run(out, err, arguments));
  }

  /** Runs a command and returns its exit code. */
  static int run(PrintStream out, PrintStream err, String... arguments) {
    CommandLine line = new CommandLine(new Cli(), new Commands(new Console(out, err)));
    line.setOut(writer(out));
    line.setErr(writer(err));
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setParameterExceptionHandler(Cli::reportUsage);
    line.setExecutionExceptionHandler(
        (error, command, parsed) -> {
          if (error instanceof Console.OutputClosedException) {
            return OUTPUT_CLOSED;
          }
          err.println("longer " + command.getCommandName() + ": " + message(error));
          return exitCode(error);
        });
    if (arguments.length == 0) {
      line.usage(err);
      return USAGE;
    }
    return line.execute(arguments);
  }

  private static PrintWriter writer(PrintStream stream) {
    return new PrintWriter(new OutputStreamWriter(stream, StandardCharsets.UTF_8), true);
  }

  private static int reportUsage(ParameterException error, String[] arguments) {
    CommandLine command = error.getCommandLine();
    command.getErr().println("longer: " + error.getMessage());
    command.getErr().println("Try: " + command.getCommandSpec().qualifiedName() + " --help");
    return USAGE;
  }

  private static int exitCode(Exception error) {
    if (error instanceof CancellationException) {
      return INTERRUPTED;
    }
    if (error instanceof DeviceException || error instanceof UnsupportedOperationException) {
      return BAD_DEVICE;
    }
    boolean isInput =
        error instanceof IllegalArgumentException
            || error instanceof CorruptDataException
            || error instanceof UncheckedIOException
            || error instanceof java.io.IOException;
    return isInput ? BAD_INPUT : FAILED;
  }

  private static String message(Exception error) {
    Throwable cause = error instanceof UncheckedIOException ? error.getCause() : error;
    if (cause instanceof NoSuchFileException || cause instanceof FileNotFoundException) {
      return "no such file: " + cause.getMessage();
    }
    String text = error.getMessage();
    return text != null ? text : error.toString();
  }
}
