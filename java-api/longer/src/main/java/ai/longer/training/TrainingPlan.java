package ai.longer.training;

import java.util.OptionalLong;

/**
 * What a training run is about to do.
 *
 * <p>Immutable; safe for use by several threads.
 *
 * @param epochs passes over the training requests
 * @param batchSize requests per step
 * @param requestsPerEpoch requests of a pass, if the source knows
 */
public record TrainingPlan(int epochs, int batchSize, OptionalLong requestsPerEpoch) {}
