import { describe, expect, it } from "vitest";
import { hour, logGroup, OperatedStack, secretName } from "../harness/operated-stack.ts";

const soon = ["--interval", "0.05"];

/** Has a rotation fail, and leaves its version pending. */
async function stick(stack: OperatedStack, fault: { operation: string; code: string; status: number }): Promise<void> {
  const { operation, code, status } = fault;
  const withdraw = stack.cloud.faults.add({
    service: "c2m",
    operation,
    times: Number.POSITIVE_INFINITY,
    fault: { kind: "error", status, code, message: "no" },
  });
  await stack.rotate();
  withdraw();
}

/** A test with a stack of its own. */
function acts(fact: string, act: (stack: OperatedStack, live: () => string[]) => Promise<void>): void {
  it(fact, async () => {
    // A refused RotateSecret may run the pending rotation again; here each of them is to stay as it was left.
    const stack = await OperatedStack.start({ secretsManager: { refusedRotateRetries: false } });
    try {
      await act(stack, () => stack.cloud.c2m.liveLongTokens().map(({ id }) => id));
    } finally {
      await stack.stop();
    }
  });
}

describe.concurrent("an operator who acts", () => {
  acts("rotates and sees each step until the new token is current", async (stack) => {
    const before = stack.tokenIdAt("AWSCURRENT");
    const { code, stdout } = await stack.on("rotate", "--wait", ...soon);
    const steps = [
      "createSecret …",
      "issued ",
      "stored ",
      "testSecret …",
      "proven ",
      "finishSecret …",
      "promoted to AWSCURRENT",
    ];
    const places = steps.map((text) => stdout.indexOf(text));
    expect(places.every((place) => place >= 0)).toBe(true);
    expect(places).toEqual([...places].sort((one, other) => one - other));
    expect(stdout).toContain(`${stack.tokenIdAt("AWSCURRENT")} is current`);
    expect(stack.tokenIdAt("AWSPREVIOUS")).toBe(before);
    expect(code).toBe(0);
  });

  acts("is told why a rotation failed, frees the way with unstick, and rotates again", async (stack) => {
    await stick(stack, { operation: "issueLongTermToken", status: 400, code: "invalid_scope" });
    const refused = await stack.on("rotate", "--wait", ...soon);
    expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining("c2m-tokens unstick") });
    const status = await stack.on("status");
    expect(status.stdout).toMatch(/The last rotation failed .* in createSecret: .*Check the scopes/);
    expect(status.code).toBe(1);

    const dry = await stack.on("unstick", "--dry-run");
    expect(dry.stdout).toMatch(/failed .* in createSecret[\s\S]*holds no value[\s\S]*Would take AWSPENDING off/);
    expect(stack.labels()).toContain("AWSPENDING");
    const { code, stdout } = await stack.on("unstick");
    expect(stdout).toContain("AWSPENDING is off it.");
    expect(code).toBe(0);
    expect(stack.labels()).toEqual(["AWSCURRENT"]);
    expect((await stack.on("rotate", "--wait", ...soon)).code).toBe(0);
    expect((await stack.on("unstick")).stdout).toContain("Nothing is stuck");
  });

  acts("sees the reason when the rotation fails while it is watched", async (stack) => {
    stack.cloud.faults.add({
      service: "c2m",
      operation: "issueShortTermToken",
      times: Number.POSITIVE_INFINITY,
      fault: { kind: "error", status: 400, code: "invalid_request", message: "no" },
    });
    const { code, stdout, stderr } = await stack.on("rotate", "--wait", ...soon);
    expect(code).toBe(1);
    expect(stdout).toContain("stored   at AWSPENDING");
    expect(stderr).toMatch(/The rotation failed in testSecret: issueShortTermToken: C2M answered HTTP 400/);
  });

  acts(
    "leaves the token of a version that was unstuck to the reconciler, which learns of it from the log",
    async (stack, live) => {
      await stick(stack, { operation: "issueShortTermToken", status: 400, code: "invalid_request" });
      const stuck = live().find((id) => id !== stack.tokenIdAt("AWSCURRENT"));
      const { stdout } = await stack.on("unstick");
      expect(stdout).toContain(`holds the token ${stuck}`);
      expect(stack.cloud.logs.lines(logGroup).join("\n")).toContain('"message":"pending.detached"');
      await stack.clock.advanceBy(3 * hour);
      expect(live()).toEqual([stack.tokenIdAt("AWSCURRENT")]);
    },
  );

  acts("does not unstick while a step may still be at work", async (stack) => {
    const pending = { Step: "createSecret", message: "step.started", step: "createSecret" };
    const { engine } = stack.cloud.secretsManager;
    await stick(stack, { operation: "issueLongTermToken", status: 400, code: "invalid_scope" });
    const line = JSON.stringify({
      ...pending,
      secret: engine.describeSecret({ SecretId: secretName }).ARN,
      version_id: "v",
    });
    stack.cloud.logs.append(logGroup, "stream", line);
    const { code, stderr } = await stack.on("unstick");
    expect(code).toBe(3);
    expect(stderr).toContain("createSecret may still be at work");
    expect(stack.labels()).toContain("AWSPENDING");
  });

  acts("goes back to the previous token, and the replaced one keeps its grace", async (stack, live) => {
    const first = stack.tokenIdAt("AWSCURRENT");
    await stack.rotate();
    const second = stack.tokenIdAt("AWSCURRENT");
    expect((await stack.on("rollback", "--grace", "1 hour", "--dry-run")).stdout).toContain(`Would exchange ${first}`);
    expect(stack.tokenIdAt("AWSCURRENT")).toBe(second);
    const { code, stdout } = await stack.on("rollback", "--grace", "1 hour");
    expect(stdout).toContain(`${first} is current again`);
    expect(code).toBe(0);
    expect(stack.tokenIdAt("AWSCURRENT")).toBe(first);
    expect(stack.tokenIdAt("AWSPREVIOUS")).toBe(second);
    await stack.clock.advanceBy(hour / 2);
    expect(live()).toEqual([first, second]);
    await stack.clock.advanceBy(2 * hour);
    expect(live()).toEqual([first]);
  });

  acts("does not go back to a token that was revoked, nor where there is none", async (stack) => {
    expect(await stack.on("rollback")).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("no previous version"),
    });
    await stack.rotate();
    await stack.clock.advanceBy(3 * hour);
    const current = stack.tokenIdAt("AWSCURRENT");
    expect(await stack.on("rollback")).toMatchObject({ code: 3, stderr: expect.stringContaining("was revoked") });
    expect(stack.tokenIdAt("AWSCURRENT")).toBe(current);
  });

  acts("answers a leak: a new token, the old ones dead at once, and a report with the times", async (stack, live) => {
    stack.cloud.c2m.knobs.revocationDelayMs = 300;
    await stack.rotate();
    const leaked = stack.tokenIdAt("AWSCURRENT");
    const unconfirmed = await stack.on("compromised");
    expect(unconfirmed).toMatchObject({ code: 3, stderr: expect.stringContaining(`--yes ${secretName}`) });
    const other = await stack.on("compromised", "--yes", "other");
    expect(other).toMatchObject({ code: 3, stderr: expect.stringContaining('--yes names "other"') });
    expect(stack.tokenIdAt("AWSCURRENT")).toBe(leaked);

    const { code, stdout } = await stack.on("compromised", "--yes", secretName, "--json", ...soon);
    const report = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(report).toMatchObject({ leakedTokenId: leaked, newTokenId: stack.tokenIdAt("AWSCURRENT"), unrevocable: [] });
    const { startedAt, promotedAt, seenCurrentAt, revokedAt, rejectedAt } = report;
    const times = [startedAt, promotedAt, seenCurrentAt, revokedAt, rejectedAt].map(Date.parse);
    expect(times).toEqual([...times].sort((one, other) => one - other));
    expect(Date.parse(report.shortTokensUntil) - Date.parse(report.rejectedAt)).toBe(15 * 60_000);
    expect(live()).not.toContain(leaked);
    // An older one has lost its last label only now, and is left to the next run.
    await stack.clock.advanceBy(2 * hour);
    expect(live()).toEqual([stack.tokenIdAt("AWSCURRENT")]);
  });

  it("answers a leak where there is no grace: the step that promoted has revoked it (row 3)", async () => {
    const stack = await OperatedStack.start({ token: { grace: "0 seconds" } });
    try {
      const leaked = stack.tokenIdAt("AWSCURRENT");
      const { code, stdout } = await stack.on("compromised", "--yes", secretName, "--json", ...soon);
      expect(JSON.parse(stdout)).toMatchObject({ leakedTokenId: leaked, revokedTokenIds: [leaked], unrevocable: [] });
      expect(code).toBe(0);
    } finally {
      await stack.stop();
    }
  });

  acts(
    "ends a token's life: every token revoked, the schedule stopped, the secret marked for deletion",
    async (stack, live) => {
      await stack.rotate();
      const { engine } = stack.cloud.secretsManager;
      engine.replicateSecretToRegions({ SecretId: secretName, AddReplicaRegions: [{ Region: "eu-west-1" }] });
      const replicated = await stack.on("decommission", "--yes", secretName);
      expect([replicated.code, replicated.stderr]).toEqual([
        3,
        expect.stringContaining(`--secret-id ${secretName} --remove-replica-regions eu-west-1`),
      ]);
      engine.removeRegionsFromReplication({ SecretId: secretName, RemoveReplicaRegions: ["eu-west-1"] });
      const dry = await stack.on("decommission", "--dry-run");
      for (const id of live()) expect(dry.stdout).toContain(id);
      expect(dry.stdout).toMatch(/wait up to \d+ min/);
      expect(live()).toHaveLength(2);
      expect((await stack.on("decommission")).code).toBe(3);
      const { code, stdout } = await stack.on("decommission", "--yes", secretName, "--recovery-days", "7");
      expect(stdout).toMatch(/revoked tok_lt_\S+\n.*revoked tok_lt_\S+\nc2m\/api-token is deleted on/);
      expect(code).toBe(0);
      expect(live()).toEqual([]);
      const secret = stack.cloud.secretsManager.engine.describeSecret({ SecretId: secretName });
      expect(secret).toMatchObject({ RotationEnabled: false, DeletedDate: expect.any(Number) });
      for (const args of [["decommission", "--yes", secretName], ["unstick"], ["rollback"], ["rotate"]]) {
        const { code, stderr } = await stack.on(...(args as [string, ...string[]]));
        expect([code, stderr]).toEqual([3, expect.stringContaining("was decommissioned and is marked for deletion")]);
      }
      const status = await stack.on("status");
      expect(status.stdout).toContain("was decommissioned and marked for deletion");
      expect([status.code, status.stdout]).toEqual([1, expect.not.stringContaining("restore-secret")]);
    },
  );

  acts("gives a decommission up that was begun, so that tokens are issued again", async (stack) => {
    stack.cloud.c2m.knobs.selfRevocation = false;
    expect((await stack.on("decommission", "--yes", secretName)).code).toBe(1);
    expect((await stack.on("status")).stdout).toContain("Its decommission was begun and not completed");
    const rotate = await stack.on("rotate");
    expect([rotate.code, rotate.stderr]).toEqual([3, expect.stringContaining("decommission --cancel --secret")]);
    const rollback = await stack.on("rollback");
    expect([rollback.code, rollback.stderr]).toEqual([3, expect.stringContaining("decommission --cancel --secret")]);
    expect((await stack.on("decommission", "--cancel", "--dry-run")).stdout).toContain("Would let tokens be issued");
    const { code, stdout } = await stack.on("decommission", "--cancel");
    expect([code, stdout]).toEqual([0, expect.stringContaining("Tokens may be issued for c2m/api-token again")]);
    expect((await stack.on("status")).stdout).not.toContain("decommission was begun");
    expect((await stack.on("decommission", "--cancel")).stdout).toContain("No decommission of c2m/api-token was begun");
  });

  acts(
    "keeps the secret where a token could not be revoked for the moment, and goes on at the next try",
    async (stack, live) => {
      const withdraw = stack.cloud.faults.add({
        service: "c2m",
        operation: "revokeToken",
        times: Number.POSITIVE_INFINITY,
        fault: { kind: "error", status: 400, code: "bad_request", message: "no" },
      });
      const kept = await stack.on("decommission", "--yes", secretName);
      expect(kept).toMatchObject({ code: 1, stderr: expect.stringContaining("the secret is kept") });
      expect(stack.cloud.secretsManager.engine.describeSecret({ SecretId: secretName }).DeletedDate).toBeUndefined();
      withdraw();
      expect((await stack.on("decommission", "--yes", secretName)).code).toBe(0);
      expect(live()).toEqual([]);
    },
  );

  acts(
    "keeps the secret of a token that nobody can revoke, with its expiry, unless that is accepted",
    async (stack) => {
      stack.cloud.c2m.knobs.selfRevocation = false;
      const kept = await stack.on("decommission", "--yes", secretName);
      expect(kept.stdout).toMatch(
        /alive {3}tok_lt_\S+ until 20\d\d-.*nobody can revoke it[\s\S]*is kept while they live/,
      );
      expect(kept.code).toBe(1);
      const { engine } = stack.cloud.secretsManager;
      expect(engine.describeSecret({ SecretId: secretName }).DeletedDate).toBeUndefined();
      const { code, stdout } = await stack.on("decommission", "--yes", secretName, "--accept-alive");
      expect(stdout).toMatch(/alive {3}tok_lt_\S+ until 20\d\d-[\s\S]*is deleted on/);
      expect(code).toBe(0);
    },
  );

  acts("leaves a secret that was lent to its owner, unless it is told to delete it", async (stack, live) => {
    const { engine } = stack.cloud.secretsManager;
    engine.updateSecret({ SecretId: secretName, Description: "ours since 2019" }, stack.cloud.administrator);
    const kept = await stack.on("decommission", "--yes", secretName);
    expect(kept.stdout).toContain("c2m/api-token is kept, with a dead token: it is not this stack's own");
    expect([kept.code, live()]).toEqual([0, []]);
    expect(engine.describeSecret({ SecretId: secretName }).DeletedDate).toBeUndefined();
    expect((await stack.on("decommission", "--yes", secretName, "--delete-lent")).code).toBe(0);
    expect(engine.describeSecret({ SecretId: secretName }).DeletedDate).toBeDefined();
  });

  acts("has the reconciler look now, and gets its report", async (stack) => {
    await stack.rotate();
    const { code, stdout } = await stack.on("reconcile");
    expect(stdout).toMatch(/c2m\/api-token {2}done[\s\S]*in grace {5}1/);
    expect(code).toBe(0);
  });
});
