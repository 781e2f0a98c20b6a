package ai.longer.training;

/**
 * What the backward pass computes again instead of keeping it in memory (LONGER §3.6). Gradients
 * have the same bits whichever is chosen.
 */
public enum Recomputation {
  /** Nothing beyond what the device always computes again. */
  NONE,
  /** Event tokens and token merge; on the CPU always so. */
  MERGE,
  /**
   * Those and every layer, which keeps its input rows alone: least memory, about a third slower.
   */
  FULL
}
