package ai.longer.samples.quickstart;

import java.util.Locale;

/** Numbers as console and report show them. */
final class Figures {
  private Figures() {}

  static String auc(double value) {
    return format("%.4f", value);
  }

  static String signed(double value) {
    return format("%+.4f", value).replace('-', '−');
  }

  static String percent(double share) {
    return format("%.1f %%", 100 * share);
  }

  static String millis(double value) {
    return format("%.2f ms", value);
  }

  static String seconds(double value) {
    return value < 100 ? format("%.1f s", value) : format("%.0f s", value);
  }

  /** Groups of three digits, a thin space between. */
  static String count(double value) {
    return format("%,.0f", value).replace(',', '\u202f');
  }

  static String count(long value) {
    return count((double) value);
  }

  /** At most {@code width} characters, an ellipsis for what is left out. */
  static String shortened(String text, int width) {
    return text.length() <= width ? text : text.substring(0, width - 1).strip() + "…";
  }

  private static String format(String format, double value) {
    return String.format(Locale.ROOT, format, value);
  }
}
