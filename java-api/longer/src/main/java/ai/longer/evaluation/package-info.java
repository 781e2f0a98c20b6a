/**
 * How good predictions are: ranking metrics, calibration and the uncertainty of a difference.
 *
 * <p>Everything here is plain Java in double precision over {@link
 * ai.longer.evaluation.Predictions}; {@link ai.longer.evaluation.Evaluation} makes those from a
 * trainer and a request source.
 */
@NullMarked
package ai.longer.evaluation;

import org.jspecify.annotations.NullMarked;
