package ai.longer.report;

/**
 * A chart with its caption; {@link Charts} draws them.
 *
 * @param svg one {@code <svg>} element whose texts are escaped
 * @param caption what the chart shows, also its description for screen readers; plain text
 */
public record Figure(String svg, String caption) implements Block {
  @Override
  public String toHtml() {
    return "<figure>\n%s\n<figcaption>%s</figcaption></figure>\n"
        .formatted(svg, Html.escape(caption));
  }
}
