import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CloudWatchLogsClient, CreateLogStreamCommand, PutLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import type { C2mState } from "../../../local-cloud/c2m/engine.ts";
import { VirtualClock } from "../../../local-cloud/clock.ts";
import { LocalCloud } from "../../../local-cloud/cloud.ts";
import { type Deployment, deploy } from "../../../local-cloud/pulumi/deploy.ts";
import type { Plan, PlannedResource } from "../../../local-cloud/pulumi/plan.ts";
import { withC2mUrl } from "../../../local-cloud/pulumi/program.ts";
import { clientId, clientSecret, logGroup, scopes } from "../../harness/stack.ts";

/** A version of a token secret, as the release stored it. */
interface RecordedVersion {
  secret: string;
  id: string;
  createdDate: number;
  text: string;
}

type Row =
  | { resource: PlannedResource }
  | { token: C2mState["tokens"][number] }
  | { version: RecordedVersion }
  | { ledger: { timestamp: string; message: string } };

/** What a released program declared, and what its functions had written some hours later. */
export interface RecordedRelease {
  plan: Plan;
  tokens: C2mState["tokens"];
  versions: RecordedVersion[];
  ledger: { timestamp: string; message: string }[];
}

/** Reads `release-<version>.jsonl`. Its resources are whole but for the functions' code, which no test needs to run. */
export function recordedRelease(version: string): RecordedRelease {
  const text = readFileSync(join(import.meta.dirname, `release-${version}.jsonl`), "utf8");
  const release: RecordedRelease = { plan: { resources: [], outputs: {} }, tokens: [], versions: [], ledger: [] };
  for (const line of text.trim().split("\n")) {
    const row = JSON.parse(line) as Row;
    if ("resource" in row) release.plan.resources.push(whole(row.resource));
    else if ("token" in row) release.tokens.push(row.token);
    else if ("version" in row) release.versions.push(row.version);
    else release.ledger.push(row.ledger);
  }
  return release;
}

/** The provider's answer repeats the inputs; the code stands in for a function that only says that it ran. */
function whole(resource: PlannedResource): PlannedResource {
  const { code } = resource.inputs as { code?: { files: Record<string, string> } };
  if (code) code.files["index.js"] = "exports.handler = async () => ({});";
  return { ...resource, outputs: { ...resource.inputs, ...resource.outputs } };
}

/** The release deployed into a local cloud, with the secrets, the ledger and the live tokens that it had left. */
export async function deployRelease(
  release: RecordedRelease,
): Promise<{ cloud: LocalCloud; clock: VirtualClock; deployment: Deployment }> {
  const clock = new VirtualClock("2026-01-01T00:00:00Z");
  const c2m = { clients: [{ clientId, clientSecret, scopes }], tokens: release.tokens };
  const cloud = await LocalCloud.start({ clock, state: { secrets: {}, logs: [], c2m } });
  const deployment = await deploy(cloud, release.plan);
  for (const { secret, id, createdDate, text } of withC2mUrl(release.versions, cloud.c2mUrl)) {
    await clock.advanceTo(createdDate);
    const input = { SecretId: secret, ClientRequestToken: id, SecretString: text };
    cloud.secretsManager.engine.putSecretValue(input, cloud.administrator);
  }
  await clock.advanceTo(Math.max(...release.ledger.map(({ timestamp }) => Date.parse(timestamp))) + 1_800_000);
  await writeLedger(cloud, release.ledger);
  return { cloud, clock, deployment };
}

async function writeLedger(cloud: LocalCloud, lines: RecordedRelease["ledger"]): Promise<void> {
  const client = new CloudWatchLogsClient({ ...cloud.clientConfig(), maxAttempts: 1 });
  const stream = { logGroupName: logGroup, logStreamName: "2026/01/01/[$LATEST]0123456789abcdef0123456789abcdef" };
  await client.send(new CreateLogStreamCommand(stream));
  const logEvents = lines.map((line) => ({ timestamp: Date.parse(line.timestamp), message: JSON.stringify(line) }));
  await client.send(new PutLogEventsCommand({ ...stream, logEvents }));
  client.destroy();
}
