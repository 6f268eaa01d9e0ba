export function patchTime(time: {
  /** Epoch ms. */
  now: () => number;
  sleep: (ms: number) => Promise<void>;
}): () => void;
