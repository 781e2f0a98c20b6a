/** Training: a trainer, its options, and what it tells while it runs. */
@NullMarked
package ai.longer.training;

import org.jspecify.annotations.NullMarked;
