import type { LocalCloud } from "../../local-cloud/cloud.ts";
import type { LetterFigures } from "./letters.ts";
import type { Moment } from "./timeline.ts";

/** Compares what happened with what the project promises. Empty when it was kept. */
export function checkPromise(
  cloud: LocalCloud,
  seen: {
    secretName: string;
    app: { requests: number; failures: number };
    letters: Pick<LetterFigures, "lettersDouble" | "lettersLost">;
    timeline: Moment[];
    log: string[];
    secrets: string[];
  },
): string[] {
  const violations: string[] = [];
  const { engine } = cloud.secretsManager;
  const current = JSON.parse(engine.getSecretValue({ SecretId: seen.secretName }).SecretString ?? "{}") as {
    token_id?: string;
  };
  if (seen.app.failures > 0) violations.push(`I1 no outage: ${seen.app.failures} app requests failed`);
  const { lettersDouble, lettersLost } = seen.letters;
  if (lettersDouble > 0) violations.push(`${lettersDouble} letters were sent twice`);
  if (lettersLost > 0) violations.push(`${lettersLost} letters were lost`);
  for (const { what, tokenId, at } of seen.timeline) {
    if (what === "revoked" && tokenId === currentAt(seen.timeline, at)) {
      violations.push(`I1 no outage: ${tokenId} was revoked while it was AWSCURRENT`);
    }
  }
  for (const { id } of cloud.c2m.liveLongTokens()) {
    if (id !== current.token_id) violations.push(`I2 nothing left alive: ${id} lives and is not AWSCURRENT`);
  }
  if (current.token_id === undefined || !cloud.c2m.isAccepted(current.token_id)) {
    violations.push("I1 no outage: the current token does not work");
  }
  for (const { id } of cloud.c2m.tokens.filter(({ kind }) => kind === "long")) {
    if (!seen.timeline.some(({ what, tokenId }) => what === "issued" && tokenId === id)) {
      violations.push(`I3 nothing lost: ${id} was issued and is not in the log`);
    }
  }
  const text = seen.log.join("\n");
  const secrets = [...seen.secrets, ...cloud.c2m.tokens.map(({ accessToken }) => accessToken)];
  if (secrets.some((secret) => text.includes(secret))) violations.push("I5 nothing leaks: a secret is in the log");
  return violations;
}

function currentAt(timeline: Moment[], time: number): string | undefined {
  return timeline.findLast(({ what, at }) => what === "promoted" && at <= time)?.tokenId;
}
