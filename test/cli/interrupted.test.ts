import { describe, expect, it } from "vitest";
import { Hold } from "../../local-cloud/faults.ts";
import { type Ended, hour, logGroup, OperatedStack, type Running, secretName } from "../harness/operated-stack.ts";

const moveLabel = { service: "secretsmanager", operation: "UpdateSecretVersionStage" };
const cancelRotation = { service: "secretsmanager", operation: "CancelRotateSecret" };
const issue = { service: "c2m", operation: "issueLongTermToken" };
const exchange = { service: "c2m", operation: "issueShortTermToken" };
const revoke = { service: "c2m", operation: "revokeToken" };

const finishing = "Stopping as soon as what must not be left half done is finished.";

/** A command line that stands still at one of its calls. */
interface Held {
  running: Running;
  /** Lets the call go on. */
  release(): void;
}

/** A stack that has rotated, and what a test needs to know of it. */
class Interrupted {
  readonly stack: OperatedStack;
  /** The ids of the tokens at AWSPREVIOUS and AWSCURRENT. */
  readonly previous: string | undefined;
  readonly current: string | undefined;

  constructor(stack: OperatedStack) {
    this.stack = stack;
    this.previous = stack.tokenIdAt("AWSPREVIOUS");
    this.current = stack.tokenIdAt("AWSCURRENT");
  }

  /** Runs a command until its nth such call has been sent and is not answered. */
  async held(args: string[], at: { service: string; operation: string; nth?: number }): Promise<Held> {
    const hold = new Hold();
    this.stack.cloud.faults.add({ ...at, fault: { kind: "hold", hold } });
    const running = this.stack.start([args[0] ?? "", ...this.stack.named, ...args.slice(1)]);
    const early = running.ended.then(({ stderr }) => Promise.reject(new Error(`It ended before: ${stderr}`)));
    await Promise.race([hold.reached, early]);
    return { running, release: () => hold.release() };
  }

  /** Presses Ctrl-C once, lets the call go on when the command has said that it will stop, and waits for its end. */
  async once({ running, release }: Held): Promise<Ended> {
    running.interrupt();
    await running.said("Press Ctrl-C again to stop at once.");
    release();
    return await running.ended;
  }

  /** Presses Ctrl-C until the command ends; then its call reaches AWS or C2M after all. */
  async repeatedly({ running, release }: Held): Promise<Ended> {
    const pressing = setInterval(() => running.interrupt(), 100);
    const ended = await running.ended.finally(() => clearInterval(pressing));
    release();
    return ended;
  }

  /** Leaves a version at AWSPENDING, with a token that C2M was not seen to accept. */
  async stick(): Promise<void> {
    const fault = { kind: "error", status: 400, code: "invalid_request", message: "no" } as const;
    const withdraw = this.stack.cloud.faults.add({ ...exchange, times: Number.POSITIVE_INFINITY, fault });
    await this.stack.rotate();
    withdraw();
  }

  live(): string[] {
    return this.stack.cloud.c2m.liveLongTokens().map(({ id }) => id);
  }

  /** What the operator wrote into the ledger. */
  ledger(): string[] {
    const lines = this.stack.cloud.logs.lines(logGroup).filter((line) => line.includes('"by":"operator"'));
    return lines.map((line) => (JSON.parse(line) as { message: string }).message);
  }

  isDeleted(): boolean {
    const secret = this.stack.cloud.secretsManager.engine.describeSecret({ SecretId: secretName });
    return secret.DeletedDate !== undefined;
  }

  /** Resolves when what somebody has asked of AWS or C2M is done. */
  called({ service, operation }: { service: string; operation: string }): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = this.stack.cloud.calls.onCall((call) => {
      if (call.service !== service || call.operation !== operation) return;
      stop();
      resolve();
    });
    return promise;
  }
}

/** A test with a stack of its own, which has rotated half an hour ago: of older tokens a rejection by C2M is believed. */
function proves(fact: string, prove: (on: Interrupted) => Promise<void>): void {
  it(fact, async () => {
    const stack = await OperatedStack.start({
      ageMs: hour / 2,
      history: (young) => young.rotate(),
      secretsManager: { refusedRotateRetries: false },
    });
    try {
      await prove(new Interrupted(stack));
    } finally {
      await stack.stop();
    }
  });
}

