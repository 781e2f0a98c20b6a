package ai.longer.report;

import java.util.Locale;

/** Numbers as consoles and reports show them, whatever the locale. */
public final class Numbers {
  private Numbers() {}

  /** Four decimals: AUC, log loss and the like. */
  public static String score(double value) {
    return format("%.4f", value);
  }

  /** Four decimals with their sign. */
  public static String signed(double value) {
    return format("%+.4f", value).replace('-', '−');
  }

  /** A share as per cent. */
  public static String percent(double share) {
    return format("%.1f %%", 100 * share);
  }

  /** Milliseconds. */
  public static String millis(double value) {
    return format("%.2f ms", value);
  }

  /** Seconds. */
  public static String seconds(double value) {
    return value < 100 ? format("%.1f s", value) : format("%.0f s", value);
  }

  /** Groups of three digits, a thin space between. */
  public static String count(double value) {
    return format("%,.0f", value).replace(',', '\u202f');
  }

  /** Groups of three digits, a thin space between. */
  public static String count(long value) {
    return count((double) value);
  }

  /** At most {@code width} characters, an ellipsis for what is left out. */
  public static String shortened(String text, int width) {
    return text.length() <= width ? text : text.substring(0, width - 1).strip() + "…";
  }

  private static String format(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }
}
