package ai.longer.internal;

import static ai.longer.support.OwnJvm.classPath;
import static org.assertj.core.api.Assertions.assertThat;

import ai.longer.CorruptDataException;
import ai.longer.Device;
import ai.longer.LongerConfig;
import ai.longer.LongerException;
import ai.longer.LongerModel;
import ai.longer.Schema;
import ai.longer.data.Candidates;
import ai.longer.data.History;
import ai.longer.data.Request;
import ai.longer.serving.Ranker;
import ai.longer.serving.RankingRequest;
import ai.longer.support.OwnJvm;
import ai.longer.support.Samples;
import ai.longer.training.Trainer;
import ai.longer.training.TrainerOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What needs a JVM of its own: another heap, another class path, no library yet. */
class OwnJvmTest {
  private static final String OK = "scenario passed";

  @TempDir Path folder;

  @Test
  void smallHeapsHoldLargeModels() throws Exception {
    assertPasses(run(LargeModel.class, classPath(), "-Xmx128m", "-Xcheck:jni"));
  }

  /** 820 MB of native memory, far above 4 × the heap, where JavaCPP's allocator gives up. */
  static final class LargeModel {
    public static void main(String[] args) {
      Schema schema =
          Schema.builder()
              .table("item", 256)
              .event("item", "item")
              .candidate("item", "item")
              .task("click")
              .build();
      LongerConfig config = LongerConfig.builder(schema).maxHistory(800_000).build();
      try (LongerModel model = LongerModel.create(config, 1, Device.cpu())) {
        require(DoctorReport.nativeBytes() > 800_000_000L, "native bytes");
        History history =
            History.builder(schema).longs("item", new long[100]).times(new long[100]).build();
        Candidates candidates =
            Candidates.builder(schema).longs("item", new long[] {1, 2, 3}).build();
        RankingRequest request = RankingRequest.of(Request.builder(history, candidates).build());
        for (int i = 0; i < 3; i++) {
          try (Ranker ranker = model.ranker()) {
            require(ranker.rank(request).numCandidates() == 3, "scores");
            require(ranker.rankAsync(request).join().numCandidates() == 3, "async scores");
          }
        }
        require(Pointer.totalCount() == 0, "no JavaCPP allocation");
      }
      require(DoctorReport.nativeBytes() == 0, "nothing left");
      System.out.println(OK);
    }
  }

  @Test
  void withoutNativesOnlyModelsFail() throws Exception {
    List<String> without =
        classPath().stream().filter(entry -> !isNativeJar(entry)).collect(Collectors.toList());
    assertPasses(run(NoNatives.class, without));
  }

  static final class NoNatives {
    public static void main(String[] args) {
      require(Samples.CONFIG.toJson().contains("max_history"), "configurations");
      require(Samples.labelled(5).size() == 5, "data");
      require(new CorruptDataException("x").getMessage() != null, "exceptions");
      require(Samples.plainLog(2, 9).build().training().stream().count() > 0, "builders");
      require(TrainerOptions.defaults().epochs() == 1, "options");
      for (int attempt = 0; attempt < 2; attempt++) {
        try {
          LongerModel.create(Samples.CONFIG, 1, Device.cpu()).close();
          throw new AssertionError("no error");
        } catch (LongerException e) {
          String text = String.valueOf(e.getMessage());
          for (String part :
              List.of(
                  "libjnilonger.so",
                  "ai.longer:longer-native:0.1.0:linux-x86_64",
                  "linux-x86_64-cuda13",
                  "longer.native.path",
                  "glibc 2.34",
                  "glibc: ",
                  "native jars found: none")) {
            require(text.contains(part), part + " in " + text);
          }
        }
      }
      require(ai.longer.Doctor.report().contains("native jars found: none"), "report");
      System.out.println(OK);
    }
  }

  @Test
  void librariesLoadFromAFolderWithoutExtraction() throws Exception {
    NativeLibrary.load();
    Path library = Path.of(String.valueOf(NativeLibrary.loadedFrom()));
    Path libraries = Files.createDirectory(folder.resolve("libraries"));
    Files.copy(library, libraries.resolve(NativeLibrary.FILE_NAME));
    Path cache = folder.resolve("cache");
    // With and without the jar: neither is looked at.
    List<String> without = classPath().stream().filter(entry -> !isNativeJar(entry)).toList();
    for (List<String> classPath : List.of(classPath(), without)) {
      assertPasses(
          run(
              FromFolder.class,
              classPath,
              "-Dlonger.native.path=" + libraries,
              "-Dorg.bytedeco.javacpp.cachedir=" + cache));
      assertThat(filesUnder(cache)).isEmpty();
    }
  }

  @Test
  void foldersLoadWhereNothingCanBeWritten() throws Exception {
    NativeLibrary.load();
    Path library = Path.of(String.valueOf(NativeLibrary.loadedFrom()));
    Files.copy(
        library, folder.resolve(NativeLibrary.FILE_NAME), StandardCopyOption.REPLACE_EXISTING);
    // /proc is read-only, for root too.
    assertPasses(
        run(
            FromFolder.class,
            classPath(),
            "-Xcheck:jni",
            "-Dlonger.native.path=" + folder,
            "-Dorg.bytedeco.javacpp.cachedir=/proc/none",
            "-Duser.home=/proc/none",
            "-Djava.io.tmpdir=/proc/none"));
  }

  static final class FromFolder {
    public static void main(String[] args) {
      try (Trainer trainer =
          Trainer.create(Samples.CONFIG, Device.cpu(1), TrainerOptions.defaults())) {
        require(trainer.step(Samples.labelled(3)).step() == 1, "step");
      }
      String from = String.valueOf(NativeLibrary.loadedFrom());
      require(from.startsWith(System.getProperty("longer.native.path")), from);
      System.out.println(OK);
    }
  }

  @Test
  void foldersWithoutTheLibraryAreNamed() throws Exception {
    assertPasses(run(EmptyFolder.class, classPath(), "-Dlonger.native.path=" + folder));
  }

  static final class EmptyFolder {
    public static void main(String[] args) {
      try {
        LongerConfig.parse("{}");
        throw new AssertionError("no error");
      } catch (LongerException e) {
        String text = String.valueOf(e.getMessage());
        require(text.contains("holds no readable file libjnilonger.so"), text);
      }
      System.out.println(OK);
    }
  }

  private static void require(boolean holds, String what) {
    if (!holds) {
      throw new AssertionError(what);
    }
  }

  private static boolean isNativeJar(String entry) {
    return entry.contains("longer-native") && entry.contains("linux-x86_64");
  }

  private static List<Path> filesUnder(Path root) throws IOException {
    if (!Files.exists(root)) {
      return List.of();
    }
    try (var files = Files.walk(root)) {
      return files.filter(Files::isRegularFile).toList();
    }
  }

  private record Ended(int status, String output) {}

  private static void assertPasses(Ended ended) {
    assertThat(ended.output()).contains(OK).doesNotContain("WARNING in native method");
    assertThat(ended.status()).isZero();
  }

  private Ended run(Class<?> main, List<String> classPath, String... options) throws Exception {
    List<String> command = OwnJvm.command(main, classPath, List.of(options));
    Path output = Files.createTempFile(folder, "output", ".txt");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    try {
      assertThat(process.waitFor(120, TimeUnit.SECONDS)).as("ended in time").isTrue();
    } finally {
      process.destroyForcibly();
    }
    return new Ended(process.exitValue(), Files.readString(output));
  }
}
