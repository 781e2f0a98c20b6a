package ai.longer.training;

/**
 * Figures of one pass over the training requests.
 *
 * <p>Immutable; safe for use by several threads.
 *
 * @param epoch number of the pass, from 1
 * @param step steps done so far
 * @param loss mean over steps, weighted like the loss itself; NaN if every step was skipped
 * @param numRequests requests in the pass
 * @param numEvents events in the pass
 * @param numCandidates candidates in the pass
 * @param seconds wall time of the pass, validation apart
 */
public record EpochResult(
    int epoch,
    long step,
    double loss,
    long numRequests,
    long numEvents,
    long numCandidates,
    double seconds) {}
