import fc from "fast-check";
import { expect, test } from "vitest";
import { LocalAccount, operator, token } from "./local-account.ts";

const versions = ["first", "second", "third", "fourth"];
const version = fc.constantFrom(...versions);
const stage = fc.constantFrom("AWSCURRENT", "AWSPENDING", "AWSPREVIOUS", "MINE");

type Step =
  | { kind: "put"; version: string; value: string; stages?: string[] }
  | { kind: "move"; stage: string; to?: string; from?: string }
  | { kind: "rotate"; version: string }
  | { kind: "rotation function"; works: boolean };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record(
    {
      kind: fc.constant("put" as const),
      version,
      value: fc.constantFrom("a", "b"),
      stages: fc.uniqueArray(stage, { minLength: 1, maxLength: 3 }),
    },
    { requiredKeys: ["kind", "version", "value"] },
  ),
  fc.record(
    { kind: fc.constant("move" as const), stage, to: version, from: version },
    { requiredKeys: ["kind", "stage"] },
  ),
  fc.record({ kind: fc.constant("rotate" as const), version }),
  fc.record({ kind: fc.constant("rotation function" as const), works: fc.boolean() }),
);

class Model {
  readonly account = new LocalAccount();
  readonly arn = this.account.engine.createSecret({ Name: "app/token" }, operator).ARN;
  works = true;

  constructor() {
    this.account.step = (event) => {
      if (!this.works) throw new Error("does not work");
      if (this.stagesOf(event.ClientRequestToken).includes("AWSCURRENT")) return;
      this.account.template(event);
    };
  }

  stagesOf(id: string): string[] {
    return this.account.stages(this.arn)[id] ?? [];
  }

  holders(label: string): string[] {
    const stages = this.account.stages(this.arn);
    return Object.keys(stages).filter((id) => stages[id]?.includes(label));
  }

  /** Does a step; what AWS would refuse is refused and changes nothing. */
  async run(step: Step): Promise<boolean> {
    const before = this.account.stages(this.arn);
    try {
      if (step.kind === "rotation function") this.works = step.works;
      if (step.kind === "put") this.account.put(this.arn, step.version, step.value, step.stages);
      if (step.kind === "rotate") this.account.rotate(this.arn, step.version);
      if (step.kind === "move") {
        this.account.engine.updateSecretVersionStage({
          SecretId: this.arn,
          VersionStage: step.stage,
          ...(step.to === undefined ? {} : { MoveToVersionId: token(step.to) }),
          ...(step.from === undefined ? {} : { RemoveFromVersionId: token(step.from) }),
        });
      }
    } catch (error) {
      expect(error).toMatchObject({ name: "AwsError", status: 400 });
      expect(this.account.stages(this.arn)).toEqual(before);
      await this.account.service.idle();
      return false;
    }
    await this.account.service.idle();
    return true;
  }

  hasValue(): boolean {
    return [...(this.account.engine.find(this.arn)?.state.versions.values() ?? [])].some((v) => v.value);
  }
}

test("whatever happens, a label is on one version at most, and AWSCURRENT on exactly one once there is a value", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const model = new Model();
      for (const each of steps) {
        await model.run(each);
        for (const label of ["AWSCURRENT", "AWSPENDING", "AWSPREVIOUS", "MINE"]) {
          expect(model.holders(label).length).toBeLessThanOrEqual(1);
        }
        expect(model.holders("AWSCURRENT")).toHaveLength(model.hasValue() ? 1 : 0);
      }
    }),
    { numRuns: 300 },
  );
});

test("when AWSCURRENT moves, AWSPREVIOUS is where it was", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const model = new Model();
      for (const each of steps) {
        const [before] = model.holders("AWSCURRENT");
        await model.run(each);
        const [after] = model.holders("AWSCURRENT");
        const explicit = each.kind === "put" && each.stages?.includes("AWSPREVIOUS");
        if (before !== undefined && after !== before && !explicit)
          expect(model.holders("AWSPREVIOUS")).toEqual([before]);
      }
    }),
    { numRuns: 300 },
  );
});

test("a value, once stored under a token, never changes, and storing it again changes nothing", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const model = new Model();
      const stored = new Map<string, unknown>();
      for (const each of steps) {
        await model.run(each);
        const { versions: now = new Map() } = model.account.engine.find(model.arn)?.state ?? {};
        for (const { id, value } of now.values()) {
          if (stored.has(id)) expect(value).toEqual(stored.get(id));
          else if (value) stored.set(id, value);
        }
        if (each.kind !== "put") continue;
        const before = model.account.engine.describeSecret({ SecretId: model.arn });
        await model.run(each);
        expect(model.account.engine.describeSecret({ SecretId: model.arn })).toEqual(before);
      }
    }),
    { numRuns: 300 },
  );
});