describe.concurrent("a rollback that is interrupted while a label moves", () => {
  proves("goes on to its end, says what it did, and ends with 130", async (on) => {
    const { code, stdout, stderr } = await on.once(await on.held(["rollback"], moveLabel));
    expect(stdout).toContain(`${on.previous} is current again`);
    expect(stderr).toBe(`\n${finishing} Press Ctrl-C again to stop at once.\n`);
    expect(code).toBe(130);
    expect([on.stack.tokenIdAt("AWSCURRENT"), on.stack.tokenIdAt("AWSPREVIOUS")]).toEqual([on.previous, on.current]);
    expect(on.ledger()).toEqual(["token.promotion.started", "token.promoted"]);
    await on.stack.clock.advanceBy(3 * hour);
    expect(on.live()).toEqual([on.previous]);
  });

  proves("ends an open rotation and moves the label, and not only one of them", async (on) => {
    await on.stick();
    const { code } = await on.once(await on.held(["rollback"], moveLabel));
    expect(code).toBe(130);
    expect(on.stack.labels()).toEqual(["AWSCURRENT", "AWSPREVIOUS"]);
    expect(on.stack.tokenIdAt("AWSCURRENT")).toBe(on.previous);
    expect(on.ledger()).toEqual(["pending.detached", "token.promotion.started", "token.promoted"]);
  });

  proves("moves the label back where C2M rejects the token then, and ends with the refusal", async (on) => {
    const fault = { kind: "error", status: 401, code: "invalid_token", message: "no" } as const;
    on.stack.cloud.faults.add({ ...exchange, nth: 2, times: Number.POSITIVE_INFINITY, fault });
    const { code, stderr } = await on.once(await on.held(["rollback"], { ...exchange, nth: 2 }));
    expect(stderr).toContain("C2M rejects the previous token");
    expect(code).toBe(3);
    expect(on.stack.tokenIdAt("AWSCURRENT")).toBe(on.current);
  });

  proves("takes a signal that comes twice, as npm may pass it on, for one press", async (on) => {
    const held = await on.held(["rollback"], moveLabel);
    held.running.interrupt("SIGTERM");
    const { code, stdout, stderr } = await on.once(held);
    expect(stdout).toContain("is current again");
    expect(stderr).not.toContain("Stopped at once");
    expect(code).toBe(130);
  });

  proves("goes on to its end when its terminal is closed", async (on) => {
    const { running, release } = await on.held(["rollback"], moveLabel);
    running.leave();
    running.interrupt("SIGHUP");
    release();
    expect((await running.ended).code).toBe(130);
    expect(on.stack.tokenIdAt("AWSCURRENT")).toBe(on.previous);
    expect(on.ledger()).toEqual(["token.promotion.started", "token.promoted"]);
  });

  proves("stops at the second Ctrl-C and says how to find out what was left", async (on) => {
    const moved = on.called(moveLabel);
    const { code, stdout, stderr } = await on.repeatedly(await on.held(["rollback"], { ...moveLabel, nth: 2 }));
    expect(stderr).toMatch(/\nStopped at once\. The previous token may be current or not[\s\S]*`c2m-tokens verify`/);
    expect([code, stdout]).toEqual([130, ""]);
    await moved;
    expect(on.ledger()).toEqual([]);
    expect((await on.stack.on("status")).stdout).toContain(on.previous);
    expect((await on.stack.on("verify")).code).toBe(0);
    await on.stack.clock.advanceBy(3 * hour);
    expect(on.live()).toEqual([on.previous]);
  });
});

describe.concurrent("an unstick that is interrupted while the label moves", () => {
  proves("goes on to its end, says what it did, and ends with 130", async (on) => {
    await on.stick();
    const { code, stdout } = await on.once(await on.held(["unstick"], moveLabel));
    expect(stdout).toContain("AWSPENDING is off it.");
    expect(code).toBe(130);
    expect(on.stack.labels()).toEqual(["AWSCURRENT", "AWSPREVIOUS"]);
    expect(on.ledger()).toEqual(["pending.detached"]);
  });

  proves("stops at the second Ctrl-C; run again, it says that nothing is stuck", async (on) => {
    await on.stick();
    const moved = on.called(moveLabel);
    const { code, stderr } = await on.repeatedly(await on.held(["unstick"], moveLabel));
    expect(stderr).toContain("\nStopped at once. AWSPENDING may be off it or not. Run the command again");
    expect(code).toBe(130);
    await moved;
    expect(await on.stack.on("unstick")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("Nothing is stuck"),
    });
    // The ledger lacks the line; the token of the version that was freed is found all the same.
    await on.stack.clock.advanceBy(3 * hour);
    expect(on.live()).toEqual([on.current]);
  });
});

