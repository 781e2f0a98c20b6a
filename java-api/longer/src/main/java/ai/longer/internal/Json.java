package ai.longer.internal;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads the JSON that this library writes: objects as maps, arrays as lists, numbers as {@link
 * Long} or {@link Double}, strings without escapes. Not thread-safe.
 */
public final class Json {
  private final String text;
  private int position;

  private Json(String text) {
    this.text = text;
  }

  /**
   * Reads a text.
   *
   * @throws IllegalStateException if it is not such JSON
   */
  public static Object parse(String text) {
    Json json = new Json(text);
    Object value = json.value();
    if (json.peek() != 0) {
      throw json.unexpected();
    }
    return value;
  }

  /** Returns a text as a JSON string. */
  public static String quote(String text) {
    StringBuilder quoted = new StringBuilder(text.length() + 2).append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        quoted.append('\\').append(c);
      } else if (c < 0x20) {
        quoted.append("\\u%04x".formatted((int) c));
      } else {
        quoted.append(c);
      }
    }
    return quoted.append('"').toString();
  }

  private Object value() {
    return switch (peek()) {
      case '{' -> object();
      case '[' -> array();
      case '"' -> string();
      default -> number();
    };
  }

  private Map<String, Object> object() {
    Map<String, Object> object = new LinkedHashMap<>();
    expect('{');
    while (peek() != '}') {
      if (!object.isEmpty()) {
        expect(',');
      }
      String key = string();
      expect(':');
      object.put(key, value());
    }
    expect('}');
    return object;
  }

  private List<Object> array() {
    List<Object> array = new ArrayList<>();
    expect('[');
    while (peek() != ']') {
      if (!array.isEmpty()) {
        expect(',');
      }
      array.add(value());
    }
    expect(']');
    return array;
  }

  private String string() {
    expect('"');
    int end = text.indexOf('"', position);
    if (end < 0 || text.substring(position, end).indexOf('\\') >= 0) {
      throw unexpected();
    }
    String string = text.substring(position, end);
    position = end + 1;
    return string;
  }

  private Number number() {
    int begin = position;
    while (position < text.length() && "+-.eE0123456789".indexOf(text.charAt(position)) >= 0) {
      position++;
    }
    String number = text.substring(begin, position);
    try {
      return number.matches("-?[0-9]+") ? (Number) Long.valueOf(number) : Double.valueOf(number);
    } catch (NumberFormatException e) {
      throw unexpected();
    }
  }

  /** The next character that is not white space, 0 at the end. */
  private char peek() {
    while (position < text.length() && Character.isWhitespace(text.charAt(position))) {
      position++;
    }
    return position < text.length() ? text.charAt(position) : 0;
  }

  private void expect(char wanted) {
    if (peek() != wanted) {
      throw unexpected();
    }
    position++;
  }

  private IllegalStateException unexpected() {
    return new IllegalStateException(
        "[json] this version does not read, at %d of: %s".formatted(position, text));
  }
}
