import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type Plan, planOnce } from "../../local-cloud/pulumi/plan.ts";
import { alarmNames } from "../../src/formats/metrics.ts";
import { all, declared, kindOf, one, policyIn } from "../harness/declared.ts";
import { program as own, plan } from "../harness/program.ts";
import { stackConfig } from "../harness/stack.ts";

const base = stackConfig();
const two = JSON.stringify([{ name: "c2m/one" }, { name: "c2m/two", schedule: "rate(20 days)", window: "3 hours" }]);
const changed = (config: Record<string, string>) => plan({ ...base, config: { ...base.config, ...config } });
const [program, preview, production, ofTwo, ofSecret, ofGrace, unmonitored] = (await Promise.all([
  plan(base),
  plan({ ...base, preview: true }),
  plan({ ...base, config: { ...base.config, name: "prod", credentialsSecretName: "prod/credentials", tokens: two } }),
  plan({ ...base, config: { ...base.config, tokens: two } }),
  changed({ clientSecret: "another" }),
  changed({ tokens: JSON.stringify([{ name: "c2m/api-token", grace: "3 hours" }]) }),
  changed({ monitoring: "false" }),
])) as [Plan, Plan, Plan, Plan, Plan, Plan, Plan];

const urnOf = (declaredBy: Plan, kind: string, nameEnd = "") => one(declaredBy, kind, nameEnd).urn;

