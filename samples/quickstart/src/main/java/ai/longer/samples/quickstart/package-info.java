/**
 * LONGER on MovieLens from raw files to a ranked list; start reading at {@link
 * ai.longer.samples.quickstart.Quickstart}.
 */
@NullMarked
package ai.longer.samples.quickstart;

import org.jspecify.annotations.NullMarked;