describe.concurrent("a decommission that is interrupted", () => {
  const decommission = ["decommission", "--yes", secretName];

  proves("before the first revocation revokes nothing", async (on) => {
    const { code, stdout, stderr } = await on.once(await on.held(decommission, cancelRotation));
    expect(stderr).toContain("Run the command again: it goes on where it stopped.");
    expect([code, stdout]).toEqual([130, ""]);
    expect(on.live()).toEqual([on.previous, on.current]);
    expect(on.isDeleted()).toBe(false);
  });

  proves(
    "while it revokes a token finishes that one, leaves the others, and goes on when it is run again",
    async (on) => {
      const { code, stdout } = await on.once(await on.held(decommission, revoke));
      expect(stdout).toMatch(
        new RegExp(`waiting (?:17 min|16 min 5\\d s).*\\n(?:  … .* yet\\n)*  revoked ${on.previous}\\n$`),
      );
      expect(code).toBe(130);
      expect(on.live()).toEqual([on.current]);
      expect(on.isDeleted()).toBe(false);
      expect(on.ledger()).toEqual(["token.revoked"]);
      const again = await on.stack.on(...(decommission as [string, ...string[]]));
      expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining(`  revoked ${on.current}\n`) });
      expect([on.live(), on.isDeleted()]).toEqual([[], true]);
    },
  );

  proves("while it revokes the last token keeps the secret, and deletes it when it is run again", async (on) => {
    const { code } = await on.once(await on.held(decommission, { ...revoke, nth: 2 }));
    expect(code).toBe(130);
    expect([on.live(), on.isDeleted()]).toEqual([[], false]);
    expect(on.ledger()).toEqual(["token.revoked", "token.revoked"]);
    expect((await on.stack.on(...(decommission as [string, ...string[]]))).code).toBe(0);
    expect(on.isDeleted()).toBe(true);
  });

  proves("twice stops at once, and goes on when it is run again", async (on) => {
    const revoked = on.called(revoke);
    const { code, stdout, stderr } = await on.repeatedly(await on.held(decommission, revoke));
    expect(stderr).toContain(
      "\nStopped at once. What this run has revoked is missing in the functions' log. Run the command",
    );
    expect(code).toBe(130);
    expect(stdout).not.toContain("revoked tok");
    await revoked;
    expect(on.ledger()).toEqual([]);
    expect((await on.stack.on(...(decommission as [string, ...string[]]))).code).toBe(0);
    expect([on.live(), on.isDeleted()]).toEqual([[], true]);
  });
});

describe.concurrent("an answer to a leak that is interrupted", () => {
  const compromised = ["compromised", "--yes", secretName, "--interval", "0.05"];

  proves("while it rotates stops at once; run again, it revokes the leaked token, too", async (on) => {
    const { running, release } = await on.held(compromised, issue);
    running.interrupt();
    const { code, stderr } = await running.ended;
    expect(stderr).toMatch(/^\nStopping\.\n.*the old token may still live/);
    expect(code).toBe(130);
    release();
    await on.stack.cloud.secretsManager.idle();
    expect(on.stack.tokenIdAt("AWSPREVIOUS")).toBe(on.current);
    expect(on.live()).toContain(on.current);
    const again = await on.stack.on(...(compromised as [string, ...string[]]), "--json");
    expect(again.code).toBe(0);
    // The first run's has lost its last label only now: at the latest the next hourly run revokes it.
    await on.stack.clock.advanceBy(2 * hour);
    expect(on.live()).not.toContain(on.current);
    expect(on.live()).toEqual([on.stack.tokenIdAt("AWSCURRENT")]);
  });

  proves("while the reconciler revokes stops at once, and the reconciler goes on in AWS", async (on) => {
    const { running, release } = await on.held(compromised, revoke);
    const reconciled = on.called({ service: "lambda", operation: "Invoke" });
    running.interrupt();
    expect((await running.ended).code).toBe(130);
    release();
    await reconciled;
    // The one before it has lost its last label only now, and is left to the next run.
    await on.stack.clock.advanceBy(2 * hour);
    expect(on.live()).toEqual([on.stack.tokenIdAt("AWSCURRENT")]);
    expect(on.stack.tokenIdAt("AWSPREVIOUS")).toBe(on.current);
  });
});