describe("the program", () => {
  it("declares these resources for one token, and no others", () => {
    const name = "c2m-token-rotation";
    expect(declared(program)).toEqual(
      [
        `Alias`,
        ...["rotator", "reconciler"].flatMap((own) => [
          `LambdaFunction ${name}-${own}`,
          `Role ${name}-${own}`,
          `RolePolicy ${name}-${own}`,
          `Function ${name}-${own}`,
          `Permission ${name}-${own}`,
        ]),
        ...["credentials", "c2m/api-token"].flatMap((own) => [`Secret ${name}-${own}`, `SecretPolicy ${name}-${own}`]),
        `SecretVersion ${name}-credentials`,
        `Invocation ${name}-credentials`,
        `Invocation ${name}-c2m/api-token`,
        `SecretRotation ${name}-c2m/api-token`,
        `LogGroup ${name}`,
        `Permission ${name}-daily`,
        ...["reconciler", "daily", "rotated", "rotation-failed"].flatMap((own) => [
          `EventRule ${name}-${own}`,
          `EventTarget ${name}-${own}`,
        ]),
        ...["alarms", "rotations"].flatMap((own) => [`Topic ${name}-${own}`, `TopicPolicy ${name}-${own}`]),
        ...alarmNames.map((alarm) => `MetricAlarm ${name}-${alarm}`),
        `Dashboard ${name}`,
        `Monitoring ${name}`,
        `TokenRotation ${name}`,
        `Stack ${name}-test`,
      ]
        .filter((line) => line !== "Alias")
        .sort(),
    );
  });

  it("gives every resource a parent: its component", () => {
    const component = (resource: Plan["resources"][number]) =>
      program.resources.find(({ urn }) => urn === resource.parent);
    for (const resource of program.resources) {
      if (kindOf(resource) === "Stack") continue;
      const parent = component(resource);
      expect(parent?.custom, `${resource.name} hangs in the air`).toBe(false);
      if (resource.custom) expect(kindOf(parent ?? resource)).not.toBe("Stack");
    }
    expect(one(program, "Function", "-rotator").parent).toBe(urnOf(program, "LambdaFunction", "-rotator"));
    for (const alarm of all(program, "MetricAlarm")) expect(alarm.parent).toBe(urnOf(program, "Monitoring"));
  });

  it("turns rotation on only when Secrets Manager may invoke the function and a token is there", () => {
    expect(one(program, "SecretRotation").dependencies).toEqual(
      expect.arrayContaining([urnOf(program, "Permission", "-rotator"), urnOf(program, "Invocation", "c2m/api-token")]),
    );
  });

  it("makes the log group first, whose taken name AWS refuses, and nothing that could overwrite another stack's before", () => {
    const { urn } = one(program, "LogGroup");
    for (const { custom, name, type, dependencies } of program.resources) {
      if (custom && !type.endsWith(":LogGroup")) expect(dependencies, `${type} ${name}`).toContain(urn);
    }
  });

  it("keeps the credentials before these readable when they change: the version's label is not taken away", () => {
    expect(one(program, "SecretVersion").retainOnDelete).toBe(true);
  });

  it("says whose C2M the credentials are for", () => {
    expect(JSON.parse(String(one(program, "SecretVersion").inputs.secretString))).toEqual({
      client_id: base.config.clientId,
      base_url: base.config.baseUrl,
      client_secret: base.config.clientSecret,
    });
  });

  it("runs no function before its role may do its work", () => {
    for (const own of ["-rotator", "-reconciler"]) {
      expect(one(program, "Function", own).dependencies).toContain(urnOf(program, "RolePolicy", own));
    }
  });

  it("never rotates at once, whatever changes: rotation is for the schedule", () => {
    for (const declaredBy of [program, production]) {
      for (const { inputs } of all(declaredBy, "SecretRotation")) expect(inputs.rotateImmediately).toBe(false);
    }
  });

  it("proves the credentials again when they change, once, and asks C2M nothing where only settings do", () => {
    const triggers = (declaredBy: Plan, end: string) =>
      JSON.stringify(one(declaredBy, "Invocation", end).inputs.triggers);
    expect(triggers(ofSecret, "-credentials")).not.toBe(triggers(program, "-credentials"));
    expect(triggers(ofSecret, "c2m/api-token")).toBe(triggers(program, "c2m/api-token"));
    for (const declaredBy of [ofGrace, unmonitored]) {
      for (const end of ["-credentials", "c2m/api-token"])
        expect(triggers(declaredBy, end)).toBe(triggers(program, end));
    }
  });

  it("declares the same again, to the byte, in another process", async () => {
    const again = await planOnce({ ...base, program: own });
    const bytes = ({ resources }: Plan) =>
      resources
        .filter(({ custom }) => custom)
        .map(
          ({ type, name, inputs }) =>
            `${type} ${name} ${createHash("sha256").update(JSON.stringify(inputs)).digest("hex")}`,
        )
        .sort();
    expect(bytes(again)).toEqual(bytes(program));
  });

  it("declares at preview what it declares at deployment, though ARNs are not known yet", () => {
    expect(declared(preview)).toEqual(declared(program));
    const dependencies = ({ resources }: Plan) =>
      Object.fromEntries(resources.map((resource) => [resource.urn, [...resource.dependencies].sort()]));
    expect(dependencies(preview)).toEqual(dependencies(program));
  });

  it("chains the first tokens of several secrets, since C2M limits how many it issues per minute", () => {
    const [proof, first, second] = all(ofTwo, "Invocation");
    expect(first?.dependencies).toContain(proof?.urn);
    expect(second?.dependencies).toContain(first?.urn);
    expect(first?.dependencies).not.toContain(second?.urn);
  });

  it("hands each token's schedule and window to Secrets Manager", () => {
    expect(all(ofTwo, "SecretRotation").map(({ inputs }) => inputs.rotationRules)).toEqual([
      { scheduleExpression: "rate(30 days)" },
      { scheduleExpression: "rate(20 days)", duration: "3h" },
    ]);
  });

  it("names nothing twice in two stacks side by side", () => {
    const names = ({ resources }: Plan) =>
      resources
        .filter(({ custom }) => custom)
        .flatMap(({ type, inputs, outputs }) => {
          const name = inputs.name ?? outputs.name;
          return typeof name === "string" ? [`${type} ${name}`] : [];
        });
    const mine = new Set(names(program));
    expect(names(production).filter((name) => mine.has(name))).toEqual([]);
  });

  it("leaves what it has as it is when a token is added or removed", () => {
    const inputs = (declaredBy: Plan, kind: string, end: string) => one(declaredBy, kind, end).inputs;
    const onlyOne = ofTwo.resources.filter(({ name }) => !name.endsWith("c2m/two"));
    expect(onlyOne.map(({ urn }) => urn)).toEqual(
      expect.arrayContaining([urnOf(ofTwo, "Secret", "c2m/one"), urnOf(ofTwo, "Invocation", "c2m/one")]),
    );
    for (const kind of ["Secret", "SecretVersion"]) {
      expect(inputs(ofTwo, kind, "-credentials")).toEqual(inputs(program, kind, "-credentials"));
    }
    expect(one(ofTwo, "LogGroup").inputs).toEqual(one(program, "LogGroup").inputs);
  });

  it("grants each role no wildcard action, and a wildcard resource only to what carries the stack's own tag", () => {
    for (const policy of all(program, "RolePolicy")) {
      for (const { Action, Resource, Condition } of policyIn(policy).Statement) {
        const { StringEquals: equals = {} } = (Condition ?? {}) as { StringEquals?: Record<string, string> };
        if (equals["aws:ResourceTag/c2m-token-rotation"] === "c2m-token-rotation/test/c2m-token-rotation") continue;
        for (const action of [Action].flat()) expect(action).toMatch(/^[a-z]+:[A-Za-z]+$/);
        // All streams of one log group.
        for (const resource of [Resource].flat()) expect(String(resource).replace(/:\*$/, "")).not.toContain("*");
      }
    }
  });

  it("tags the token secrets as its own, and not the secret with the credentials, which the roles' grants by tag must not open", () => {
    const ownerOf = (name: string) =>
      (one(program, "Secret", name).inputs.tags as Record<string, string>)["c2m-token-rotation"];
    expect(ownerOf("c2m/api-token")).toBe("c2m-token-rotation/test/c2m-token-rotation");
    expect(ownerOf("-credentials")).toBeUndefined();
  });

  it("runs the reconciler over what is recent each hour, and over everything each day", () => {
    const runs = all(program, "EventTarget").flatMap(({ inputs }) => {
      const rule = all(program, "EventRule").find(({ outputs }) => outputs.name === inputs.rule);
      return inputs.input === undefined ? [] : [[rule?.inputs.scheduleExpression, JSON.parse(String(inputs.input))]];
    });
    expect(runs).toEqual([
      ["rate(1 hour)", { scope: "recent" }],
      ["rate(1 day)", { scope: "all" }],
    ]);
  });

  it("lets the rotator alone read the credentials", () => {
    const { id } = one(program, "Secret", "-credentials");
    const readers = all(program, "RolePolicy").filter(({ inputs }) => String(inputs.policy).includes(id));
    expect(readers.map(({ name }) => name)).toEqual(["c2m-token-rotation-rotator"]);
  });

  it("refuses calls without TLS in the policy of each secret", () => {
    for (const policy of all(program, "SecretPolicy")) {
      expect(policy.inputs.blockPublicPolicy).toBe(true);
      expect(policyIn(policy).Statement).toEqual([
        {
          Sid: "DenyWithoutTls",
          Effect: "Deny",
          Principal: "*",
          Action: "secretsmanager:*",
          Resource: "*",
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        },
      ]);
    }
  });

  it("tags whatever can have tags with its project and rotation", () => {
    const tagged = program.resources.filter(({ inputs }) => inputs.tags !== undefined);
    for (const { inputs } of tagged) {
      expect(inputs.tags).toMatchObject({ Project: "c2m-token-rotation", Rotation: "c2m-token-rotation" });
    }
    expect(new Set(tagged.map(kindOf))).toEqual(
      new Set(["Secret", "Role", "Function", "LogGroup", "EventRule", "Topic", "MetricAlarm"]),
    );
  });

  it("puts out names, ARNs and the commands to read and to rotate, and no value", () => {
    const arn = one(program, "Secret", "c2m/api-token").id;
    expect(program.outputs).toMatchObject({
      tokenSecretArns: { "c2m/api-token": arn },
      readCommands: {
        "c2m/api-token": `aws secretsmanager get-secret-value --region us-east-1 --secret-id ${arn} --query SecretString --output text`,
      },
      rotateNowCommands: { "c2m/api-token": `aws secretsmanager rotate-secret --region us-east-1 --secret-id ${arn}` },
    });
    expect(JSON.stringify(program.outputs)).not.toContain(base.config.clientSecret);
  });
});
