/**
 * The models that LONGER is compared with, on PyTorch: each over the same event tokens, user token,
 * candidate tokens and head as LONGER's, so that they differ in how they read the history.
 */
@NullMarked
package ai.longer.benchmarks.quality.baselines;

import org.jspecify.annotations.NullMarked;
