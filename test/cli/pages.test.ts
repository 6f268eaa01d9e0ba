import { expect, it, vi } from "vitest";
import type { Aws } from "../../cli/aws.ts";
import { connectSdk } from "../../cli/aws-sdk.ts";
import { startScriptedServer } from "../harness/scripted-server.ts";

const env = {
  AWS_ACCESS_KEY_ID: "key",
  AWS_SECRET_ACCESS_KEY: "secret",
  AWS_REGION: "us-east-1",
};

const json = (body: object) => ({
  status: 200,
  headers: { "content-type": "application/x-amz-json-1.1" },
  body: JSON.stringify(body),
});

/** The SDK's chain of providers reads the process's own. */
function connected(url: string): Aws {
  for (const [name, value] of Object.entries({ ...env, AWS_ENDPOINT_URL: url })) vi.stubEnv(name, value);
  return connectSdk(undefined);
}

/** Lists of AWS whose token leads nowhere (row 17). */
it.each([
  ["an empty one", "", 1],
  ["none", null, 1],
  ["always the same", "the same", 2],
])("ends a list whose token is %s", async (_, NextToken, asked) => {
  const server = await startScriptedServer();
  const aws = connected(server.url);
  try {
    server.script(json({ SecretList: [{ Name: "s", RotationLambdaARN: "arn" }], NextToken }));
    expect(new Set(await aws.rotatedSecrets())).toEqual(new Set(["s"]));
    expect(server.requests).toHaveLength(asked);
  } finally {
    aws.close();
    await server.close();
  }
});

it("ends a list that goes round in circles, and takes no part of it for all", async () => {
  const server = await startScriptedServer();
  const aws = connected(server.url);
  try {
    const pages = Array.from({ length: 1_001 }, (_, page) => json({ SecretList: [], NextToken: `${page % 2}` }));
    server.script(...pages);
    await expect(aws.rotatedSecrets()).rejects.toThrow("goes on");
    expect(server.requests).toHaveLength(1_000);
  } finally {
    aws.close();
    await server.close();
  }
});
