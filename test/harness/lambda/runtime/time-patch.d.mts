export function patchTime(time: {
  /** Epoch ms. */
  now: () => number;
  /** Rejects with the signal's reason when that fires first. */
  sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}): () => void;
