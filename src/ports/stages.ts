import type { SecretDescription } from "./ports.ts";

/** The version that has a staging label, and not the other one, where one is named. */
export function versionAt(secret: SecretDescription, stage: string, but?: string): string | undefined {
  for (const [versionId, stages] of secret.stages) {
    if (stages.includes(stage) && (but === undefined || !stages.includes(but))) return versionId;
  }
  return undefined;
}
