package ai.longer.internal;

import ai.longer.LongerException;
import ai.longer.internal.capi.LongerC;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.annotation.Platform;
import org.jspecify.annotations.Nullable;

/** Loads the native library, once. Safe for use by several threads. */
public final class NativeLibrary {
  /** Folder to load the library from instead of a jar. */
  static final String PATH_PROPERTY = "longer.native.path";

  static final String FILE_NAME = "libjnilonger.so";
  private static final int ABI_VERSION = 2;

  private NativeLibrary() {}

  /**
   * Loads the library if that has not been done.
   *
   * @throws LongerException if it cannot be loaded; the message holds the dependency to add and the
   *     report of {@link ai.longer.Doctor}
   */
  public static void load() {
    String failure = Once.OUTCOME.failure();
    if (failure != null) {
      LongerException exception = new LongerException(failure);
      Throwable cause = Once.OUTCOME.cause();
      if (cause != null) {
        exception.initCause(cause);
      }
      throw exception;
    }
  }

  /** Returns the file the library was loaded from, or null if loading failed. */
  static @Nullable String loadedFrom() {
    return Once.OUTCOME.file();
  }

  private record Outcome(
      @Nullable String file, @Nullable String failure, @Nullable Throwable cause) {}

  /** Loads on first use of {@link NativeLibrary#load}, not of this package. */
  private static final class Once {
    static final Outcome OUTCOME = tryLoad();
  }

  private static Outcome tryLoad() {
    String folder = System.getProperty(PATH_PROPERTY);
    try {
      String file = folder == null ? Loader.load(LongerC.class) : loadFrom(Path.of(folder));
      int version = LongerC.longer_abi_version();
      if (version != ABI_VERSION) {
        return failed(
            "its ABI version is %d, this SDK needs %d: use jars of one release"
                .formatted(version, ABI_VERSION),
            null);
      }
      return new Outcome(file, null, null);
    } catch (LinkageError | RuntimeException e) {
      return failed(rootMessage(e), e);
    }
  }

  private static Outcome failed(String reason, @Nullable Throwable cause) {
    String message =
        """
        [native library] cannot load %s: %s
        Add the dependency ai.longer:longer-native:%s:linux-x86_64 (NVIDIA GPUs: \
        linux-x86_64-cuda13 as well), or set -D%s to a folder that holds %s.
        It needs Linux on x86-64 with glibc 2.34 or later. This process:
        %s\
        """
            .formatted(
                FILE_NAME,
                reason,
                HostReport.version(),
                PATH_PROPERTY,
                FILE_NAME,
                HostReport.text());
    return new Outcome(null, message, cause);
  }

  private static String rootMessage(Throwable e) {
    Throwable root = e;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root.toString();
  }

  /** Makes JavaCPP load the file in place, before the bindings' own static loading asks for it. */
  private static String loadFrom(Path folder) {
    Path file = folder.resolve(FILE_NAME).toAbsolutePath();
    if (!Files.isReadable(file)) {
      throw new UnsatisfiedLinkError(
          "-D" + PATH_PROPERTY + "=" + folder + " holds no readable file " + FILE_NAME);
    }
    Properties properties = Loader.loadProperties();
    properties.put("platform.linkpath", String.valueOf(file.getParent()));
    Loader.load(InFolder.class, properties, true);
    Loader.load(LongerC.class);
    return file.toString();
  }

  /** Names the library to JavaCPP without naming the bindings, which would load it from a jar. */
  @org.bytedeco.javacpp.annotation.Properties(
      @Platform(value = "linux-x86_64", library = "jnilonger"))
  private static final class InFolder {}
}
