package ai.longer.support;

import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Command lines of JVMs beside the one that runs the tests. */
public final class OwnJvm {
  private OwnJvm() {}

  /** Returns the class path of the tests. */
  public static List<String> classPath() {
    return Arrays.asList(System.getProperty("java.class.path").split(File.pathSeparator));
  }

  /** Returns the command that runs {@code main} on {@code classPath} with JVM options. */
  public static List<String> command(
      Class<?> main, List<String> classPath, List<String> options, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.addAll(List.of("-cp", String.join(File.pathSeparator, classPath), main.getName()));
    command.addAll(List.of(arguments));
    return command;
  }
}
