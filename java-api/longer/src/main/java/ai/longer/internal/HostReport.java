package ai.longer.internal;

import ai.longer.internal.natives.NativeJar;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** What Java alone can tell about this process; needs no native library. */
final class HostReport {
  private static final Pattern GLIBC =
      Pattern.compile("GNU C Library[^\\n]{0,80}release version ([0-9.]+[0-9])");

  private static final int NO_LIMIT_DIGITS = 19;

  private HostReport() {}

  /** Version of this SDK. */
  static String version() {
    String version = HostReport.class.getPackage().getImplementationVersion();
    return version == null ? "0.1.0" : version;
  }

  /** What only Java can tell, one {@code key: value} a line. */
  static String javaText() {
    List<String> lines = new ArrayList<>();
    lines.add("longer java: " + version());
    lines.add(
        "java: %s, %s, heap limit %d bytes"
            .formatted(
                System.getProperty("java.version"),
                System.getProperty("java.vm.name"),
                Runtime.getRuntime().maxMemory()));
    lines.add(
        "platform: %s %s".formatted(System.getProperty("os.name"), System.getProperty("os.arch")));
    lines.add("java processors: " + Runtime.getRuntime().availableProcessors());
    lines.add(
        "%s: %s"
            .formatted(
                NativeLibrary.PATH_PROPERTY,
                System.getProperty(NativeLibrary.PATH_PROPERTY, "not set")));
    lines.add("native jars found: " + nativeJars());
    lines.add("cache folder: " + cacheFolder());
    lines.add("java live handles: " + NativeHandle.liveHandles());
    return String.join("\n", lines) + "\n";
  }

  /** {@link #javaText} and what the native library tells when there is one. */
  static String text() {
    return """
    %sglibc: %s
    processor flags: %s
    cgroup memory limit: %s
    nvidia driver: %s
    """
        .formatted(
            javaText(),
            glibc(),
            processorFlags(),
            memoryLimit(),
            firstLine("/proc/driver/nvidia/version"));
  }

  private static String nativeJars() {
    try {
      List<String> classifiers =
          ServiceLoader.load(NativeJar.class, HostReport.class.getClassLoader()).stream()
              .map(provider -> provider.get().classifier())
              .sorted()
              .toList();
      return classifiers.isEmpty() ? "none" : String.join(" ", classifiers);
    } catch (ServiceConfigurationError e) {
      return "unknown, " + e;
    }
  }

  private static String cacheFolder() {
    String set = System.getProperty("org.bytedeco.javacpp.cachedir");
    Path folder =
        set != null
            ? Path.of(set)
            : Path.of(System.getProperty("user.home", "/"), ".javacpp", "cache");
    Path existing = folder;
    while (!Files.exists(existing) && existing.getParent() != null) {
      existing = existing.getParent();
    }
    return folder + (Files.isWritable(existing) ? " (writable)" : " (not writable)");
  }

  /** The C library's version as its own file states it. */
  private static String glibc() {
    try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
      String file =
          maps.filter(line -> line.contains("/libc.so.6") || line.contains("/libc-2."))
              .map(line -> line.substring(line.indexOf('/')))
              .findFirst()
              .orElse("");
      if (file.isEmpty()) {
        return "none (another C library)";
      }
      Matcher matcher = GLIBC.matcher(Files.readString(Path.of(file), StandardCharsets.ISO_8859_1));
      return matcher.find() ? matcher.group(1) : "unknown";
    } catch (IOException | RuntimeException e) {
      return "unknown, " + e;
    }
  }

  private static String processorFlags() {
    try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      String flags = " " + lines.filter(l -> l.startsWith("flags")).findFirst().orElse("") + " ";
      List<String> found =
          Stream.of("avx2", "fma", "avx512f", "avx512bw", "avx512vl")
              .filter(flag -> flags.contains(" " + flag + " "))
              .toList();
      return found.isEmpty() ? "none of avx2, avx512f" : String.join(" ", found);
    } catch (IOException | RuntimeException e) {
      return "unknown, " + e;
    }
  }

  /** The limit at the mount point, which inside a container is the container's. */
  private static String memoryLimit() {
    String limit = firstLine("/sys/fs/cgroup/memory.max");
    if (limit.equals("none")) {
      limit = firstLine("/sys/fs/cgroup/memory/memory.limit_in_bytes");
    }
    // Version 1 writes no limit as the largest number of whole pages.
    return limit.equals("none") || limit.equals("max") || limit.length() >= NO_LIMIT_DIGITS
        ? "no limit"
        : limit + " bytes";
  }

  private static String firstLine(String file) {
    try (Stream<String> lines = Files.lines(Path.of(file))) {
      return lines.findFirst().orElse("empty");
    } catch (IOException | RuntimeException e) {
      return "none";
    }
  }
}
