package ai.longer.samples.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

class InterruptTest {
  @TempDir private Path folder;

  @Test
  @Timeout(60)
  void interruptedWhileItWaitsForRequestsItEndsWithoutAWord() throws Exception {
    Process process = start("rank", "--model", TestModel.save(folder).toString(), "--request", "-");
    try (OutputStream requests = process.getOutputStream();
        BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
      requests.write(TestModel.JSON.getBytes(StandardCharsets.UTF_8));
      requests.flush();
      assertTrue(out.readLine().startsWith("request 1"), "answered before more requests come");
      interrupt(process);
      assertTrue(process.waitFor(30, TimeUnit.SECONDS));
    }
    assertEquals(Cli.INTERRUPTED, process.exitValue());
    assertEquals("", new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8));
  }

  /** Draws of users take far longer than the wait here; what is half done leaves nothing behind. */
  @Test
  @Timeout(60)
  void anInterruptedEvaluationLeavesNoPage() throws Exception {
    String data =
        EvaluateCommandTest.write(folder.resolve("test.shards"), EvaluateCommandTest.requests());
    Path page = folder.resolve("page.html");
    Process process =
        start(
            "evaluate",
            "--model",
            TestModel.save(folder.resolve("model")).toString(),
            "--data",
            data,
            "--report",
            page.toString(),
            "--replicates",
            "20000000");
    try (BufferedReader err = process.errorReader(StandardCharsets.UTF_8)) {
      assertTrue(err.readLine().startsWith("evaluation 100 %"));
      interrupt(process);
      assertTrue(process.waitFor(30, TimeUnit.SECONDS));
    }
    assertEquals(Cli.INTERRUPTED, process.exitValue());
    assertFalse(Files.exists(page));
  }

  private static void interrupt(Process process) throws Exception {
    new ProcessBuilder("kill", "-INT", Long.toString(process.pid())).start().waitFor();
  }

  /** In a process that heeds SIGINT even where this one was started to ignore it. */
  private static Process start(String... arguments) throws IOException {
    ProcessBuilder builder = new ProcessBuilder("env", "--default-signal=INT");
    builder.command().add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    builder.command().add("-cp");
    builder.command().add(System.getProperty("java.class.path"));
    builder.command().add(Cli.class.getName());
    builder.command().addAll(List.of(arguments));
    return builder.start();
  }
}
