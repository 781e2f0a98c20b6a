import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/**
 * Turns what the steps of {@code test.sh} left behind into {@code test-summary.json} and a short
 * table. Run as {@code java TestSummary.java <steps.tsv> <mode> <test-summary.json>}; exits 1 if
 * anything failed.
 *
 * <p>A line of steps.tsv is {@code name, passed|failed|skipped, seconds, reason, folder or file of
 * JUnit XML or empty}, parted by tabs. A step with JUnit XML stands for the tests in it, one
 * without stands for itself.
 */
public final class TestSummary {
  private record Test(String suite, String name, String result, double seconds, String reason) {}

  private record Step(String name, String result, double seconds, String reason, String reports) {}

  public static void main(String[] args) throws Exception {
    if (args.length != 3) {
      System.err.println("usage: java TestSummary.java <steps.tsv> <mode> <test-summary.json>");
      System.exit(64);
    }
    List<Step> steps = readSteps(Path.of(args[0]));
    List<Test> tests = new ArrayList<>();
    for (Step step : steps) {
      tests.addAll(testsOf(step));
    }
    Files.writeString(Path.of(args[2]), json(args[1], steps, tests));
    print(steps, tests);
    System.exit(count(tests, "failed") == 0 && !tests.isEmpty() ? 0 : 1);
  }

