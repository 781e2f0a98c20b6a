/** The command line: one class per command, each on top of the SDK alone. */
@NullMarked
package ai.longer.samples.cli;

import org.jspecify.annotations.NullMarked;
