/** Benchmarks of the SDK; benchmarks/README.md says how to run them and what they measured. */
@NullMarked
package ai.longer.benchmarks;

import org.jspecify.annotations.NullMarked;
