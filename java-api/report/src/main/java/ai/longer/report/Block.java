package ai.longer.report;

/** One thing inside a section of a {@link Report}. */
public sealed interface Block permits Table, Figure, Tiles {
  /** Returns this block as an HTML fragment, all text in it escaped. */
  String toHtml();
}
