package ai.longer.samples.cli;

import ai.longer.report.Numbers;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Values as tables on the console show them. */
final class Cells {
  private static final int VALUE_WIDTH = 32;
  private static final int BAR_WIDTH = 24;
  private static final String EIGHTHS = " ▏▎▍▌▋▊▉";
  private static final long MINUTE = 60;
  private static final long HOUR = 60 * MINUTE;
  private static final long DAY = 24 * HOUR;

  private Cells() {}

  /** A value of a {@link JsonColumn}. */
  static String value(@Nullable Object value) {
    if (value == null) {
      return "–";
    }
    String text =
        value instanceof List<?> list
            ? list.stream().map(String::valueOf).collect(Collectors.joining(", "))
            : value.toString();
    return Numbers.shortened(text, VALUE_WIDTH);
  }

  /** An epoch second as a date and time of UTC. */
  static String time(long epochSecond) {
    try {
      return Instant.ofEpochSecond(epochSecond).toString();
    } catch (DateTimeException e) {
      return Long.toString(epochSecond); // beyond a thousand million years
    }
  }

  /** A stretch of time in its largest unit. */
  static String span(long seconds) {
    if (seconds < MINUTE) {
      return seconds + " s";
    }
    if (seconds < HOUR) {
      return seconds / MINUTE + " min";
    }
    return seconds < DAY ? seconds / HOUR + " h" : Numbers.count(seconds / DAY) + " d";
  }

  /** A bar whose full length is {@code max}. */
  static String bar(double value, double max) {
    int eighths = max > 0 ? (int) Math.round(8 * BAR_WIDTH * value / max) : 0;
    String end = eighths % 8 == 0 ? "" : EIGHTHS.substring(eighths % 8, eighths % 8 + 1);
    return "█".repeat(eighths / 8) + end;
  }

  static String millis(double millis) {
    return String.format(Locale.ROOT, millis < 10 ? "%.2f ms" : "%.1f ms", millis);
  }
}
