import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PlannedResource } from "../../../local-cloud/pulumi/plan.ts";
import { kindOf } from "../../harness/declared.ts";
import { currentToken, hour } from "../../harness/stack.ts";
import { deployRelease, recordedRelease } from "../../infra/upgrade/recorded-release.ts";
import { EngineStack } from "./engine-stack.ts";

/** What people would lose with a replacement: values, the ledger, what they encrypted, whom the alarms reach. */
const kept = ["Secret", "LogGroup", "Key", "Alias", "Topic", "TopicSubscription", "Function", "Role"];

const provider = { urn: "urn:pulumi:test::c2m-token-rotation::pulumi:providers:aws::default_7_48_0", id: "recorded" };

/** A stack's resources as the engine keeps them: it names each by the types of all that it is part of. */
function asState(resources: readonly PlannedResource[]) {
  const [stack] = resources;
  const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
  const typesOf = ({ type, parent }: PlannedResource): string[] => {
    const above = byUrn.get(parent);
    return [...(above && above !== stack ? typesOf(above) : []), type];
  };
  const urnOf = (resource: PlannedResource) =>
    `urn:pulumi:test::c2m-token-rotation::${typesOf(resource).join("$")}::${resource.name}`;
  const renamed = (urn: string) => {
    const resource = byUrn.get(urn);
    return resource ? urnOf(resource) : urn;
  };
  const [first, ...rest] = resources.map(({ custom, type, id, inputs, outputs, parent, dependencies, ...resource }) => {
    // The engine would want to know the archive by its hash; without one it is another.
    const { code: _, ...known } = inputs;
    const { code: __, ...made } = outputs;
    return {
      urn: renamed(resource.urn),
      custom,
      type,
      inputs: known,
      outputs: made,
      protect: resource.protect,
      ...(parent ? { parent: renamed(parent) } : {}),
      dependencies: dependencies.map(renamed),
      ...(custom ? { id, provider: `${provider.urn}::${provider.id}` } : {}),
    };
  });
  const version = { version: "7.48.0" };
  return [
    first,
    { ...provider, custom: true, type: "pulumi:providers:aws", inputs: version, outputs: version },
    ...rest,
  ];
}

// Each of these goes on where the one before it ended.
describe("a stack of release 0.1.0 under the Pulumi engine, after `pulumi up` with this program", () => {
  const release = recordedRelease("0.1.0");
  let engine: EngineStack;
  let before: PlannedResource[];

  beforeAll(async () => {
    const { cloud, clock, deployment } = await deployRelease(release);
    before = deployment.plan.resources;
    engine = await EngineStack.create({
      world: { cloud, clock },
      stackName: "test",
      config: {
        "tokens[0].grace": "2 hours",
        "tokens[1].name": "c2m/other",
        "tokens[1].grace": "2 hours",
        kmsKey: "create",
        "alarmEmails[0]": "ops@example.com",
      },
    });
    const manifest = { time: "2026-01-01T00:00:00Z", magic: "", version: "" };
    await engine.stack.importStack({ version: 3, deployment: { manifest, resources: asState(before) } as never });
  });
  afterAll(() => engine.stop());

  const live = () =>
    engine.cloud.c2m
      .liveLongTokens()
      .map(({ id }) => id)
      .sort();

  it("has every secret, log group, key, topic and function where it was, and its tokens", async () => {
    const tokens = live();
    const token = currentToken(engine.cloud).token_id;
    await engine.up();
    const { deployment } = await engine.stack.exportStack();
    const now = new Map(
      (deployment.resources as { urn: string; id?: string }[]).map(({ urn, id }) => [
        urn.split("::").slice(2).join("::"),
        id,
      ]),
    );
    const wanted = before.filter((resource) => kept.includes(kindOf(resource)));
    expect(new Set(wanted.map(kindOf))).toEqual(new Set(kept));
    for (const resource of wanted) {
      const found = [...now].find(([urn]) => urn.endsWith(`${resource.type}::${resource.name}`));
      expect(found?.[1], resource.urn).toBe(resource.id);
    }
    expect(live()).toEqual(tokens);
    expect(currentToken(engine.cloud).token_id).toBe(token);
  });

  it("has nothing to do at the next one", async () => {
    const { same = 0, ...others } = await engine.up();
    expect(same).toBeGreaterThan(40);
    expect(others).toEqual({});
  });

  it("revokes what the release had left, by its lines", async () => {
    await engine.world.clock.advanceBy(3 * hour);
    expect(live()).toEqual(["tok_lt_ce3cbc", "tok_lt_e4ab3b"]);
  });
});
