package ai.longer.report;

import java.util.List;
import java.util.Locale;

/** The colours of report and charts: a name in CSS, and the value where no style sheet is. */
enum Palette {
  INK("#24292f"),
  MUTED("#6e7781"),
  RULE("#dfe3e8"),
  NEUTRAL("#98a2ad"),
  BLUE("#2f6fde"),
  AMBER("#c9790a"),
  TEAL("#12867c"),
  PLUM("#9a4fb5");

  private static final List<Palette> SERIES = List.of(BLUE, AMBER, TEAL, PLUM, NEUTRAL);

  private final String hex;

  Palette(String hex) {
    this.hex = hex;
  }

  String hex() {
    return hex;
  }

  /** The colour of the i-th series of a chart. */
  static Palette series(int i) {
    return SERIES.get(i % SERIES.size());
  }

  /** Replaces this colour, however a drawing writes it, by its CSS variable. */
  String asVariable(String svg) {
    int rgb = Integer.parseInt(hex.substring(1), 16);
    String decimal = "rgb(%d,%d,%d)".formatted(rgb >> 16, rgb >> 8 & 255, rgb & 255);
    String variable = "var(--%s, %s)".formatted(name().toLowerCase(Locale.ROOT), hex);
    return svg.replace(decimal, variable).replaceAll("(?<!, )" + hex + "\\b", variable);
  }
}
