package ai.longer.training;

/**
 * Figures of one pass over the validation requests, over labelled candidates of the first task.
 *
 * <p>Immutable; safe for use by several threads.
 *
 * @param epoch number of the training pass before it, from 1
 * @param step steps done so far
 * @param logLoss mean cross-entropy in nats
 * @param auc area under the ROC curve; NaN if there is only one class
 * @param numCandidates labelled candidates
 * @param best whether this is the best pass so far by the metric of {@link TrainerOptions}
 */
public record ValidationResult(
    int epoch, long step, double logLoss, double auc, long numCandidates, boolean best) {}
