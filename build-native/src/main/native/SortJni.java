import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * Puts C++ that JavaCPP generated into an order that does not depend on the one in which the JVM
 * lists methods: classes and JNI functions by name, members of each struct by name.
 *
 * <p>Usage: java SortJni.java FILE…
 */
final class SortJni {
  /** Classes that the generator itself numbers, before it looks at methods. */
  private static final int FIXED_CLASSES = 7;

  private static final Pattern CLASS_NUMBER = Pattern.compile("(JavaCPP_\\w+\\(env, )(\\d+)\\b");
  private static final Pattern MEMBER = Pattern.compile("offsetof\\([^,]+, (\\w+)\\)|\"(\\w+)\"");

  private final List<String> lines;

  private SortJni(List<String> lines) {
    this.lines = new ArrayList<>(lines);
  }

  public static void main(String[] files) throws IOException {
    for (String file : files) {
      Path path = Path.of(file);
      SortJni generated = new SortJni(Files.readAllLines(path));
      generated.sortClasses();
      generated.sortFunctions();
      Files.write(path, generated.lines);
    }
  }

  private void sortClasses() {
    List<String> names = rows("JavaCPP_classNames");
    List<Integer> order =
        new ArrayList<>(IntStream.range(0, names.size()).boxed().toList()); // new → old
    order
        .subList(FIXED_CLASSES, order.size())
        .sort(Comparator.comparing(old -> names.get(old)));
    for (String array :
        List.of(
            "JavaCPP_classNames",
            "JavaCPP_members",
            "JavaCPP_offsets",
            "JavaCPP_memberOffsetSizes")) {
      List<String> rows = rows(array);
      setRows(array, order.stream().map(old -> sortedMembers(rows.get(old))).toList());
    }
    lines.replaceAll(
        line -> CLASS_NUMBER.matcher(line).replaceAll(use -> renumbered(use, order)));
  }

  private static String renumbered(MatchResult use, List<Integer> order) {
    return use.group(1) + order.indexOf(Integer.valueOf(use.group(2)));
  }

  /** Sorts the names or offsets of a struct's members; both begin with the struct's size. */
  private static String sortedMembers(String row) {
    if (!row.startsWith("{ \"sizeof\", ") && !row.startsWith("{ sizeof(")) {
      return row;
    }
    List<String> items =
        new ArrayList<>(
            List.of(row.substring(2, row.length() - 2).split(", (?=\"|offsetof)")));
    items.subList(1, items.size()).sort(Comparator.comparing(SortJni::memberName));
    return "{ " + String.join(", ", items) + " }";
  }

  private static String memberName(String item) {
    Matcher member = MEMBER.matcher(item);
    check(member.matches());
    return member.group(1) != null ? member.group(1) : member.group(2);
  }

  /** An array's initializers, one a class. */
  private List<String> rows(String array) {
    int[] range = range(array);
    List<String> rows = new ArrayList<>();
    for (String line : lines.subList(range[0], range[1])) {
      String text = line.substring(line.indexOf("= {") + 3).strip();
      text = text.endsWith("};") ? text.substring(0, text.length() - 2).strip() : text;
      if (text.startsWith("{") || text.startsWith("\"")) {
        rows.add(text.endsWith(",") ? text.substring(0, text.length() - 1) : text);
      } else if (!text.isEmpty()) {
        rows.addAll(List.of(text.split(", ")));
      }
    }
    return rows;
  }

  private void setRows(String array, List<String> rows) {
    int[] range = range(array);
    String header = lines.get(range[0]);
    header = header.substring(0, header.indexOf("= {") + 3);
    List<String> target = lines.subList(range[0], range[1]);
    target.clear();
    target.addAll(List.of(header, String.join(",\n", rows) + " };"));
  }

  /** The lines of an array, [first, end). */
  private int[] range(String array) {
    int first = 0;
    while (!lines.get(first).startsWith("static ")
        || !lines.get(first).contains(" " + array + "[")) {
      first++;
    }
    int end = first;
    while (!lines.get(end).endsWith("};")) {
      end++;
    }
    return new int[] {first, end + 1};
  }

  private void sortFunctions() {
    List<String> others = new ArrayList<>();
    List<List<String>> functions = new ArrayList<>();
    boolean isInside = false;
    int before = -1;
    for (String line : lines) {
      if (isInside) {
        functions.get(functions.size() - 1).add(line);
        isInside = !line.equals("}");
      } else if (line.startsWith("JNIEXPORT ") && line.endsWith("{")) {
        before = before < 0 ? others.size() : before;
        functions.add(new ArrayList<>(List.of(line)));
        isInside = true;
      } else {
        others.add(line);
      }
    }
    // Behind the first function there is nothing but functions and the brace of extern "C".
    check(!isInside && before >= 0);
    check(others.stream().skip(before).filter(line -> !line.isBlank()).count() == 1);
    functions.sort(Comparator.comparing(function -> function.get(0)));
    lines.clear();
    lines.addAll(others.subList(0, before));
    functions.forEach(lines::addAll);
    lines.addAll(others.subList(before, others.size()));
  }

  private static void check(boolean holds) {
    if (!holds) {
      throw new IllegalStateException("this JavaCPP writes code in another form");
    }
  }
}
