/** Tests of the quality experiments. */
@NullMarked
package ai.longer.benchmarks.quality;

import org.jspecify.annotations.NullMarked;
