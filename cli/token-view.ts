import { decommissionLabel } from "../src/formats/labels.ts";
import { holdsCredentials, type ParsedValue, parseValue, type StoredToken } from "../src/formats/stored-token.ts";
import type { Aws, DescribedSecret } from "./aws.ts";

/** A version of a token secret. */
export interface VersionView {
  versionId: string;
  stages: readonly string[];
  /** Undefined while it has no value. */
  held: ParsedValue | undefined;
  /** Whether the value is a client's credentials in place of a token. */
  isCredentials?: boolean;
}

/** A token secret as Secrets Manager has it now. Holds tokens: what is shown is picked from it. */
export interface TokenView extends Omit<DescribedSecret, "stages"> {
  current: VersionView | undefined;
  previous: VersionView | undefined;
  /** The version at AWSPENDING that is not current: a rotation that has not ended. */
  pending: VersionView | undefined;
  /** Whether AWSPENDING was left on the current version, which does no harm. */
  pendingLeftOver: boolean;
  /** Whether its decommission was begun: nothing is issued for it. */
  isDecommissioned: boolean;
}

/** Looks at a secret and at the values of its labelled versions. */
export async function viewToken(aws: Aws, secretId: string): Promise<TokenView> {
  const { stages: stagesOf, ...secret } = await aws.describeSecret(secretId);
  const at = (stage: string, but?: string) =>
    [...stagesOf].find(([, stages]) => stages.includes(stage) && (but === undefined || !stages.includes(but)))?.[0];
  const read = async (versionId: string | undefined): Promise<VersionView | undefined> => {
    if (versionId === undefined) return undefined;
    const stages = stagesOf.get(versionId) ?? [];
    // The values of a secret that is marked for deletion can't be read.
    const version = secret.deletedAt === undefined ? await aws.store.read(secret.arn, versionId) : undefined;
    if (!version) return { versionId, stages, held: undefined };
    return { versionId, stages, held: parseValue(version.value), isCredentials: holdsCredentials(version.value) };
  };
  const [current, previous, pending] = await Promise.all([
    read(at("AWSCURRENT")),
    read(at("AWSPREVIOUS")),
    read(at("AWSPENDING", "AWSCURRENT")),
  ]);
  const pendingLeftOver = current?.stages.includes("AWSPENDING") ?? false;
  const isDecommissioned = at(decommissionLabel) !== undefined;
  return { ...secret, current, previous, pending, pendingLeftOver, isDecommissioned };
}

/** The token of a version, where it holds one of ours. */
export function tokenOf(version: VersionView | undefined): StoredToken | undefined {
  return version?.held?.kind === "ours" ? version.held.token : undefined;
}

/** When the token of a version expires, in epoch ms; undefined where no expiry is known. */
export function expiryOf(version: VersionView | undefined): number | undefined {
  const token = tokenOf(version);
  return token && Date.parse(token.expiresAt);
}
