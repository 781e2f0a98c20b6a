package ai.longer.internal;

import java.util.Locale;

/** How progress is written. */
public final class ProgressText {
  private ProgressText() {}

  /** Returns a number in at most five digits: 9999, 10.0k, 10.0M. */
  public static String quantity(double value) {
    if (value >= 1e7) {
      return format("%.1fM", value / 1e6);
    }
    return value >= 1e4 ? format("%.1fk", value / 1e3) : format("%.0f", value);
  }

  /** Returns a size as KB, MB or GB of 10³, 10⁶ or 10⁹ bytes. */
  public static String bytes(double bytes) {
    if (bytes >= 1e9) {
      return format("%.1f GB", bytes / 1e9);
    }
    return bytes >= 1e6 ? format("%.1f MB", bytes / 1e6) : format("%.0f KB", bytes / 1e3);
  }

  /** Returns m:ss or h:mm:ss. */
  public static String duration(double seconds) {
    long whole = Math.round(Math.max(0, seconds));
    return whole >= 3600
        ? format("%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
        : format("%d:%02d", whole / 60, whole % 60);
  }

  /** Formats alike in every country. */
  public static String format(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
