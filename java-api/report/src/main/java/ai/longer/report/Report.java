package ai.longer.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * One self-contained HTML page: title, sections, charts inline; no script and nothing to load.
 *
 * <p>Every text given is plain and gets escaped. Not safe for use by several threads.
 */
public final class Report {
  private final String title;
  private final String lead;
  private final List<String> sections = new ArrayList<>();

  /**
   * Starts a page.
   *
   * @param title heading and window title
   * @param lead one or two sentences below it
   */
  public Report(String title, String lead) {
    this.title = title;
    this.lead = lead;
  }

  /**
   * Adds a section.
   *
   * @param heading its heading; empty for none
   * @param text the paragraph below the heading; empty for none
   */
  public Report section(String heading, String text, Block... blocks) {
    StringBuilder html = new StringBuilder("<section>\n");
    if (!heading.isEmpty()) {
      html.append("<h2>").append(Html.escape(heading)).append("</h2>\n");
    }
    if (!text.isEmpty()) {
      html.append("<p>").append(Html.escape(text)).append("</p>\n");
    }
    for (Block block : blocks) {
      html.append(block.toHtml());
    }
    sections.add(html.append("</section>\n").toString());
    return this;
  }

  /** Returns the page. */
  public String toHtml() {
    return """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>%s</title>
    <style>
    %s</style>
    </head>
    <body>
    <main>
    <header>
    <h1>%s</h1>
    <p>%s</p>
    </header>
    %s</main>
    </body>
    </html>
    """
        .formatted(
            Html.escape(title),
            styleSheet(),
            Html.escape(title),
            Html.escape(lead),
            String.join("", sections));
  }

  /**
   * Writes the page as UTF-8, replacing a file that is there.
   *
   * @throws UncheckedIOException if it cannot be written
   */
  public void write(Path file) {
    try {
      Files.writeString(file, toHtml());
    } catch (IOException e) {
      throw new UncheckedIOException("[report] cannot write " + file, e);
    }
  }

  private static String styleSheet() {
    try (InputStream in = Report.class.getResourceAsStream("report.css")) {
      if (in == null) {
        throw new IllegalStateException("[report] report.css is missing from the jar");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("[report] cannot read report.css", e);
    }
  }
}
