package ai.longer.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ai.longer.CorruptDataException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterProperty;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CsvReaderTest {
  private final List<Path> written = new ArrayList<>();

  @org.junit.jupiter.api.AfterEach
  @AfterProperty
  void deleteFiles() throws IOException {
    for (Path file : written) {
      Files.deleteIfExists(file);
    }
  }

  private Path write(String suffix, String text) throws IOException {
    Path file = Files.createTempFile("table", suffix);
    written.add(file);
    try (OutputStream raw = Files.newOutputStream(file);
        OutputStream out = suffix.endsWith(".gz") ? new GZIPOutputStream(raw) : raw) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
    return file;
  }

  private static List<List<String>> readAll(Path file) {
    try (CsvReader reader = CsvReader.open(file)) {
      List<List<String>> rows = new ArrayList<>();
      while (reader.next()) {
        List<String> row = new ArrayList<>();
        for (int i = 0; i < reader.header().size(); i++) {
          row.add(reader.text(i));
        }
        rows.add(row);
      }
      return rows;
    }
  }

  @Provide
  Arbitrary<List<List<String>>> tables() {
    Arbitrary<String> field =
        Arbitraries.strings()
            .withChars("ab0\",\t\n\r é\uFEFF")
            .ofMaxLength(6)
            .map(text -> text.replace("b", "\uD83D\uDE00"));
    return Arbitraries.integers()
        .between(1, 4)
        .flatMap(width -> field.list().ofSize(width).list().ofMaxSize(8));
  }

  @Property(tries = 300)
  void quotedFieldsReadBack(@ForAll("tables") List<List<String>> rows) throws IOException {
    int width = rows.isEmpty() ? 1 : rows.get(0).size();
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < width; i++) {
      text.append(i == 0 ? "" : ",").append("c").append(i);
    }
    for (List<String> row : rows) {
      text.append("\r\n");
      for (int i = 0; i < width; i++) {
        String field = row.get(i).replace("\"", "\"\"");
        text.append(i == 0 ? "" : ",").append('"').append(field).append('"');
      }
    }
    // CRLF inside quotes is one line end, read as LF.
    List<List<String>> expected =
        rows.stream()
            .map(row -> row.stream().map(field -> field.replace("\r\n", "\n")).toList())
            .toList();
    assertThat(readAll(write(".csv", text.toString()))).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(strings = {"\n", "\r\n", "\r"})
  void lineEndsAreLineEnds(String end) throws IOException {
    String text = String.join(end, "a,b", "", "1,2", "3,", "");
    assertThat(readAll(write(".csv", text))).containsExactly(List.of("1", "2"), List.of("3", ""));
  }

  @Test
  void suffixesChooseSeparatorAndPacking() throws IOException {
    List<List<String>> expected = List.of(List.of("1,5", "2"));
    assertThat(readAll(write(".tsv", "a\tb\n1,5\t2\n"))).isEqualTo(expected);
    assertThat(readAll(write(".tsv.gz", "a\tb\n1,5\t2\n"))).isEqualTo(expected);
    assertThat(readAll(write(".csv.gz", "\uFEFFa,b\n\"1,5\",2"))).isEqualTo(expected);
    try (CsvReader reader = CsvReader.open(write(".dat", "a;b\n1,5;2"), ';')) {
      assertThat(reader.next()).isTrue();
      assertThat(reader.doubleValue(1)).isEqualTo(2);
    }
  }

  @Test
  void numbersAreRead() throws IOException {
    try (CsvReader reader =
        CsvReader.open(write(".csv", "id,rating,none\n-9223372036854775808,3.5e-1,\n"))) {
      assertThat(reader.next()).isTrue();
      assertThat(reader.longValue(reader.column("id"))).isEqualTo(Long.MIN_VALUE);
      assertThat(reader.doubleValue(reader.column("rating"))).isEqualTo(0.35);
      assertThat(reader.isEmpty(reader.column("none"))).isTrue();
      assertThat(reader.line()).isEqualTo(2);
      assertThat(reader.next()).isFalse();
      assertThat(reader.next()).isFalse();
    }
  }

  @Test
  void fieldsAreValuesOfEveryKind() throws IOException {
    String text = "id,name,tags,words,price\n7,x,1|-2|1,red|green,3.5\n,,,,\n";
    try (CsvReader reader = CsvReader.open(write(".csv", text))) {
      assertThat(reader.next()).isTrue();
      assertThat(reader.id(0)).isEqualTo(Value.id(7));
      assertThat(reader.textId(1)).isEqualTo(Value.textId("x"));
      assertThat(reader.ids(2, '|')).isEqualTo(Value.ids(1, -2, 1));
      assertThat(reader.textIds(3, '|')).isEqualTo(Value.textIds("red", "green"));
      assertThat(reader.number(4)).isEqualTo(Value.number(3.5));
      assertThat(reader.next()).isTrue();
      assertThat(reader.id(0)).isEqualTo(Value.missing());
      assertThat(reader.textId(1)).isEqualTo(Value.missing());
      assertThat(reader.ids(2, '|')).isEqualTo(Value.missing());
      assertThat(reader.textIds(3, '|')).isEqualTo(Value.missing());
      assertThat(reader.number(4)).isEqualTo(Value.missing());
    }
  }

  @Test
  void badValuesAreNamed() throws IOException {
    Path file = write(".csv", "tags,words,price\n1||2,a|,1e39\n");
    try (CsvReader reader = CsvReader.open(file)) {
      assertThat(reader.next()).isTrue();
      assertThatThrownBy(() -> reader.ids(0, '|'))
          .isInstanceOf(CorruptDataException.class)
          .hasMessageEndingWith(":2:1 (tags): must be whole numbers with '|' between; got \"\"");
      assertThatThrownBy(() -> reader.textIds(1, '|'))
          .isInstanceOf(CorruptDataException.class)
          .hasMessageEndingWith(":2:6 (words): must not have an empty text between '|'");
      assertThatThrownBy(() -> reader.number(2))
          .isInstanceOf(CorruptDataException.class)
          .hasMessageEndingWith(":2:9 (price): must be a finite number of 32 bits; got \"1e39\"");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"1.5", "", " 1", "9223372036854775808", "x"})
  void wholeNumbersAreChecked(String field) throws IOException {
    Path file = write(".csv", "name,id\nn,\"" + field + "\"\n");
    try (CsvReader reader = CsvReader.open(file)) {
      assertThat(reader.next()).isTrue();
      assertThatThrownBy(() -> reader.longValue(1))
          .isInstanceOf(CorruptDataException.class)
          .hasMessage(
              "[csv] %s:2:3 (id): must be a whole number; got \"%s\"".formatted(file, field));
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"NaN", "Infinity", "1e999", "1d", "0x1p3", "", "1 "})
  void finiteNumbersAreChecked(String field) throws IOException {
    Path file = write(".csv", "id\n\"" + field + "\"\n");
    try (CsvReader reader = CsvReader.open(file)) {
      assertThat(reader.next()).isTrue();
      assertThatThrownBy(() -> reader.doubleValue(0))
          .isInstanceOf(CorruptDataException.class)
          .hasMessageContaining(":2:1 (id): must be a finite number");
    }
  }

  @Test
  void errorsNameFileLineAndColumn() throws IOException {
    assertCorrupt(write(".csv", "a,b\n1,2\n\n1\n"), ":4:1 (a): the row has 1 fields; expected 2");
    assertCorrupt(write(".csv", "a,b\n1,2,3\n"), ":2:3 (b): the row has 3 fields; expected 2");
    assertCorrupt(write(".csv", "a,b\n1,\"x\"y\n"), ":2:6: text after a closing quote");
    assertCorrupt(write(".csv", "a,b\n1,x\"y\n"), ":2:4: a quote inside a field");
    assertCorrupt(write(".csv", "a,b\n\"1\n2\",\"x\n"), ":3:4: a quote is never closed");
    assertCorrupt(write(".csv", "a,b,a\n"), ":1:5 (a): column \"a\" is there twice");
    assertCorrupt(write(".csv", ""), ":1:1: has no header");
  }

  @Test
  void missingColumnsAreNamed() throws IOException {
    Path file = write(".csv", "a,b\n1,2\n");
    try (CsvReader reader = CsvReader.open(file)) {
      assertThatThrownBy(() -> reader.column("c"))
          .isInstanceOf(CorruptDataException.class)
          .hasMessage("[csv] %s:1: has no column \"c\"; its header is [a, b]".formatted(file));
    }
  }

  @Test
  void textThatIsNotUtf8IsNamed() throws IOException {
    Path file = write(".csv", "");
    Files.write(file, new byte[] {'a', '\n', (byte) 0xC3, '(', '\n'});
    assertThatThrownBy(() -> readAll(file))
        .isInstanceOf(CorruptDataException.class)
        .hasMessageContaining("is not UTF-8");
  }

  @Test
  void unclosedQuotesDoNotReadTheWholeFile() throws IOException {
    String text = "a\n\"" + "x".repeat(CsvTokenizer.MAX_ROW_CHARS + 10) + "\"\n";
    assertThatThrownBy(() -> readAll(write(".csv", text)))
        .isInstanceOf(CorruptDataException.class)
        .hasMessageContaining(":2:1: the row is longer than 16 MiB");
  }

  @Test
  void filesThatCannotBeReadAreNamed() throws IOException {
    Path nowhere = Path.of("nowhere.csv");
    assertThatThrownBy(() -> CsvReader.open(nowhere))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("nowhere.csv");
    Path plain = write(".csv", "a\n1\n");
    Path misnamed = plain.resolveSibling(plain.getFileName() + ".gz");
    written.add(misnamed);
    Files.copy(plain, misnamed);
    assertThatThrownBy(() -> CsvReader.open(misnamed))
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining(".csv.gz");
  }

  private static void assertCorrupt(Path file, String rest) {
    assertThatThrownBy(() -> readAll(file))
        .isInstanceOf(CorruptDataException.class)
        .hasMessageStartingWith("[csv] " + file + rest);
  }
}
