package ai.longer.training;

/**
 * Figures of one optimizer step.
 *
 * <p>Immutable; safe for use by several threads.
 *
 * @param step steps done so far
 * @param loss sum w·bce / sum w over all batches of the step
 * @param weight sum of w
 * @param gradientNorm global L2 norm before clipping
 * @param learningRate of the dense parameters
 * @param skipped whether the step changed nothing because loss or gradients were not finite
 * @param numRequests requests in the step
 * @param numEvents events in the step
 * @param numCandidates candidates in the step
 * @param newTableRows rows that growable tables gained
 * @param nonfinite of a skipped step: the first value that was not finite, in words; else empty
 */
public record StepResult(
    long step,
    double loss,
    double weight,
    double gradientNorm,
    double learningRate,
    boolean skipped,
    long numRequests,
    long numEvents,
    long numCandidates,
    long newTableRows,
    String nonfinite) {}
