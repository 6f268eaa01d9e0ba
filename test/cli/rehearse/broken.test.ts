import { afterEach, describe, expect, it } from "vitest";
import { rotate } from "../../../cli/acting/rotate.ts";
import { commonOptions, Options } from "../../../cli/options.ts";
import type { Rehearsed } from "../../../cli/rehearse/rehearse.ts";
import type { Plan } from "../../../local-cloud/pulumi/plan.ts";
import { policyIn } from "../../harness/declared.ts";
import type { OperatedStack } from "../../harness/operated-stack.ts";
import { changed, withMistakes, withSettings } from "./broken-program.ts";
import { rehearse, sandboxPlan, startSandbox, unheldIn } from "./sandbox.ts";

let stack: OperatedStack | undefined;
afterEach(() => stack?.stop());

/** Which promises a rehearsal of a program finds broken, and what it says of them. */
async function brokenIn(program: Plan, commands: Partial<Rehearsed> = {}): Promise<Record<string, string>> {
  stack = await startSandbox(program);
  const ran = await rehearse(stack, ["--json"], {}, commands);
  expect(ran.code).toBe(1);
  return unheldIn(ran);
}

describe("a rehearsal finds, and names the promise, that", () => {
  it("revocation never happens", async () => {
    const broken = await brokenIn(withSettings(sandboxPlan, { revocation: false }));
    expect(broken).toMatchObject({ revocation: expect.stringContaining("it was not revoked after its grace") });
    expect(broken).not.toHaveProperty("grace");
  });

  it("a token is promoted before it was proven", async () => {
    const program = await withMistakes(sandboxPlan, {
      "src/rotation/proven.ts": [["return at !== undefined && this.#holds(at);", "return true;"]],
      "src/rotation/steps/test-secret.ts": [
        ["const pending = await readBack", "if (versionId) return;\n  const pending = await readBack"],
      ],
    });
    expect(await brokenIn(program)).toMatchObject({ proof: expect.stringContaining("no proof") });
  });

  it("the grace is not kept", async () => {
    const broken = await brokenIn(withSettings(sandboxPlan, { graceSeconds: 0 }));
    expect(broken).toHaveProperty("grace");
  });

  it("a line of the ledger is missing", async () => {
    const program = await withMistakes(sandboxPlan, {
      "src/rotation/store.ts": [['log.event("token.stored", {', "void ({"]],
    });
    const broken = await brokenIn(program);
    expect(Object.keys(broken)).toEqual(["ledger"]);
    expect(broken.ledger).toMatch(/^not there: token\.stored of version /);
  });

  it("an alarm tells nobody", async () => {
    const program = changed(sandboxPlan, "MetricAlarm", ({ name, inputs }) =>
      name.endsWith("-rotator-errors") ? { alarmActions: [] } : inputs,
    );
    const broken = await brokenIn(program);
    expect(broken).toEqual({ alarms: "c2m-token-rotation-rotator-errors tells no topic" });
  });

  it("the topic is deaf to alarms", async () => {
    const program = changed(sandboxPlan, "TopicPolicy", (resource) => {
      const policy = policyIn(resource);
      const isForAlarms = ({ Principal }: Record<string, unknown>) => JSON.stringify(Principal).includes("cloudwatch");
      return { policy: JSON.stringify({ ...policy, Statement: policy.Statement.filter((one) => !isForAlarms(one)) }) };
    });
    expect(await brokenIn(program)).toEqual({ heard: expect.stringContaining("Failed to execute action arn:aws:sns") });
  });

  it("rollback says that it is done, and has moved nothing", async () => {
    const broken = await brokenIn(sandboxPlan, { rollback: async () => 0 });
    expect(broken).toEqual({ rollback: "it said that it is done, and AWSCURRENT has not moved" });
  });

  it("compromised says that the leaked token is dead, and it lives", async () => {
    const compromised: Rehearsed["compromised"] = async (call) => {
      // A new token, and no end of the old one.
      const options = Options.parse(["--wait"], { ...commonOptions, wait: { type: "boolean", help: "" } });
      await rotate({ ...call, options });
      return 0;
    };
    const broken = await brokenIn(sandboxPlan, { compromised });
    expect(broken).toEqual({ compromised: "it said that the leaked token is dead, and C2M accepts it" });
  });
});
