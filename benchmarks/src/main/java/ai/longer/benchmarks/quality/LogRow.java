package ai.longer.benchmarks.quality;

import ai.longer.data.Interaction;

/**
 * One row of a log: what a user did, and what a model would have had to predict.
 *
 * @param user as the file names the user
 * @param time epoch second
 * @param event ids in the order of the schema's event features
 * @param candidate ids in the order of the schema's candidate features
 * @param userIds ids in the order of the schema's user features
 * @param label 0 or 1; NaN = the row is an event only
 */
record LogRow(long user, long time, long[] event, long[] candidate, long[] userIds, float label) {

  /** As a row of the user with that number. */
  Interaction of(long number) {
    return new Interaction(number, time, event, candidate, userIds, new float[] {label});
  }
}
