import type { C2mToken } from "../../../local-cloud/c2m/token-register.ts";
import { holderOf } from "../../../local-cloud/secrets-manager/labels.ts";
import type { Secret } from "../../../local-cloud/secrets-manager/secret.ts";
import { decommissionLabel } from "../../../src/formats/labels.ts";
import { anotherIdOf } from "./c2m-client.ts";
import type { C2ms } from "./c2ms.ts";
import type { CommandName } from "./function-run.ts";
import { tokenTextOf } from "./stored-text.ts";

/** What is known of the world when a command has ended. */
export interface Known {
  c2ms: C2ms;
  secret(index: number): Secret | undefined;
  secretOf: ReadonlyMap<string, number>;
  wereCurrent: ReadonlySet<string>;
  claimed: ReadonlySet<string>;
  /** Whether it is the current token of another secret, and in no version of this one: C2M gave it again, to that one. */
  isOfAnother(token: C2mToken): boolean;
  /** Whether only lines of the log that were lost told of it. */
  isUntold(token: C2mToken): boolean;
  /** Whether somebody else revoked the token, and C2M had no occasion to say so. */
  revokedUnseen(id: string): boolean;
  violation(text: string): void;
}

/** Of a command that begins now: what its result has to be held against when it has ended with status 0. */
export function commandTruth(
  name: CommandName,
  index: number,
  known: Known,
): (result: Record<string, unknown> | undefined) => void {
  const { c2ms, secret, violation } = known;
  const currentToken = () => {
    const found = secret(index);
    return c2ms.byAccessToken((found && tokenTextOf(holderOf(found.state, "AWSCURRENT")?.value)) ?? "");
  };
  const namedBy = (saidId: unknown) => c2ms.tokens.find(({ id }) => [id, anotherIdOf(id)].includes(String(saidId)));
  switch (name) {
    case "rollback":
      return (result) => {
        // By another command its tokens are ended since.
        const found = secret(index);
        if (found && (found.state.deletion || holderOf(found.state, decommissionLabel))) return;
        const [token, named] = [currentToken(), namedBy(result?.tokenId)];
        // Superseded since, as by `pulumi up`.
        if (token && named && token.id !== named.id) return;
        if (token && !c2ms.isLive(token.id) && !known.revokedUnseen(token.id))
          violation("rollback succeeded, and the token that it left is dead");
      };
    case "compromised": {
      const leaked = currentToken();
      return (result) => {
        // The one that it saw: somebody may have stored another before it looked.
        const { id } = namedBy(result?.leakedTokenId) ?? leaked ?? {};
        if (id === undefined) return;
        if (c2ms.isAccepted(id)) violation(`compromised succeeded, and ${id} still works`);
        if (currentToken()?.id === id) violation(`compromised succeeded, and ${id} is still current`);
      };
    }
    case "decommission":
      return (result) => {
        const told = ((result?.alive ?? []) as { until?: string }[]).map(({ until }) => Date.parse(until ?? ""));
        for (const token of c2ms.tokens) {
          if (token.kind !== "long" || known.secretOf.get(token.id) !== index || known.isOfAnother(token)) continue;
          if (c2ms.isLive(token.id) && !known.isUntold(token) && !told.some((until) => until >= token.expiresAt))
            violation(`decommission succeeded, and ${token.id} lives`);
        }
      };
    case "unstick":
      return (result) => {
        const stuck = result?.stuck;
        const pending = secret(index)?.state.versions.get(String(stuck))?.stages.has("AWSPENDING");
        if (pending) violation("unstick succeeded, and the version is still pending");
      };
    case "rotate":
      return (result) => {
        if (!known.wereCurrent.has(String(result?.versionId)))
          violation("rotate succeeded, and its version was never current");
      };
    case "reconcile-now":
      return (result) => {
        const reports = (result?.tokens ?? []) as { revoked: string[] }[];
        for (const id of reports.flatMap(({ revoked }) => revoked)) {
          if (c2ms.isLive(id) && !known.claimed.has(id))
            violation(`reconcile says that ${id} is revoked, and it lives`);
        }
      };
  }
}
