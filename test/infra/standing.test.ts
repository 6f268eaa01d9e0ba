import { describe, expect, it } from "vitest";
import { runProgram } from "../../local-cloud/pulumi/engine.ts";
import { program } from "../harness/program.ts";
import { secretName, stackConfig } from "../harness/stack.ts";

const { config, secretKeys = [] } = stackConfig();
const ownerTag = "c2m-token-rotation";
const owner = "c2m-token-rotation/test/c2m-token-rotation";
const ourKey = "arn:aws:kms:us-east-1:123456789012:key/1234";
const anotherKey = "arn:aws:kms:us-east-1:123456789012:key/5678";

/** The program's preview in an account that has these secrets. */
function preview(secrets: Record<string, { owner: string; kmsKeyId?: string }>, more: Record<string, string> = {}) {
  return runProgram({
    program,
    config: { ...config, ...more },
    secretKeys,
    preview: true,
    secretNames: (filters) => {
      const value = filters.find(({ name }) => name === "tag-value")?.values[0] ?? "";
      return Object.keys(secrets).filter((name) => secrets[name]?.owner.startsWith(value));
    },
    secret: (name) => {
      const secret = secrets[name];
      return secret && { arn: name, kmsKeyId: secret.kmsKeyId ?? "", tags: { [ownerTag]: secret.owner } };
    },
  });
}

const names = JSON.stringify;
const [same, leftOut, neighbour, renamed, secondRotation, keyGone, keyChanged, keyNamed, keyKept] = await Promise.all([
  preview({ [secretName]: { owner } }),
  preview({ [secretName]: { owner }, "c2m/another": { owner }, "c2m/third": { owner } }),
  // The filter takes what begins with the value.
  preview({ [secretName]: { owner }, "mail/token": { owner: `${owner}-2` } }),
  preview({ [secretName]: { owner } }, { name: "another-name" }),
  preview({ "mail/token": { owner } }, { name: "second" }),
  preview({ [secretName]: { owner, kmsKeyId: ourKey } }),
  preview({ [secretName]: { owner, kmsKeyId: "1234" } }, { kmsKey: anotherKey }),
  preview({ [secretName]: { owner, kmsKeyId: "1234" } }, { formerKmsKeys: names([ourKey]) }),
  preview({ [secretName]: { owner, kmsKeyId: ourKey } }, { kmsKey: ourKey }),
]);

const errorsOf = ({ messages }: typeof same) =>
  messages.filter(({ severity }) => severity === "error").map(({ text }) => text);

describe("preview, where the stack's secrets are there already", () => {
  it("has nothing to say where all are declared, and nothing of another rotation's or stack's", () => {
    for (const run of [same, neighbour, secondRotation, keyNamed, keyKept]) {
      expect(errorsOf(run)).toEqual([]);
      expect(run.exitCode).toBe(0);
    }
  });

  it("refuses to leave a secret out whose token lives, once, and names the command that ends its life", () => {
    expect(errorsOf(leftOut)).toEqual([
      expect.stringMatching(
        /^This argument is not valid:\n {2}- tokens \(.+\): must still hold c2m\/another, c2m\/third: .*npx c2m-tokens decommission --stack test --secret c2m\/another --yes c2m\/another;.*docs\/deploy\.md/,
      ),
    ]);
    expect(leftOut.exitCode).not.toBe(0);
  });

  it("refuses another name of the rotation, which would replace the ledger", () => {
    expect(errorsOf(renamed)).toEqual([
      expect.stringMatching(/ {2}- name \(.+\): must stay c2m-token-rotation, whose secret c2m\/api-token is/),
    ]);
  });

  it("refuses another key, or none, without the one before: the reconciler could not read what it has encrypted", () => {
    expect(errorsOf(keyGone)).toEqual([
      expect.stringMatching(
        / {2}- formerKmsKeys \(.+\): must name arn:aws:kms:us-east-1:123456789012:key\/1234, the key/,
      ),
    ]);
    expect(errorsOf(keyChanged)).toEqual([
      expect.stringMatching(/ {2}- formerKmsKeys \(.+\): must name 1234, the key/),
    ]);
  });

  it("registers nothing but the stack and the component where it refuses", () => {
    for (const { resources } of [leftOut, renamed]) {
      expect(resources.filter(({ custom }) => custom).map(({ type }) => type)).toEqual([]);
    }
  });
});
