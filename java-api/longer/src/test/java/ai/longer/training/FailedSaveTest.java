package ai.longer.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.longer.Device;
import ai.longer.LongerModel;
import ai.longer.support.OwnJvm;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Saves that cannot succeed leave the old folder whole and nothing beside it. */
@Timeout(300)
class FailedSaveTest {
  private static final String OK = "scenario passed";

  @TempDir Path folder;

  /** Saves over the checkpoint and the model in {@code args[0]}; both must fail and stay. */
  static final class Saving {
    public static void main(String[] args) throws IOException {
      Path parent = Path.of(args[0]);
      Path checkpoint = parent.resolve("checkpoint");
      Path model = parent.resolve("model");
      byte[] before = content(parent);
      try (Trainer trainer = Trainer.load(checkpoint, Device.cpu(1), LongTraining.options())) {
        trainer.resume(LongTraining.training());
        require("checkpoint", () -> trainer.save(checkpoint));
        try (LongerModel snapshot = trainer.model()) {
          require("model", () -> snapshot.save(model));
        }
      }
      if (!java.util.Arrays.equals(content(parent), before)) {
        throw new AssertionError("something changed");
      }
      LongerModel.load(model, Device.cpu(1)).close();
      Trainer.load(checkpoint, Device.cpu(1), LongTraining.options()).close();
      System.out.println(OK);
    }

    private static void require(String what, Runnable save) {
      try {
        save.run();
      } catch (UncheckedIOException e) {
        System.out.println(what + ": " + e.getMessage());
        return;
      }
      throw new AssertionError(what + " was saved");
    }

    /** Names and bytes of everything below a folder. */
    private static byte[] content(Path parent) throws IOException {
      java.io.ByteArrayOutputStream all = new java.io.ByteArrayOutputStream();
      try (Stream<Path> files = Files.walk(parent)) {
        for (Path path : files.sorted().toList()) {
          all.write(path.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8));
          if (Files.isRegularFile(path)) {
            all.write(Files.readAllBytes(path));
          }
        }
      }
      return all.toByteArray();
    }
  }

  /** A checkpoint in the middle of a run, and a model. */
  private void prepare(Path parent) {
    try (Trainer trainer =
        Trainer.create(LongTraining.CONFIG, Device.cpu(1), LongTraining.options())) {
      TrainingListener interrupt =
          new TrainingListener() {
            @Override
            public void onStep(StepResult result) {
              if (result.step() == 3) {
                Thread.currentThread().interrupt();
              }
            }
          };
      trainer.fit(LongTraining.training(), interrupt);
      assertThat(Thread.interrupted()).isTrue();
      trainer.save(parent.resolve("checkpoint"));
      try (LongerModel model = trainer.model()) {
        model.save(parent.resolve("model"));
      }
    }
  }

  @Test
  void filesOverTheProcessesLimit() throws Exception {
    prepare(folder);
    // 8 KiB: config.json fits, weights do not.
    assertPasses(folder, "File too large", "ulimit -f 8; exec \"$@\"");
  }

  @Test
  void aFolderThatIsReadOnly() throws Exception {
    prepare(folder);
    // A read-only mount stops root, too.
    assumeMounts();
    assertPasses(
        folder,
        "Read-only file system",
        "mount --bind '%1$s' '%1$s' && mount -o remount,ro,bind '%1$s' && exec \"$@\""
            .formatted(folder));
  }

  @Test
  void aDiskThatIsFull() throws Exception {
    Path source = Files.createDirectory(folder.resolve("source"));
    Path disk = Files.createDirectory(folder.resolve("disk"));
    prepare(source);
    assumeMounts();
    long bytes;
    try (Stream<Path> files = Files.walk(source)) {
      bytes = files.filter(Files::isRegularFile).mapToLong(path -> path.toFile().length()).sum();
    }
    // Room for what is there, block by block, and for a part of one save more.
    long kibibytes = bytes / 1024 + 14 * 4 + 24;
    assertPasses(
        disk,
        "No space left on device",
        "mount -t tmpfs -o size=%1$dk tmpfs '%3$s' && cp -r '%2$s'/. '%3$s' && exec \"$@\""
            .formatted(kibibytes, source, disk));
  }

  private static void assumeMounts() throws Exception {
    Process process = new ProcessBuilder("unshare", "-m", "true").redirectErrorStream(true).start();
    boolean works = process.waitFor(20, TimeUnit.SECONDS) && process.exitValue() == 0;
    assumeTrue(works, "this process may not mount: unshare -m fails");
  }

  /** Runs {@link Saving} in a JVM that the shell line {@code script} prepares and starts. */
  private void assertPasses(Path parent, String reason, String script) throws Exception {
    List<String> command = new ArrayList<>();
    if (script.startsWith("mount")) {
      command.addAll(List.of("unshare", "-m"));
    }
    command.addAll(List.of("bash", "-c", script, "bash"));
    // The JVM's own files of performance data would meet the limit first.
    command.addAll(
        OwnJvm.command(
            Saving.class,
            OwnJvm.classPath(),
            List.of("-Xmx256m", "-XX:-UsePerfData"),
            parent.toString()));
    Path output = Files.createTempFile("failed-save", ".txt");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertThat(process.waitFor(120, TimeUnit.SECONDS)).as("ended in time").isTrue();
      assertThat(Files.readString(output)).contains("checkpoint: ", "model: ", reason, OK);
      assertThat(process.exitValue()).isZero();
    } finally {
      process.destroyForcibly();
      Files.delete(output);
    }
  }
}
