import { describe, expect, it } from "vitest";
import { parseEvent } from "../../lambdas/rotator/event.ts";

const step = {
  Step: "createSecret",
  SecretId: "arn:aws:secretsmanager:us-east-1:123456789012:secret:c2m/api-token-AbCdEf",
  ClientRequestToken: "11111111-1111-4111-8111-111111111111",
  RotationToken: "rotation-token-rotation-token-rotation",
};
const others = "This function is invoked by Secrets Manager, or by the deployment of the stack.";

function refusal(event: unknown): { code?: string; message: string } {
  try {
    parseEvent(event);
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error("It was accepted.");
}

describe("an event", () => {
  it.each(["createSecret", "setSecret", "testSecret", "finishSecret"])("is the step %s, in camelCase", (Step) => {
    expect(parseEvent({ ...step, Step })).toEqual({ ...step, Step });
  });

  it("need not bring a RotationToken", () => {
    const { RotationToken: _, ...without } = step;
    expect(parseEvent(without)).toEqual(without);
  });

  it("may bring fields that AWS adds one day, which are left out", () => {
    expect(parseEvent({ ...step, Novelty: 1 })).toEqual(step);
  });

  it("is the proof of the credentials, of no secret", () => {
    expect(parseEvent({ Step: "proveCredentials", tf: {} })).toEqual({ Step: "proveCredentials" });
  });

  it("is the bootstrap of the stack, with what else Pulumi puts into it left out", () => {
    const { SecretId } = step;
    expect(parseEvent({ Step: "bootstrap", SecretId, tf: {} })).toEqual({ Step: "bootstrap", SecretId });
  });

  it.each([32, 64])("may have a ClientRequestToken of %i characters", (length) => {
    const ClientRequestToken = "x".repeat(length);
    expect(parseEvent({ ...step, ClientRequestToken })).toMatchObject({ ClientRequestToken });
  });

  it.each([
    [
      { Step: "create_secret" },
      "Step must be one of createSecret, setSecret, testSecret, finishSecret, bootstrap, proveCredentials",
    ],
    [
      { Step: undefined },
      "Step must be one of createSecret, setSecret, testSecret, finishSecret, bootstrap, proveCredentials",
    ],
    [
      { Step: "reconcile" },
      "Step must be one of createSecret, setSecret, testSecret, finishSecret, bootstrap, proveCredentials",
    ],
    [{ SecretId: undefined }, "SecretId is missing"],
    [{ SecretId: 5 }, "SecretId must be a text"],
    [{ SecretId: "c2m/api-token" }, "SecretId must be the ARN of a secret"],
    [{ SecretId: "arn:aws:lambda:us-east-1:123456789012:secret:x" }, "SecretId must be the ARN of a secret"],
    [{ SecretId: `x${step.SecretId}` }, "SecretId must be the ARN of a secret"],
    [{ SecretId: step.SecretId.replace("9012", "901") }, "SecretId must be the ARN of a secret"],
    [{ SecretId: "arn:aws:secretsmanager:us-east-1:123456789012:secret:" }, "SecretId must be the ARN of a secret"],
    [{ ClientRequestToken: undefined }, "ClientRequestToken is missing"],
    [{ ClientRequestToken: {} }, "ClientRequestToken must be a text"],
    [{ ClientRequestToken: "x".repeat(31) }, "ClientRequestToken must have 32 to 64 characters"],
    [{ ClientRequestToken: "x".repeat(65) }, "ClientRequestToken must have 32 to 64 characters"],
    [{ RotationToken: 5 }, "RotationToken must be a text"],
    [{ Step: "bootstrap", SecretId: undefined }, "SecretId is missing"],
  ])("is refused with %j, and the message names the field and its rule", (change, problem) => {
    expect(refusal({ ...step, ...change })).toMatchObject({
      name: "PermanentError",
      code: "event_invalid",
      message: `${problem}. ${others}`,
    });
  });

  it("is refused with every problem at once", () => {
    expect(refusal({ Step: "setSecret" }).message).toBe(
      `SecretId is missing; ClientRequestToken is missing. ${others}`,
    );
  });

  it.each([[undefined], [null], ["createSecret"], [5], [[]]])("is refused as %j", (event) => {
    expect(refusal(event)).toMatchObject({ code: "event_invalid", message: expect.stringContaining(others) });
  });

  it("is refused without quoting what it holds", () => {
    const values = { Step: "hunter2", SecretId: "hunter2", ClientRequestToken: "hunter2", RotationToken: ["hunter2"] };
    expect(refusal(values).message).not.toContain("hunter2");
    expect(refusal({ ...values, Step: "createSecret" }).message).not.toContain("hunter2");
  });
});
