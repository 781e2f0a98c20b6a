package ai.longer.samples.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.longer.CorruptDataException;
import ai.longer.data.Request;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RequestReaderTest {
  @TempDir private Path folder;

  private RequestReader open(String json) {
    try {
      return RequestReader.open(
          Files.writeString(folder.resolve("r.json"), json), TestModel.SCHEMA);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private JsonRequest read(String json) {
    try (RequestReader reader = open(json)) {
      JsonRequest request = reader.next();
      assertNotNull(request);
      return request;
    }
  }

  @Test
  void aRequestIsThatOfTheBuilders() {
    JsonRequest read = read(TestModel.JSON);
    Request request = read.request();
    Request expected = TestModel.request();
    assertEquals("first", read.id());
    assertEquals(expected.history(), request.history());
    assertEquals(expected.candidates(), request.candidates());
    assertEquals(expected.userColumn(0), request.userColumn(0));
    assertEquals(expected.userColumn(1), request.userColumn(1));
    assertEquals(expected.referenceTime(), request.referenceTime());
    assertEquals("Alien", read.event(2).get("movie"));
    assertEquals(List.of("war", "drama"), read.event(0).get("tags"));
    assertNull(read.candidate(2).get("movie"));
    assertEquals(Map.of("movie", 7L, "price", 2.5), read.candidate(1));
  }

  @Test
  void requestsFollowEachOtherWhateverTheLines() {
    String one = TestModel.JSON.replace("\n", " ").strip();
    try (RequestReader reader = open(one + "\n" + TestModel.JSON + "\n\n" + one + one + "\n")) {
      for (int number = 1; number <= 4; number++) {
        JsonRequest request = reader.next();
        assertNotNull(request);
        assertEquals(number, request.number());
        assertEquals(3, request.request().history().size());
      }
      assertNull(reader.next());
    }
    try (RequestReader reader = open(" \n")) {
      assertNull(reader.next());
    }
  }

  @Test
  void whatMayBeLeftOut() {
    String rest =
        "\"user\": {\"likes\": null}, \"context\": {\"hour\": null}, "
            + "\"candidates\": {\"movie\": [], \"price\": []}";
    JsonRequest read = read("{" + rest + "}");
    assertEquals(0, read.request().history().size());
    assertEquals(0, read.request().referenceTime());
    assertNull(read.id());
    JsonRequest later =
        read(
            "{\"event_times\": [5], \"first_ordinal\": 40, \"id\": 12, "
                + "\"events\": {\"price\": [1], \"movie\": [2], \"tags\": [[]]}, "
                + rest
                + "}");
    assertEquals(5, later.request().referenceTime());
    assertEquals(40, later.request().history().firstOrdinal());
    assertEquals(12L, later.id());
  }

  /** Each breaks the request in one place; what the message must name stands behind. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          "time": 1700000300,       | "time": 1.5,           | r.json:1:25 (/time): must be a whole number; got 1.5
          "time": 1700000300,       | "time": 1e3,           | (/time): must be a whole number; got 1e3
          "time": 1700000300,       | "time": 99999999999999999999, | must be a whole number of 64 bits
          "time": 1700000300,       | "time": 1, "time": 2,  | is not JSON: Duplicate field 'time'
          "time": 1700000300,       | "tme": 2,              | (/tme): is unknown; expected id, time
          "time": 1700000300,       | "time": 1700000200,    | request 1: reference time must not be before
          "time": 1700000300,       | "time": NaN,           | is not JSON
          "first"                   | [1]                    | (/id): must be a whole number or a text; got [
          {"hour": 13}              | {"hour": [13]}         | r.json:2:53 (/context/hour): must be a whole number
          {"hour": 13}              | {}                     | (/context): has no "hour"
          {"hour": 13}              | 13                     | (/context): must be an object; got 13
          {"hour": 13}              | {"hour": 1, "x": 2}    | (/context/x): is no feature of the model; expected [hour]
          ["war", 7]}               | 7}                     | (/user/likes): must be a list of ids; got 7
          ["war", 7]}               | ["war", [7]]}          | (/user/likes/1): must be a whole number or a text
          [1700000000,              | [true,                 | r.json:3:18 (/event_times/0): must be a whole number; got true
          [1700000000,              | [1700000100, 1,        | events must run from oldest to newest
          [1700000000,              | [1, 1700000000,        | request 1: column "movie" must have 4 rows
          [1, null, "Alien"]        | [1, 2.5, "Alien"]      | r.json:4:26 (/events/movie/1): must be a whole number or a text
          [1, null, "Alien"]        | {"a": 1}               | (/events/movie): must be a list with one value a row
          [9.5, null, 12]           | [9.5, "x", 12]         | r.json:5:28 (/events/price/1): must be a number; got x
          [9.5, null, 12]           | [9.5, 1e300, 12]       | (/events/price/1): must be a finite number of 32 bits
          "price": [9.5, null, 12]} | "p": [1]}              | (/events/p): is no feature of the model; expected [movie, tags, price]
          "candidates"              | "events"               | Duplicate field 'events'
          [1, 2.5, null, -3]}}      | [1, 2.5, null, -3]}    | is not JSON: Unexpected end-of-input
          [1, 2.5, null, -3]}}      | [1, 2.5, null]}}       | r.json:1:1: request 1: column "price" must have 4 rows
          """)
  void errorsNameLineColumnAndField(String good, String bad, String message) {
    assertEquals(1, TestModel.JSON.split(Pattern.quote(good), -1).length - 1, good);
    String json = TestModel.JSON.replace(good, bad);
    Exception error = assertThrows(CorruptDataException.class, () -> read(json));
    String got = String.valueOf(error.getMessage());
    assertTrue(got.contains(message), got);
  }

  @Test
  void wholeSectionsThatAreMissingAreNamed() {
    Map.of(
            "[1, 2]", "must be an object",
            "{}", "candidates are missing",
            "{\"candidates\": {\"movie\": [], \"price\": []}}",
                "user and context values are missing: [likes, hour]",
            "{\"event_times\": [1], \"candidates\": {\"movie\": [], \"price\": []}}",
                "event_times and events go together; got event_times alone")
        .forEach(
            (json, message) -> {
              Exception error = assertThrows(CorruptDataException.class, () -> read(json));
              String got = String.valueOf(error.getMessage());
              assertTrue(got.contains(message), got);
              assertTrue(got.contains("r.json:1:1"), got);
            });
  }

  @Test
  void textThatIsNotUtf8IsAnError() throws IOException {
    byte[] json = "{\"id\": \"?\"}".getBytes(StandardCharsets.UTF_8);
    json[8] = (byte) 0xff;
    Path file = Files.write(folder.resolve("bytes.json"), json);
    try (RequestReader reader = RequestReader.open(file, TestModel.SCHEMA)) {
      assertThrows(CorruptDataException.class, reader::next);
    }
  }
}
