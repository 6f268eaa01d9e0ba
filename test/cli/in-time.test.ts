import { describe, expect, it } from "vitest";
import { type Fault, type GatewayBody, Hold } from "../../local-cloud/faults.ts";
import { runInProcess } from "../harness/in-process-command.ts";
import { OperatedStack, secretName } from "../harness/operated-stack.ts";

/** Runs a command in this process, on the cloud's time: while it sleeps something happens. */
function operate(stack: OperatedStack, command: string, meanwhile: () => Promise<void>) {
  const args = [command, ...stack.named, "--yes", secretName, "--json"];
  return runInProcess(args, { env: stack.environment(), clock: stack.clock, meanwhile });
}

describe("an answer to a leak", () => {
  const said = (status: number, body: GatewayBody): Fault => ({ kind: "gateway", status, body, when: "before" });
  it.each<[string, Fault]>([
    ["403 and a page", said(403, "html")],
    ["302", said(302, "empty")],
    ["200 and a page", said(200, "html")],
    ["404 and JSON without a code", said(404, "message")],
    ["401 and nothing", said(401, "empty")],
    ["401 and a code in another case", { kind: "error", status: 401, code: "INVALID_TOKEN", message: "no" }],
  ])("does not take %s for the token's death, and says what was not seen (row 3)", async (_, fault) => {
    const stack = await OperatedStack.start();
    // The rotation's own proof is let through.
    const from = { service: "c2m", operation: "issueShortTermToken", nth: 2, times: Number.POSITIVE_INFINITY };
    stack.cloud.faults.add({ ...from, fault });
    const { code, stdout } = await operate(stack, "compromised", () => stack.cloud.secretsManager.idle());
    expect(JSON.parse(stdout)).toMatchObject({ rejectedAt: null, shortTokensUntil: null });
    expect(code).toBe(1);
    await stack.stop();
  });
});

it("tells where a replica holds the leaked token back: a person decides (row 9)", async () => {
  const stack = await OperatedStack.start();
  const { engine } = stack.cloud.secretsManager;
  engine.knobs.replicationLagMs = Number.POSITIVE_INFINITY;
  engine.replicateSecretToRegions({ SecretId: secretName, AddReplicaRegions: [{ Region: "eu-west-1" }] });
  const { code, stderr } = await operate(stack, "compromised", () => stack.cloud.secretsManager.idle());
  expect(stderr).toMatch(/not revoked yet: a replica of the secret has not followed.*remove-regions/);
  expect(code).toBe(1);
  await stack.stop();
});

describe("a decommission", () => {
  it("finds the token of a rotation that began before it was stopped, though the log is late and the step slow", async () => {
    const stack = await OperatedStack.start();
    await stack.rotate();
    const { cloud } = stack;
    const longTokens = () => cloud.c2m.tokens.filter(({ kind }) => kind === "long").length;
    const before = longTokens();
    const issue = new Hold();
    const mark = new Hold();
    cloud.faults.add({ service: "c2m", operation: "issueLongTermToken", fault: { kind: "hold", hold: issue } });
    cloud.faults.add({
      service: "secretsmanager",
      operation: "UpdateSecretVersionStage",
      fault: { kind: "hold", hold: mark },
    });
    const { engine } = cloud.secretsManager;
    // Between its look and its mark the schedule begins.
    const began = mark.reached.then(async () => {
      engine.rotateSecret({ SecretId: secretName, ClientRequestToken: crypto.randomUUID() });
      await issue.reached;
      mark.release();
    });
    const { code, stdout } = await operate(stack, "decommission", async () => {
      issue.release();
      await cloud.secretsManager.idle();
    });
    await began;
    expect(JSON.parse(stdout)).toMatchObject({ deleted: true, alive: [] });
    expect(longTokens()).toBe(before + 1);
    expect(cloud.c2m.liveLongTokens()).toEqual([]);
    expect(engine.describeSecret({ SecretId: secretName }).DeletedDate).toBeDefined();
    expect(code).toBe(0);
    await stack.stop();
  });

  it("deletes nothing where somebody switches the rotation on again meanwhile", async () => {
    const stack = await OperatedStack.start();
    const { engine } = stack.cloud.secretsManager;
    let isOn = false;
    const { code, stderr } = await operate(stack, "decommission", async () => {
      if (isOn) return;
      isOn = true;
      engine.rotateSecret({ SecretId: secretName, ClientRequestToken: crypto.randomUUID() });
      await stack.cloud.secretsManager.idle();
    });
    expect(stderr).toContain("switched on again");
    expect(code).toBe(1);
    expect(engine.describeSecret({ SecretId: secretName }).DeletedDate).toBeUndefined();
    expect(stack.cloud.c2m.liveLongTokens().map(({ id }) => id)).toContain(stack.tokenIdAt("AWSCURRENT"));
    await stack.stop();
  });
});
