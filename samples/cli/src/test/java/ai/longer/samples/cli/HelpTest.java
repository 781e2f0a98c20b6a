package ai.longer.samples.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine.Command;

class HelpTest {
  private static final int TERMINAL_WIDTH = 80;

  private static Stream<String> commands() {
    return Arrays.stream(Cli.class.getAnnotation(Command.class).subcommands())
        .map(type -> type.getAnnotation(Command.class).name());
  }

  @ParameterizedTest
  @MethodSource("commands")
  void helpFitsATerminalAndIsWellFormed(String command) {
    PrintStream before = System.err;
    ByteArrayOutputStream warnings = new ByteArrayOutputStream();
    System.setErr(new PrintStream(warnings, true, StandardCharsets.UTF_8));
    Ran ran;
    try {
      ran = Ran.command(command, "--help");
    } finally {
      System.setErr(before);
    }
    assertEquals(0, ran.exitCode());
    assertEquals("", warnings.toString(StandardCharsets.UTF_8));
    assertTrue(ran.out().startsWith("Usage: longer " + command), ran.out());
    assertEquals("", ran.err());
    ran.out()
        .lines()
        .forEach(line -> assertTrue(line.length() <= TERMINAL_WIDTH, () -> command + ": " + line));
  }

  @Test
  void theListNamesEveryCommandAndSoDoesTheCompletion() {
    Ran list = Ran.command("--help");
    Ran completion = Ran.command("generate-completion");
    assertEquals(0, completion.exitCode());
    assertEquals("", completion.err());
    commands()
        .forEach(
            command -> {
              assertTrue(list.out().contains("\n  " + command + " "), list.out());
              assertTrue(completion.out().contains(command), command);
            });
  }
}