  private static List<Step> readSteps(Path file) throws IOException {
    List<Step> steps = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      String[] part = line.split("\t", -1);
      if (part.length != 5) {
        throw new IOException(file + ": not five columns: " + line);
      }
      steps.add(new Step(part[0], part[1], Double.parseDouble(part[2]), part[3], part[4]));
    }
    return steps;
  }

  private static List<Test> testsOf(Step step) throws Exception {
    Test self = new Test(step.name(), step.name(), step.result(), step.seconds(), step.reason());
    if (step.reports().isEmpty()) {
      return List.of(self);
    }
    List<Test> tests = new ArrayList<>();
    for (Path report : reports(step.reports())) {
      addCases(step.name(), report, tests);
    }
    // A build that broke before its tests ran, or a runner that died after them.
    boolean explained =
        count(tests, "failed") > 0 || (step.result().equals("passed") && !tests.isEmpty());
    if (step.result().equals("passed") && tests.isEmpty()) {
      tests.add(new Test(step.name(), step.name(), "failed", step.seconds(), "no test was run"));
    } else if (!explained) {
      tests.add(self);
    }
    return tests;
  }

  /** Blank-separated files, or folders searched for the reports of Maven's test runs. */
  private static List<Path> reports(String places) throws IOException {
    List<Path> found = new ArrayList<>();
    for (String place : places.split(" ")) {
      Path path = Path.of(place);
      if (Files.isRegularFile(path)) {
        found.add(path);
      } else if (Files.isDirectory(path)) {
        try (Stream<Path> walk = Files.walk(path)) {
          walk.filter(file -> file.toString().matches(".*/surefire-reports/TEST-[^/]*\\.xml"))
              .sorted()
              .forEach(found::add);
        }
      }
    }
    return found;
  }

  private static void addCases(String suite, Path report, List<Test> tests) throws Exception {
    DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
    factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
    NodeList cases =
        factory.newDocumentBuilder().parse(report.toFile()).getElementsByTagName("testcase");
    for (int i = 0; i < cases.getLength(); i++) {
      Element test = (Element) cases.item(i);
      String owner = test.getAttribute("classname");
      String name = test.getAttribute("name");
      String time = test.getAttribute("time").replace(",", "");
      String status = test.getAttribute("status");
      Element failure = first(test, "failure", "error");
      Element skipped = first(test, "skipped");
      String result = "passed";
      String reason = "";
      if (failure != null || status.equals("fail")) {
        result = "failed";
        reason = failure == null ? "" : reason(test, failure, "Failure");
      } else if (skipped != null || status.equals("disabled") || status.equals("notrun")) {
        result = "skipped";
        reason = skipped == null ? status : reason(test, skipped, "Skipped");
      }
      tests.add(
          new Test(
              suite,
              owner.isEmpty() || owner.equals(name) ? name : owner + "." + name,
              result,
              time.isEmpty() ? 0 : Double.parseDouble(time),
              reason));
    }
  }

  private static Element first(Element parent, String... names) {
    for (String name : names) {
      NodeList found = parent.getElementsByTagName(name);
      if (found.getLength() > 0) {
        return (Element) found.item(0);
      }
    }
    return null;
  }

  /**
   * Why a test failed or was skipped: what GoogleTest printed after a line that ends with {@code
   * mark}, or else the message of the report.
   */
  private static String reason(Element test, Element cause, String mark) {
    Element output = first(test, "system-out");
    List<String> lines = output == null ? List.of() : output.getTextContent().lines().toList();
    for (int i = 0; i + 1 < lines.size(); i++) {
      if (lines.get(i).endsWith(": " + mark)) {
        return cut(lines.get(i + 1).strip());
      }
    }
    String message = cause.getAttribute("message");
    String text = message.isBlank() ? cause.getTextContent() : message;
    return cut(text.strip().lines().findFirst().orElse("no reason given"));
  }

  private static String cut(String line) {
    return line.length() <= 300 ? line : line.substring(0, 300) + "…";
  }

  private static long count(List<Test> tests, String result) {
    return tests.stream().filter(test -> test.result().equals(result)).count();
  }

  private static void print(List<Step> steps, List<Test> tests) {
    Map<String, List<Test>> suites = new LinkedHashMap<>();
    tests.forEach(test -> suites.computeIfAbsent(test.suite(), key -> new ArrayList<>()).add(test));
    int width = suites.keySet().stream().mapToInt(String::length).max().orElse(5);
    String row = "%-" + width + "s %8s %8s %8s %9s%n";
    System.out.printf(row, "suite", "passed", "failed", "skipped", "seconds");
    for (Step step : steps) {
      List<Test> suite = suites.get(step.name());
      System.out.printf(
          Locale.ROOT,
          row,
          step.name(),
          count(suite, "passed"),
          count(suite, "failed"),
          count(suite, "skipped"),
          String.format(Locale.ROOT, "%.1f", step.seconds()));
    }
    for (String result : List.of("skipped", "failed")) {
      for (Test test : tests) {
        if (test.result().equals(result)) {
          System.out.printf("%s: %s: %s: %s%n", result, test.suite(), test.name(), test.reason());
        }
      }
    }
    System.out.printf(
        "%d passed, %d failed, %d skipped%n",
        count(tests, "passed"), count(tests, "failed"), count(tests, "skipped"));
  }

  private static String json(String mode, List<Step> steps, List<Test> tests) {
    StringBuilder out = new StringBuilder("{\n");
    out.append("  \"mode\": ").append(quote(mode)).append(",\n");
    out.append("  \"java\": ").append(quote(System.getProperty("java.version"))).append(",\n");
    out.append("  \"processors\": ").append(Runtime.getRuntime().availableProcessors());
    for (String result : List.of("passed", "failed", "skipped")) {
      out.append(",\n  ").append(quote(result)).append(": ").append(count(tests, result));
    }
    out.append(",\n  \"steps\": [");
    String separator = "\n";
    for (Step step : steps) {
      out.append(separator).append("    {\"name\": ").append(quote(step.name()));
      out.append(", \"result\": ").append(quote(step.result()));
      out.append(", \"seconds\": ").append(seconds(step.seconds())).append("}");
      separator = ",\n";
    }
    out.append("\n  ],\n  \"tests\": [");
    separator = "\n";
    for (Test test : tests) {
      out.append(separator).append("    {\"suite\": ").append(quote(test.suite()));
      out.append(", \"name\": ").append(quote(test.name()));
      out.append(", \"result\": ").append(quote(test.result()));
      out.append(", \"seconds\": ").append(seconds(test.seconds()));
      if (!test.reason().isEmpty()) {
        out.append(", \"reason\": ").append(quote(test.reason()));
      }
      out.append("}");
      separator = ",\n";
    }
    return out.append("\n  ]\n}\n").toString();
  }

  private static String seconds(double value) {
    return String.format(Locale.ROOT, "%.3f", value);
  }

  private static String quote(String text) {
    StringBuilder out = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else if (c < ' ') {
        out.append(String.format("\\u%04x", (int) c));
      } else {
        out.append(c);
      }
    }
    return out.append('"').toString();
  }
}
