import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkArgs } from "../../infra/args/check-args.ts";
import type { TokenRotationArgs } from "../../infra/args/rotation-args.ts";
import type { ScheduleExpression } from "../../infra/args/schedule.ts";
import type { TokenArgs } from "../../infra/args/token-args.ts";
import type { Duration } from "../../src/formats/duration.ts";

const good: TokenRotationArgs = {
  clientId: "c2m_x",
  credentials: { clientSecret: "secret-77" },
  tokens: [{ name: "c2m/api-token" }],
};

/** `path: rule` of every problem. */
function problemsOf(args: Record<string, unknown>, name = "rotation"): string[] {
  return checkArgs(name, { ...good, ...args } as TokenRotationArgs).problems.map(
    ({ path, rule }) => `${path}: ${rule}`,
  );
}

const tokenProblems = (token: Record<string, unknown>) => problemsOf({ tokens: [{ name: "t", ...token }] });

describe("a token's arguments", () => {
  it("may be left out but for the name, and are 60 days, an hour's grace, and every 30 days then", () => {
    const { tokens, problems } = checkArgs("rotation", good);
    expect(problems).toEqual([]);
    expect(tokens).toEqual([
      expect.objectContaining({
        name: "c2m/api-token",
        scopes: ["jobs:submit", "jobs:read", "tokens:revoke"],
        lifetimeSeconds: 60 * 86_400,
        graceSeconds: 3_600,
        schedule: "rate(30 days)",
        window: undefined,
        revocation: true,
        // The window of a day, and two hours for its last attempt.
        pendingMaxAgeSeconds: 26 * 3_600,
        // 60 days, less the gap of 30 and the window of one.
        spareSeconds: 29 * 86_400,
      }),
    ]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["a name with a space", { name: "has space" }, "tokens[0].name: must be 1 to 512 of the characters"],
    ["no name", { name: undefined }, "tokens[0].name: must be"],
    [
      "a lifetime that C2M does not grant",
      { lifetime: "91 days" },
      "tokens[0].lifetime: must be from 1 hour to 90 days",
    ],
    ["a grace that is no duration", { grace: "soon" }, "tokens[0].grace: must be a duration"],
    ["no scope", { scopes: [] }, "tokens[0].scopes: must not be empty"],
    ["scopes without tokens:revoke", { scopes: ["jobs:submit"] }, "tokens[0].scopes: must hold tokens:revoke"],
    ["a schedule that is none", { schedule: "weekly" }, "tokens[0].schedule: must be as in"],
    [
      "a schedule oftener than AWS allows",
      { schedule: "rate(3 hours)" },
      "tokens[0].schedule: rate(3 hours) is too often",
    ],
    ["a window of half an hour", { window: "30 minutes" }, "tokens[0].window: must be whole hours"],
    [
      "a window that reaches into the next day",
      { schedule: "cron(0 22 1 * ? *)", window: "3 hours" },
      "tokens[0].window: Duration must not let the window reach into the next UTC day.",
    ],
    [
      "the ARN of another secret",
      { secretArn: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:other-AbCdEf" },
      "tokens[0].secretArn: must be the full ARN",
    ],
    [
      "a partial ARN",
      { secretArn: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:t" },
      "tokens[0].secretArn: must be the full ARN",
    ],
    ["a misspelled argument", { lifetme: "60 days" }, "tokens[0].lifetme: there are name, secretArn, scopes"],
  ])("with %s are refused", (_, token, problem) => {
    expect(tokenProblems(token)).toEqual([expect.stringContaining(problem)]);
  });

  it("with a lifetime of half an hour are refused, which no schedule fits either", () => {
    expect(tokenProblems({ lifetime: "30 minutes" })).toEqual([
      expect.stringContaining("tokens[0].lifetime: must be from 1 hour to 90 days"),
      expect.stringContaining("tokens[0].lifetime: must be longer than"),
    ]);
  });

  it("need no tokens:revoke where revocation is switched off by name", () => {
    expect(tokenProblems({ scopes: ["jobs:submit"], revocation: false })).toEqual([]);
  });

  it("must have names of their own", () => {
    expect(problemsOf({ tokens: [{ name: "a" }, { name: "b" }, { name: "a" }] })).toEqual([
      "tokens[2].name: must be unique among the tokens",
    ]);
  });
});

describe("lifetime, grace and schedule must fit each other", () => {
  it.each<[string, TokenArgs["lifetime"], TokenArgs["grace"], ScheduleExpression, string[]]>([
    [
      "a grace as long as the gap",
      "60 days",
      "30 days",
      "rate(30 days)",
      ["grace: must be shorter than", "lifetime: must be longer than"],
    ],
    [
      "a grace as long as the gap, in a longer life",
      "90 days",
      "30 days",
      "rate(30 days)",
      ["grace: must be shorter than the shortest gap between two rotations, 30 days"],
    ],
    ["a grace one second shorter than the gap", "90 days", "2591999 seconds", "rate(30 days)", []],
    // 30 days, 1 day of window, 1 hour of grace, 1 hour of margin.
    [
      "a life as long as all of it",
      "746 hours",
      "1 hour",
      "rate(30 days)",
      ["lifetime: must be longer than 746 hours"],
    ],
    ["a second longer", "2685601 seconds", "1 hour", "rate(30 days)", []],
    // Two gaps of a month: of 28 days at least, and 31 at most; the window is 16 hours.
    ["a monthly cron's longest gap", "32 days", "1 hour", "cron(0 8 1 * ? *)", []],
    [
      "a monthly cron's longest gap, too long",
      "31 days",
      "1 hour",
      "cron(0 8 1 * ? *)",
      ["lifetime: must be longer than 762 hours"],
    ],
    [
      "a monthly cron's shortest gap",
      "90 days",
      "28 days",
      "cron(0 8 1 * ? *)",
      ["grace: must be shorter than the shortest gap between two rotations, 28 days"],
    ],
    [
      "weekdays: a day apart, three over the weekend",
      "90 hours",
      "1 hour",
      "cron(0 8 ? * MON-FRI *)",
      ["lifetime: must be longer than 90 hours"],
    ],
    ["a leap day", "90 days", "1 hour", "cron(0 0 29 2 ? *)", ["lifetime: must be longer than"]],
  ])("%s", (_, lifetime, grace, schedule, expected) => {
    expect(tokenProblems({ lifetime, grace, schedule })).toEqual(
      expected.map((text) => expect.stringContaining(`tokens[0].${text}`)),
    );
  });

  it("a shorter window makes room", () => {
    const tight = { lifetime: "731 hours", schedule: "rate(30 days)", grace: "1 hour" };
    expect(tokenProblems(tight)).not.toEqual([]);
    expect(tokenProblems({ ...tight, window: "3 hours" })).toEqual([]);
  });

  it("whatever is accepted leaves a token alive until its successor's grace is over", () => {
    const hours = fc.integer({ min: 0, max: 24 * 95 });
    const schedules = fc.oneof(
      fc.integer({ min: 1, max: 90 }).map((days) => [`rate(${days} days)`, days * 24, 24] as const),
      fc.integer({ min: 4, max: 2_000 }).map((every) => [`rate(${every} hours)`, every, 1] as const),
    );
    fc.assert(
      fc.property(hours, hours, schedules, (lifetime, grace, [schedule, gap, window]) => {
        const duration = (count: number): Duration => `${count} hours`;
        const accepted = tokenProblems({ lifetime: duration(lifetime), grace: duration(grace), schedule }).length === 0;
        // The last moment at which the predecessor is needed, after its issue.
        const needed = gap + window + grace;
        expect(accepted).toBe(lifetime >= 1 && lifetime <= 2_160 && grace < gap && needed + 1 < lifetime);
      }),
    );
  });
});

describe("the rotation's arguments", () => {
  it.each<[string, Record<string, unknown>, string]>([
    ["no client id", { clientId: "" }, "clientId: must be the id that C2M gave"],
    ["no mechanism", { credentials: {} }, "credentials: must have exactly one of clientSecret,"],
    ["two mechanisms", { credentials: { clientSecret: "a", otpSeed: "b" } }, "credentials: must have exactly one of"],
    ["no token", { tokens: [] }, "tokens: must name at least one token secret"],
    [
      "a base URL with /auth",
      { baseUrl: "https://api.click2mail.com/v2/auth" },
      'baseUrl: base_url must end before "/auth"',
    ],
    [
      "a base URL without TLS",
      { baseUrl: "http://api.click2mail.com/v2" },
      "baseUrl: base_url must start with https://",
    ],
    [
      "a recovery window that AWS refuses",
      { recoveryWindowInDays: 3 },
      "recoveryWindowInDays: must be 0 or 7 to 30 days",
    ],
    ["a log retention that AWS refuses", { logRetentionDays: 100 }, "logRetentionDays: must be one of 1, 3, 5"],
    [
      "a log that is shorter than a token's life",
      { logRetentionDays: 30 },
      "logRetentionDays: must be at least the longest lifetime, 60 days",
    ],
    ["a region that is none", { replicas: [{ region: "Frankfurt" }] }, "replicas[0].region: must be a region"],
    ["an address that is none", { monitoring: { emails: ["ops"] } }, "monitoring.emails[0]: must be an e-mail address"],
    ["an alias for a key", { kmsKey: "alias/mine" }, 'kmsKey: must be "create", or the full ARN'],
    ["a reader that is no principal", { readers: ["*"] }, "readers[0]: must be the ARN of a role"],
    [
      "a VPC without subnets",
      { vpc: { subnetIds: [], securityGroupIds: ["sg-1"] } },
      "vpc.subnetIds: must be a list of ids",
    ],
    [
      "a short token that may not issue the next",
      { credentials: { shortToken: true } },
      "tokens[0].scopes: must hold tokens:write",
    ],
  ])("with %s are refused", (_, args, problem) => {
    expect(problemsOf(args)).toEqual([expect.stringContaining(problem)]);
  });

  it("with a name that no function can have are refused", () => {
    expect(problemsOf({}, "has space")).toEqual(["name: must be 1 to 48 of the characters A-Z a-z 0-9 _ -"]);
  });

  it("take 0 and 7 to 30 days of recovery", () => {
    for (const recoveryWindowInDays of [0, 7, 30]) expect(problemsOf({ recoveryWindowInDays })).toEqual([]);
  });
});
