package ai.longer.samples.cli;

import ai.longer.CorruptDataException;
import ai.longer.report.Numbers;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * JSON token by token, read with the values that requests have. Not thread-safe.
 *
 * <p>Errors in the text are {@link CorruptDataException}s that name line, column and field.
 */
final class JsonTokens implements AutoCloseable {
  private static final Path STANDARD_INPUT = Path.of("-");

  private final String name;
  private final JsonParser parser;

  private JsonTokens(String name, JsonParser parser) {
    this.name = name;
    this.parser = parser;
  }

  /** Opens a file, or standard input for {@code -}. */
  static JsonTokens open(Path file) {
    boolean isInput = file.equals(STANDARD_INPUT);
    try {
      InputStream bytes = isInput ? System.in : Files.newInputStream(file);
      JsonParser parser = Console.JSON.getFactory().createParser(bytes);
      parser.enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);
      return new JsonTokens(isInput ? "standard input" : file.toString(), parser);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  boolean isNull() {
    return parser.currentToken() == JsonToken.VALUE_NULL;
  }

  /** Where the present token begins. */
  JsonLocation location() {
    return parser.currentTokenLocation();
  }

  /** The present token as an id, a whole number as a {@link Long}, or a text. */
  Object id() {
    if (parser.currentToken() == JsonToken.VALUE_STRING) {
      return text();
    }
    expect(JsonToken.VALUE_NUMBER_INT, "must be a whole number or a text");
    return wholeNumber();
  }

  /** The present token as a whole number of 64 bits. */
  long wholeNumber() {
    expect(JsonToken.VALUE_NUMBER_INT, "must be a whole number");
    try {
      return parser.getLongValue();
    } catch (IOException e) {
      throw error("must be a whole number of 64 bits; got " + shown());
    }
  }

  /** The present token as a number that fits 32 bits. */
  double number() {
    JsonToken token = parser.currentToken();
    if (token != JsonToken.VALUE_NUMBER_INT && token != JsonToken.VALUE_NUMBER_FLOAT) {
      throw error("must be a number; got " + shown());
    }
    try {
      double number = parser.getDoubleValue();
      if (Float.isInfinite((float) number)) {
        throw error("must be a finite number of 32 bits; got " + shown());
      }
      return number;
    } catch (IOException e) {
      throw error("must be a number; got " + shown());
    }
  }

  /** Refuses the present token unless it is the one wanted. */
  void expect(JsonToken wanted, String problem) {
    if (parser.currentToken() != wanted) {
      throw error(problem + "; got " + shown());
    }
  }

  /** The present token, shortened. */
  private String shown() {
    return Numbers.shortened(text(), 60);
  }

  private String text() {
    try {
      return String.valueOf(parser.getText());
    } catch (IOException e) {
      throw broken(e);
    }
  }

  /** The name of the present member of an object. */
  String name() {
    try {
      return Objects.requireNonNull(parser.currentName());
    } catch (IOException e) {
      throw broken(e);
    }
  }

  /** Goes to the next token; null at the end. */
  @Nullable JsonToken next() {
    try {
      return parser.nextToken();
    } catch (IOException e) {
      throw broken(e);
    }
  }

  private RuntimeException broken(IOException error) {
    if (error instanceof JsonProcessingException syntax) {
      return error(syntax.getLocation(), "is not JSON: " + syntax.getOriginalMessage(), error);
    }
    return new UncheckedIOException(
        "[request] %s: cannot be read: %s".formatted(name, error), error);
  }

  /** An error at the present token. */
  CorruptDataException error(String problem) {
    String field = parser.getParsingContext().pathAsPointer().toString();
    return new CorruptDataException(
        at(location(), (field.isEmpty() ? "" : " (" + field + ")") + ": " + problem));
  }

  /** An error at a place. */
  CorruptDataException error(JsonLocation place, String problem, Exception cause) {
    return new CorruptDataException(at(place, ": " + problem), cause);
  }

  private String at(JsonLocation place, String problem) {
    return "[request] %s:%d:%d%s".formatted(name, place.getLineNr(), place.getColumnNr(), problem);
  }

  @Override
  public void close() {
    try {
      parser.close();
    } catch (IOException e) {
      throw new UncheckedIOException("[request] %s: cannot be closed: %s".formatted(name, e), e);
    }
  }
}
