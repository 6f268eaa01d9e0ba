import { expect, test } from "vitest";
import { AwsError, type Caller } from "../../aws/service.ts";
import { StsService, stsQuery } from "../../aws/sts.ts";

const caller: Caller = { kind: "administrator", accountId: "123456789012", arn: "arn:aws:iam::123456789012:user/a&b" };

/** The answer to a form, as the front door would give it. */
async function post(form: string) {
  const headers = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
  const call = stsQuery.decode({ method: "POST", target: "/", headers, body: Buffer.from(form) });
  if (!call) throw new Error("The form was not understood.");
  const request = { ...call, caller, region: "eu-west-1", requestId: "request-1" };
  try {
    return stsQuery.encodeResult(call, await new StsService().handle(request), "request-1");
  } catch (error) {
    if (error instanceof AwsError) return stsQuery.encodeError(error, "request-1", "sts");
    throw error;
  }
}

test("GetCallerIdentity tells account and ARN, in XML", async () => {
  const { status, body } = await post("Action=GetCallerIdentity&Version=2011-06-15");
  expect(status).toBe(200);
  expect(body).toBe(
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>' +
      "<Arn>arn:aws:iam::123456789012:user/a&amp;b</Arn><UserId>arn:aws:iam::123456789012:user/a&amp;b</UserId><Account>123456789012</Account>" +
      "</GetCallerIdentityResult><ResponseMetadata><RequestId>request-1</RequestId></ResponseMetadata></GetCallerIdentityResponse>",
  );
});

test("another action is refused and named, in XML", async () => {
  const { status, body } = await post("Action=AssumeRole&Version=2011-06-15");
  expect(status).toBe(400);
  expect(body).toContain(
    "<Code>InvalidAction</Code><Message>sts:AssumeRole is not there; there is: GetCallerIdentity.</Message>",
  );
});
