import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Checks the layers of the native code over its {@code #include} lines: c_api → serving |
 * training | data → model → ops and embedding → core. Run as {@code java IncludeGraph.java <native folder>}; prints
 * every arrow that points up and exits 1 if there is one.
 */
public final class IncludeGraph {
  private static final Pattern INCLUDE =
      Pattern.compile("^\\s*#\\s*include\\s*([<\"])([^>\"]+)[>\"]");
  private static final Pattern CUDA_HEADER =
      Pattern.compile(
          "(cuda|cublas|cudnn|nccl|nv|cub/|thrust/|cooperative_groups|mma\\.h|curand).*");
  private static final Pattern CUDA_FILE =
      Pattern.compile("(.*\\.cuh?|(.*/)?(?!no_)[^/]*cuda[^/]*\\.(cc|hpp)|tests/cuda/.*)");

  /**
   * What a kernel may see of the standard library: no inline code that another CPU tier's copy
   * could replace.
   */
  private static final Set<String> KERNEL_HEADERS = Set.of("cstdint", "cstddef", "immintrin.h");

  /**
   * Floor → the floors it may include besides itself. "longer" are the public headers, "longer/c"
   * the C ABI.
   */
  private static final Map<String, Set<String>> ALLOWED = new LinkedHashMap<>();

  static {
    ALLOWED.put("longer/c", Set.of());
    ALLOWED.put("longer", Set.of("longer/c"));
    ALLOWED.put("core", Set.of("longer/error.hpp"));
    ALLOWED.put("ops", Set.of("core", "longer"));
    ALLOWED.put("embedding", Set.of("core", "longer"));
    ALLOWED.put("model", Set.of("ops", "embedding", "core", "longer"));
    ALLOWED.put("training", Set.of("model", "ops", "embedding", "core", "longer"));
    ALLOWED.put("serving", Set.of("model", "ops", "embedding", "core", "longer"));
    ALLOWED.put("data", Set.of("model", "core", "longer"));
    ALLOWED.put(
        "c_api",
        Set.of(
            "serving",
            "training",
            "data",
            "model",
            "ops",
            "embedding",
            "core",
            "longer",
            "longer/c"));
    ALLOWED.put("tests/reference", Set.of("core", "longer", "tests/support"));
  }

  private record Include(Path file, int line, boolean system, String name) {}

  private final List<String> violations = new ArrayList<>();
  private final Map<String, Path> files = new TreeMap<>();
  private final Map<String, List<Include>> includes = new TreeMap<>();

  public static void main(String[] args) throws IOException {
    if (args.length != 1) {
      System.err.println("usage: java IncludeGraph.java <native folder>");
      System.exit(64);
    }
    IncludeGraph graph = new IncludeGraph();
    graph.read(Path.of(args[0]));
    graph.checkLayers();
    graph.checkKernels();
    graph.checkCycles();
    graph.violations.forEach(System.out::println);
    System.out.printf(
        "include graph: %d files, %d violations%n", graph.files.size(), graph.violations.size());
    System.exit(graph.violations.isEmpty() ? 0 : 1);
  }

  /**
   * Names files as include lines do ("core/file.hpp", "longer/error.hpp"), tests with their folder
   * first.
   */
  private void read(Path root) throws IOException {
    readTree(root.resolve("include"), "");
    readTree(root.resolve("src"), "");
    readTree(root.resolve("tests"), "tests/");
    if (files.isEmpty()) {
      throw new IOException("no source files under " + root);
    }
  }

  private void readTree(Path folder, String prefix) throws IOException {
    if (!Files.isDirectory(folder)) {
      return;
    }
    try (Stream<Path> walk = Files.walk(folder)) {
      for (Path file : walk.filter(Files::isRegularFile).sorted().toList()) {
        if (file.toString().matches(".*\\.(hpp|h|cc|c|cu|cuh)")) {
          String name = prefix + folder.relativize(file);
          files.put(name, file);
          includes.put(name, parse(file));
        }
      }
    }
  }

  private static List<Include> parse(Path file) throws IOException {
    List<Include> found = new ArrayList<>();
    int number = 0;
    for (String line : Files.readAllLines(file)) {
      number++;
      Matcher matcher = INCLUDE.matcher(line);
      if (matcher.find()) {
        found.add(new Include(file, number, matcher.group(1).equals("<"), matcher.group(2)));
      }
    }
    return found;
  }

  /**
   * The file that a quoted include names: beside src/ and include/, tests see each other without
   * their folder.
   */
  private Optional<String> resolve(String from, String name) {
    if (from.startsWith("tests/") && files.containsKey("tests/" + name)) {
      return Optional.of("tests/" + name);
    }
    return files.containsKey(name) ? Optional.of(name) : Optional.empty();
  }

  private static String floor(String name) {
    if (name.startsWith("longer/c/")) {
      return "longer/c";
    }
    int end = name.indexOf('/', name.startsWith("tests/") ? "tests/".length() : 0);
    return end < 0 ? name : name.substring(0, end);
  }

  private void checkLayers() {
    includes.forEach(
        (from, list) -> {
          String floor = floor(from);
          if (!ALLOWED.containsKey(floor) && !floor.startsWith("tests")) {
            violations.add(files.get(from) + ": folder " + floor + " is on no floor of the house");
            return;
          }
          for (Include include : list) {
            if (include.system()) {
              if (CUDA_HEADER.matcher(include.name()).matches()
                  && !CUDA_FILE.matcher(from).matches()) {
                report(include, "a CUDA header outside of CUDA code");
              }
              continue;
            }
            Optional<String> to = resolve(from, include.name());
            if (to.isEmpty()) {
              report(include, "no such file in include/, src/ or tests/");
            } else if (ALLOWED.containsKey(floor) && !allowed(floor, to.get())) {
              report(include, floor + " must not know " + floor(to.get()));
            }
          }
        });
  }

  private static boolean allowed(String floor, String to) {
    return floor(to).equals(floor)
        || ALLOWED.get(floor).contains(floor(to))
        || ALLOWED.get(floor).contains(to);
  }

  /** Whatever a kernel file reaches may use {@link #KERNEL_HEADERS} only. */
  private void checkKernels() {
    for (String kernel : files.keySet()) {
      if (!kernel.matches(".*/kernels/[^/]*\\.cc")) {
        continue;
      }
      Set<String> seen = new LinkedHashSet<>(Set.of(kernel));
      Deque<String> open = new ArrayDeque<>(seen);
      while (!open.isEmpty()) {
        String from = open.pop();
        for (Include include : includes.get(from)) {
          if (include.system() && !KERNEL_HEADERS.contains(include.name())) {
            report(include, "reached by " + kernel + "; kernels see only " + KERNEL_HEADERS);
          } else if (!include.system()) {
            resolve(from, include.name()).filter(seen::add).ifPresent(open::push);
          }
        }
      }
    }
  }

  private void checkCycles() {
    Set<String> done = new LinkedHashSet<>();
    for (String file : files.keySet()) {
      visit(file, new LinkedHashSet<>(), done);
    }
  }

  private void visit(String file, Set<String> path, Set<String> done) {
    if (done.contains(file)) {
      return;
    }
    if (!path.add(file)) {
      violations.add(files.get(file) + ": includes itself through " + path);
      return;
    }
    for (Include include : includes.get(file)) {
      if (!include.system()) {
        resolve(file, include.name()).ifPresent(to -> visit(to, path, done));
      }
    }
    path.remove(file);
    done.add(file);
  }

  private void report(Include include, String why) {
    violations.add(
        include.file() + ":" + include.line() + ": includes " + include.name() + ": " + why);
  }
}
