import { describe, expect, it } from "vitest";
import { Hold } from "../../local-cloud/faults.ts";
import { runInProcess } from "../harness/in-process-command.ts";
import { OperatedStack, secretName } from "../harness/operated-stack.ts";

/** Runs a command in this process, on the cloud's time: while it sleeps something happens. */
function operate(stack: OperatedStack, command: string, meanwhile: () => Promise<void>) {
  const args = [command, ...stack.named, "--yes", secretName, "--json"];
  return runInProcess(args, { env: stack.environment(), clock: stack.clock, meanwhile });
}

describe("an answer to a leak", () => {
  it("does not take a gateway's refusal for the token's death, and says what was not seen", async () => {
    const stack = await OperatedStack.start();
    stack.cloud.faults.add({
      service: "c2m",
      operation: "issueShortTermToken",
      // The rotation's own proof is let through.
      nth: 2,
      times: Number.POSITIVE_INFINITY,
      fault: { kind: "gateway", status: 403, body: "html", when: "before" },
    });
    const { code, stdout } = await operate(stack, "compromised", () => stack.cloud.secretsManager.idle());
    expect(JSON.parse(stdout)).toMatchObject({ rejectedAt: null, shortTokensUntil: null });
    expect(code).toBe(1);
    await stack.stop();
  });
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
