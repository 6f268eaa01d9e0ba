import { type AddressInfo, createServer } from "node:net";
import { SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { describe, expect, it } from "vitest";
import { SecretsManagerStore } from "../../src/aws/secrets-manager-store.ts";
import { Sensitive } from "../../src/ports/sensitive.ts";
import { failureOf, World } from "../harness/rotation-world.ts";
import { startScriptedServer } from "../harness/scripted-server.ts";

/** A store whose client answers these, one after the other, and what it was asked. */
function answering(...answers: object[]) {
  const asked: { operation: string; input: Record<string, unknown> }[] = [];
  const send = async (command: { input: Record<string, unknown>; constructor: { name: string } }) => {
    asked.push({ operation: command.constructor.name.replace("Command", ""), input: command.input });
    const answer = answers.shift();
    if (answer === undefined) throw new Error("Nobody asked for this.");
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { store: new SecretsManagerStore({ send } as unknown as SecretsManagerClient), asked };
}

describe("the store on Secrets Manager", () => {
  it("describes a secret", async () => {
    const world = await World.ready();
    await world.rotate();
    const { store, arn } = world;
    const description = await store.describe(arn);
    expect(description).toMatchObject({
      arn,
      name: "c2m/api-token",
      rotationEnabled: true,
      lastRotatedAt: world.clock.now(),
      lastChangedAt: world.clock.now(),
      replicasInSync: true,
    });
    expect(description.nextRotationAt).toBeGreaterThan(world.clock.now());
    expect(Object.fromEntries(description.stages)).toEqual(world.stages());
  });

  it("describes a secret without a value, without rotation and without dates", async () => {
    const { store } = answering({});
    expect(await store.describe("the-arn")).toEqual({
      arn: "the-arn",
      name: "the-arn",
      rotationEnabled: false,
      stages: new Map(),
      lastRotatedAt: undefined,
      lastChangedAt: undefined,
      nextRotationAt: undefined,
      replicasInSync: true,
      isReplicated: false,
    });
  });

  it.each([
    [["InSync", "InSync"], true],
    [["InSync", "InProgress"], false],
    [["Failed"], false],
  ])("takes replicas in the states %j for in sync: %s", async (states, inSync) => {
    const { store } = answering({ ReplicationStatus: states.map((Status) => ({ Status })) });
    expect(await store.describe("a")).toMatchObject({ replicasInSync: inSync, isReplicated: true });
  });

  it("reads a version by its id, and finds none where there is none or where it has no value yet", async () => {
    const world = await World.ready();
    const current = world.holder("AWSCURRENT") ?? "";
    const found = await world.store.read(world.arn, current);
    expect(found).toMatchObject({ versionId: current, stages: ["AWSCURRENT"] });
    expect(JSON.parse(found?.value.reveal() ?? "")).toEqual(world.current());
    expect(await world.store.read(world.arn, await world.open())).toBeUndefined();
    expect(await world.store.read(world.arn, "11111111-1111-4111-8111-111111111111")).toBeUndefined();
  });

  it("reads what is current, and finds nothing where nothing is", async () => {
    const world = new World();
    expect(await world.store.readCurrent(world.arn)).toBeUndefined();
    const versionId = world.operator.put("x");
    expect((await world.store.readCurrent(world.arn))?.versionId).toBe(versionId);
  });

  it("reads a binary value as its text", async () => {
    const { store } = answering({ VersionId: "v", SecretBinary: new TextEncoder().encode("täglich") });
    const found = await store.readCurrent("a");
    expect(found?.value.reveal()).toBe("täglich");
    expect(found?.stages).toEqual([]);
  });

  it.each([[{ VersionId: "v" }], [{ SecretString: "x" }]])("takes the answer %j for no value", async (answer) => {
    expect(await answering(answer).store.readCurrent("a")).toBeUndefined();
  });

  it("lists every version, page by page, those without a label included", async () => {
    const created = new Date(5);
    const { store, asked } = answering(
      { Versions: [{ VersionId: "a", VersionStages: ["AWSCURRENT"], CreatedDate: created }, {}], NextToken: "2" },
      { Versions: [{ VersionId: "b" }], NextToken: "3" },
      {},
    );
    expect(await store.listVersions("the-arn")).toEqual([
      { versionId: "a", stages: ["AWSCURRENT"], createdAt: 5 },
      { versionId: "b", stages: [], createdAt: undefined },
    ]);
    expect(asked.map(({ input }) => [input.IncludeDeprecated, input.NextToken])).toEqual([
      [true, undefined],
      [true, "2"],
      [true, "3"],
    ]);
  });

  it("stores a value with its labels and the RotationToken where there is one", async () => {
    const { store, asked } = answering({}, {});
    const version = { secretId: "s", versionId: "v", value: new Sensitive("x"), stages: ["AWSPENDING"] };
    expect(await store.put({ ...version, rotationToken: new Sensitive("rt") })).toBe("stored");
    await store.put({ ...version, rotationToken: undefined });
    const input = { SecretId: "s", ClientRequestToken: "v", SecretString: "x", VersionStages: ["AWSPENDING"] };
    expect(asked).toEqual([
      { operation: "PutSecretValue", input: { ...input, RotationToken: "rt" } },
      { operation: "PutSecretValue", input: { ...input, RotationToken: undefined } },
    ]);
  });

  it("moves a label from one version to another", async () => {
    const { store, asked } = answering({});
    const move = { secretId: "s", stage: "AWSCURRENT", toVersionId: "b", fromVersionId: "a" } as const;
    expect(await store.moveStage(move)).toBe("moved");
    const input = { SecretId: "s", VersionStage: "AWSCURRENT", MoveToVersionId: "b", RemoveFromVersionId: "a" };
    expect(asked).toEqual([{ operation: "UpdateSecretVersionStage", input }]);
  });

  it("reads what was current before", async () => {
    const { store, asked } = answering({ VersionId: "v", SecretString: "x" });
    expect(await store.readPrevious("s")).toMatchObject({ versionId: "v" });
    expect(asked).toEqual([{ operation: "GetSecretValue", input: { SecretId: "s", VersionStage: "AWSPREVIOUS" } }]);
  });

  it.each(["InvalidParameterException", "InvalidRequestException", "ResourceNotFoundException", "ValidationException"])(
    "takes %s in moving a label for one that is elsewhere: AWS documents none of its refusals",
    async (name) => {
      const { store } = answering(Object.assign(new Error("hunter2"), { name }));
      const move = await store.moveStage({ secretId: "s", stage: "AWSCURRENT", toVersionId: "v" });
      expect(move).toBe("elsewhere");
    },
  );

  it("tells that another value is stored under a version id", async () => {
    const { store } = answering(Object.assign(new Error(), { name: "ResourceExistsException" }));
    const value = new Sensitive("x");
    const put = store.put({ secretId: "s", versionId: "v", value, stages: ["AWSPENDING"], rotationToken: undefined });
    expect(await put).toBe("taken");
  });

  it.each(["", "the same"])("ends a list of versions whose token is %j for ever", async (NextToken) => {
    const page = { Versions: [{ VersionId: "v" }], NextToken };
    const { store } = answering(...Array.from({ length: 5 }, () => page));
    expect((await store.listVersions("s")).length).toBeLessThanOrEqual(2);
  });

  it("ends a list of versions whose tokens go in a circle, and reads no page twice", async () => {
    const pages = ["a", "b", "a", "b"].map((NextToken, at) => ({ Versions: [{ VersionId: `v${at % 2}` }], NextToken }));
    const { store, asked } = answering(...pages);
    await store.listVersions("s");
    expect(asked.map(({ input }) => input.NextToken)).toEqual([undefined, "a", "b"]);
  });

  it("ends a list of versions that has another page for ever", async () => {
    const { store, asked } = answering(...Array.from({ length: 101 }, (_, page) => ({ NextToken: String(page) })));
    expect(await store.listVersions("s")).toEqual([]);
    expect(asked).toHaveLength(100);
  });

  it("does not take a denied move for a label elsewhere, and knows that a lost answer leaves it unknown", async () => {
    const denied = answering(Object.assign(new Error(), { name: "AccessDeniedException" })).store;
    const move = { secretId: "s", stage: "AWSPENDING", fromVersionId: "v" } as const;
    expect((await failureOf(denied.moveStage(move))).code).toBe("store_denied");
    const lost = answering(Object.assign(new Error(), { name: "TimeoutError" })).store;
    expect(await failureOf(lost.moveStage(move))).toMatchObject({ name: "AmbiguousError", code: "store_unknown" });
  });

  it("names the call that failed", async () => {
    const denied = () => Object.assign(new Error(), { name: "AccessDeniedException" });
    const { store } = answering(denied(), denied(), denied(), denied());
    expect((await failureOf(store.describe("s"))).message).toMatch(/^DescribeSecret: /);
    expect((await failureOf(store.read("s", "v"))).message).toMatch(/^GetSecretValue: /);
    expect((await failureOf(store.listVersions("s"))).message).toMatch(/^ListSecretVersionIds: /);
    const value = new Sensitive("x");
    const put = store.put({ secretId: "s", versionId: "v", value, stages: [], rotationToken: undefined });
    expect((await failureOf(put)).message).toMatch(/^PutSecretValue: /);
    const move = answering(denied()).store.moveStage({ secretId: "s", stage: "AWSPENDING", fromVersionId: "v" });
    expect((await failureOf(move)).message).toMatch(/^UpdateSecretVersionStage: /);
  });
});

describe("a write through the real SDK", () => {
  const version = {
    secretId: "arn:aws:secretsmanager:us-east-1:000000000000:secret:s-abcdef",
    versionId: "00000000-0000-4000-8000-000000000000",
    value: new Sensitive("v"),
    stages: ["AWSPENDING"],
    rotationToken: undefined,
  };
  const storeAt = (endpoint: string) =>
    new SecretsManagerStore(
      new SecretsManagerClient({
        endpoint,
        region: "us-east-1",
        credentials: { accessKeyId: "a", secretAccessKey: "b" },
      }),
    );

  it("that never connected was not done, in none of the SDK's tries", async () => {
    const server = await startScriptedServer();
    await server.close();
    const error = await failureOf(storeAt(server.url).put(version));
    expect(error).toMatchObject({ name: "RetryableError", code: "store_unavailable" });
    expect(error.message).toContain("Nothing was sent");
    expect(await failureOf(storeAt("http://secrets.invalid").put(version))).toMatchObject({ name: "RetryableError" });
  });

  it("of which one try may have been sent may have been done", async () => {
    const server = await startScriptedServer();
    server.script("reset");
    expect(await failureOf(storeAt(server.url).put(version))).toMatchObject({ name: "AmbiguousError" });
    expect(server.requests.length).toBeGreaterThan(0);
    await server.close();
  });

  it("of which the first try was sent and the others found nobody may have been done", async () => {
    let connections = 0;
    const server = createServer((socket) => {
      connections += 1;
      socket.on("error", () => {}).once("data", () => socket.destroy());
      server.close();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await failureOf(storeAt(url).put(version))).toMatchObject({ name: "AmbiguousError", code: "store_unknown" });
    expect(connections).toBe(1);
  });

  it("of the longest value is sent", async () => {
    const { store } = answering({});
    expect(await store.put({ ...version, value: new Sensitive("ü".repeat(32_768)) })).toBe("stored");
  });

  it("of a value that is too long is refused before it is sent, with its size and the limit", async () => {
    const put = storeAt("http://secrets.invalid").put({ ...version, value: new Sensitive("ü".repeat(32_769)) });
    const error = await failureOf(put);
    expect(error).toMatchObject({ name: "PermanentError", code: "store_limit" });
    expect(error.message).toMatch(/65538 bytes.*65536/);
  });
});
