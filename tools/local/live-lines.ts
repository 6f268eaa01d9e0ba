import type { LocalCloud } from "../../local-cloud/cloud.ts";

/** Something that happened, in the columns of a line. */
export interface LiveLine {
  /** `issued`, `rotation`, `refused`. */
  what: string;
  /** The id of a token, the name of a secret, or who called. */
  whom: string;
  /** More about it. Holds no secret. */
  note: string;
}

type Fields = Record<string, string | undefined>;

/** The functions' log events that are worth a line, and what it says; the others are steps on the way. */
const events: Record<string, (fields: Fields) => Partial<LiveLine>> = {
  "token.issue.refused": ({ secret, code }) => ({ what: "failed", whom: nameOf(secret), note: `not issued: ${code}` }),
  "token.issue.ambiguous": ({ secret, code }) => ({
    what: "failed",
    whom: nameOf(secret),
    note: `a token may have been issued: ${code}`,
  }),
  "token.issued": ({ expires_at }) => ({ what: "issued", note: `expires ${expires_at?.slice(0, 10)}` }),
  "token.stored": ({ secret, version_id }) => ({ what: "stored", note: `in ${nameOf(secret)}, version ${version_id}` }),
  "token.promoted": ({ secret }) => ({ what: "promoted", note: `is AWSCURRENT of ${nameOf(secret)}` }),
  "token.found": ({ secret, token_id }) => ({
    what: "found",
    whom: `${token_id}`,
    note: `stored by hand in ${nameOf(secret)}`,
  }),
  "token.adopted": ({ secret }) => ({ what: "adopted", whom: nameOf(secret), note: "a value that is not ours" }),
  "token.rejected": () => ({ what: "rejected", note: "C2M rejects the current token" }),
  "token.revoked": () => ({ what: "revoked" }),
  "token.unrevocable": ({ reason, expires_at }) => ({
    what: "unrevocable",
    note: `${reason}; expires ${expires_at ?? "at a time unknown"}`,
  }),
  "token.revocation.failed": ({ code }) => ({ what: "failed", note: `not revoked yet: ${code}` }),
  "token.suspected": ({ secret, latest_expires_at }) => ({
    what: "suspected",
    whom: nameOf(secret),
    note: `a token may live until ${latest_expires_at}`,
  }),
  "credentials.proven": ({ secret }) => ({
    what: "proven",
    whom: nameOf(secret),
    note: "the client's credentials work",
  }),
  "pending.detached": ({ secret, reason }) => ({
    what: "detached",
    whom: nameOf(secret),
    note: `AWSPENDING: ${reason}`,
  }),
  "step.failed": ({ secret, step, code, reason }) => ({
    what: "failed",
    whom: nameOf(secret),
    note: `${step}: ${code}: ${reason}`,
  }),
  "reconcile.failed": ({ secret, code, reason }) => ({
    what: "failed",
    whom: nameOf(secret),
    note: `reconciler: ${code}: ${reason}`,
  }),
};

/** Tells what happens in the cloud as it happens: to tokens, rotations, letters, and callers who are refused. */
export function watch(cloud: LocalCloud, onLine: (line: LiveLine) => void): void {
  const tokenOf = new Map<string, string>();
  const tell = (line: Partial<LiveLine>) => onLine({ what: "", whom: "-", note: "", ...line });
  cloud.logs.onLine(({ message }) => {
    const fields = fieldsOf(message);
    const { token_id: tokenId, version_id: versionId = "" } = fields;
    const describe = events[fields.message ?? ""];
    if (!describe) return;
    // The promotion names the version only.
    if (tokenId !== undefined) tokenOf.set(versionId, tokenId);
    const whom = tokenId ?? tokenOf.get(versionId);
    tell({ ...(whom === undefined ? {} : { whom }), ...describe(fields) });
  });
  cloud.bus.onEvent(({ detail }) => {
    const { eventName, additionalEventData, errorMessage } = detail;
    if (typeof eventName !== "string") return;
    const secret = (additionalEventData as { SecretId?: string } | undefined)?.SecretId;
    tell({
      what: "rotation",
      whom: nameOf(secret),
      note: `${words(eventName)}${errorMessage === undefined ? "" : `: ${errorMessage}`}`,
    });
  });
  cloud.c2m.jobs.onAccepted(({ requestId, tokenId, repeats }) => {
    const again = repeats === undefined ? "" : `: the same letter as request ${repeats}, mailed again`;
    tell({ what: "accepted", whom: tokenId, note: `POST /static, request ${requestId}${again}` });
  });
  cloud.calls.onCall(({ service, operation, caller, error }) => {
    if (error === undefined) return;
    // A function asks for what may not be there yet, and is told.
    if (error === "ResourceNotFoundException" && caller.includes(":assumed-role/")) return;
    tell({ what: "refused", whom: caller.split("/").at(-1) ?? "", note: `${service} ${operation}: ${error}` });
  });
}

/** One line of text, with the time of day here. */
export function textOf({ what, whom, note }: LiveLine, now: number): string {
  const time = new Date(now).toTimeString().slice(0, 8);
  return `${time}  ${what.padEnd(11)}  ${whom.padEnd(16)}  ${note}`.trimEnd();
}

/** `TestRotationStarted` as a person says it. */
function words(eventName: string): string {
  return eventName
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .replace(/^rotation /, "");
}

/** The name of a secret from its ARN, or whatever else names it. */
function nameOf(secret: string | undefined): string {
  return /:secret:(.+)-[A-Za-z0-9]{6}$/.exec(secret ?? "")?.[1] ?? secret ?? "-";
}

function fieldsOf(message: string): Fields {
  try {
    return JSON.parse(message) as Fields;
  } catch {
    return {};
  }
}
