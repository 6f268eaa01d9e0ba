/**
 * How long to leave the other side alone, in ms: `firstMs` after the first failure, doubled with each that follows, up
 * to `longestMs`; less up to a half of it, so that a fleet does not come back at once.
 *
 * @param failures in a row, 1 or more
 * @param random uniform in [0, 1)
 */
export function backOff(failures: number, firstMs: number, longestMs: number, random: () => number): number {
  return Math.min(longestMs, firstMs * 2 ** (failures - 1)) * (1 - random() / 2);
}
