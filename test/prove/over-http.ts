import type { Breach } from "./figures.ts";
export interface OverHttp {
  schedules: number;
  breaches: Breach[];
}
export async function sampleOverHttp(_: {
  seed: number;
  runs: number;
  onProgress: (text: string) => void;
}): Promise<OverHttp> {
  return { schedules: 0, breaches: [] };
}
