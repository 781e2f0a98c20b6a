/**
 * A plain HTML report of a trained model: tables and charts on one page that opens without a
 * network.
 *
 * <p>Charts are inline SVG drawn by Lets-Plot (JetBrains, MIT licence): it renders from plain data
 * without AWT, so no display, no fonts and no browser are needed where the report is written. The
 * alternatives draw through {@code Graphics2D} and need the fonts of the machine, and XChart's SVG
 * exporter is LGPL. Colours are CSS variables with fixed fall-backs: the page follows the reader's
 * light or dark preference, and a chart saved alone stays readable on both.
 */
@NullMarked
package ai.longer.report;

import org.jspecify.annotations.NullMarked;
