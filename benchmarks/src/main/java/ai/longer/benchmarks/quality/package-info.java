/**
 * Does the model learn what it claims to? Data sets, planted data, contenders, and the experiments
 * that compare them.
 */
@NullMarked
package ai.longer.benchmarks.quality;

import org.jspecify.annotations.NullMarked;
