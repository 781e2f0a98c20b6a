package ai.longer.training;

/**
 * Deduplicated gradient of a growable table.
 *
 * <p>Arrays are shared, not copied: safe for use by several threads while none changes them.
 *
 * @param ids ids in ascending order, [n]
 * @param rows gradient of each id's row, row-major [n, width]
 * @param width values in a row
 */
public record TableGradient(long[] ids, float[] rows, int width) {}
