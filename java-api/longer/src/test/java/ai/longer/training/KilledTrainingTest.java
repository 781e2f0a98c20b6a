package ai.longer.training;

import static org.assertj.core.api.Assertions.assertThat;

import ai.longer.Device;
import ai.longer.data.Dataset;
import ai.longer.data.Shards;
import ai.longer.support.OwnJvm;
import ai.longer.support.Records;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Training JVMs killed with SIGKILL at drawn points, over steps and inside saves, and started
 * again: they end with the bits of one that nobody killed. {@code -Dlonger.kills} says how many, 5
 * by default; {@link Records} keep what happened.
 */
class KilledTrainingTest {
  private static final int KILLS = Integer.getInteger("longer.kills", 5);
  private static final String TEMPORARY = ".checkpoint.tmp-";

  @TempDir Path folder;

  private final SplittableRandom random = new SplittableRandom(seed());
  private final TreeMap<Integer, Integer> killedAfterFiles = new TreeMap<>();
  private int kills;
  private int killsInSave;
  private int runs;
  private Dataset training = LongTraining.training();
  private List<String> shards = List.of();

  private static long seed() {
    return Long.getLong("longer.test.seed", 1L);
  }

  @Test
  @Timeout(1800)
  void runsOverASourceKilledAnywhereEndWithTheSameBits() throws Exception {
    killAndCompare("source");
  }

  @Test
  @Timeout(1800)
  void runsOverShardsKilledAnywhereEndWithTheSameBits() throws Exception {
    Path path = folder.resolve("training.shards");
    Shards.write(path, LongTraining.CONFIG.schema(), LongTraining.training());
    shards = List.of(path.toString());
    try (Shards opened = Shards.open(path)) {
      training = opened;
      killAndCompare("shards");
    }
  }

  private void killAndCompare(String data) throws Exception {
    Path whole = Files.createDirectory(folder.resolve("whole"));
    assertThat(train(whole.resolve("checkpoint"), false)).isTrue();
    while (kills < KILLS) {
      Path run = Files.createDirectory(folder.resolve("run-" + runs++));
      Path checkpoint = run.resolve("checkpoint");
      while (!train(checkpoint, kills < KILLS)) {
        kills++;
        if (deleteTemporaries(run) > 0) {
          killsInSave++;
        }
      }
      assertSameEnd(checkpoint, whole.resolve("checkpoint"));
    }
    // Half of the points are drawn inside saves, so among a few kills there is one.
    assertThat(killsInSave).as("kills inside a save, seed " + seed()).isPositive();
    record(data);
  }

  private void assertSameEnd(Path checkpoint, Path whole) throws IOException {
    ResumeTest.assertSameBits(checkpoint, whole);
    // Resuming a complete run tells its figures.
    ResumeTest.assertSameRun(figures(checkpoint), figures(whole));
    Path best = best(whole);
    for (String name : List.of("dense.safetensors", "tables.safetensors")) {
      assertThat(Files.mismatch(best(checkpoint).resolve(name), best.resolve(name))).isEqualTo(-1);
    }
  }

  private TrainingResult figures(Path checkpoint) {
    try (Trainer trainer = Trainer.load(checkpoint, Device.cpu(1), LongTraining.options())) {
      return trainer.resume(training, LongTraining.validation());
    }
  }

  /**
   * The best weights that the checkpoint itself names lie in the folder with the highest number.
   */
  private static Path best(Path checkpoint) throws IOException {
    try (Stream<Path> siblings = Files.list(checkpoint.resolveSibling("."))) {
      return siblings
          .filter(path -> path.getFileName().toString().startsWith("checkpoint.best-"))
          .max(Comparator.naturalOrder())
          .orElseThrow();
    }
  }

  /** Runs a training JVM; returns whether it came to its end before a drawn point. */
  private boolean train(Path checkpoint, boolean isKilled) throws Exception {
    File errors = folder.resolve("errors.txt").toFile();
    List<String> arguments = new ArrayList<>(List.of(checkpoint.toString()));
    arguments.addAll(shards);
    Process process =
        new ProcessBuilder(
                OwnJvm.command(
                    LongTraining.class,
                    OwnJvm.classPath(),
                    List.of("-Xmx256m", "-XX:TieredStopAtLevel=1"),
                    arguments.toArray(new String[0])))
            .redirectError(errors)
            .start();
    try (BufferedReader output = process.inputReader()) {
      int stepsToLive = isKilled ? 1 + random.nextInt(6) : Integer.MAX_VALUE;
      int filesToLive = random.nextBoolean() ? random.nextInt(8) : -1;
      String last = "";
      for (String line = output.readLine(); line != null; line = output.readLine()) {
        last = line;
        if (line.startsWith("step ") && --stepsToLive == 0) {
          waitForPoint(process, checkpoint.resolveSibling("."), filesToLive);
          process.destroyForcibly();
          break; // its output is closed
        }
      }
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      if (process.exitValue() == 128 + 9) {
        return false;
      }
      assertThat(process.exitValue()).as(Files.readString(errors.toPath())).isZero();
      if (stepsToLive > 0) { // else it came to its end before the drawn point, unheard
        assertThat(last).isEqualTo("COMPLETED");
      }
      return true;
    } finally {
      process.destroyForcibly();
    }
  }

  /** Waits until the save that follows a step has begun so many files, or for a drawn time. */
  private void waitForPoint(Process process, Path parent, int files) {
    if (files < 0) {
      busyWait(random.nextLong(10_000_000));
      return;
    }
    while (process.isAlive() && filesOfSave(parent) < files) {
      Thread.onSpinWait();
    }
    killedAfterFiles.merge(files, 1, Integer::sum);
  }

  private static void busyWait(long nanos) {
    long end = System.nanoTime() + nanos;
    while (System.nanoTime() < end) {
      Thread.onSpinWait();
    }
  }

  /** Files in the temporary folder of a save in progress, −1 when there is none. */
  private static int filesOfSave(Path parent) {
    String[] names = parent.toFile().list((dir, name) -> name.startsWith(TEMPORARY));
    if (names == null || names.length == 0) {
      return -1;
    }
    String[] files = parent.resolve(names[0]).toFile().list();
    return files == null ? -1 : files.length;
  }

  private static int deleteTemporaries(Path parent) throws IOException {
    int count = 0;
    for (File left : parent.toFile().listFiles((dir, name) -> name.startsWith(TEMPORARY))) {
      count++;
      try (Stream<Path> files = Files.walk(left.toPath())) {
        for (Path path : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(path);
        }
      }
    }
    return count;
  }

  private void record(String data) throws IOException {
    String json =
        """
        {
          "what": "training JVM killed with SIGKILL at drawn points, resumed until its end",
          "data": "%s",
          "seed": %d,
          "kills": %d,
          "kills_inside_a_save": %d,
          "kills_once_a_save_had_begun_files": "%s",
          "trainings": %d,
          "steps_of_a_training": %d,
          "trainings_with_other_bits_than_the_uninterrupted_one": 0
        }
        """
            .formatted(
                data, seed(), kills, killsInSave, killedAfterFiles, runs, 8 * LongTraining.EPOCHS);
    Records.write("killed-training-%s.json".formatted(data), json);
  }
}
