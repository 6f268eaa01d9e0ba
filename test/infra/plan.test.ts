import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planRotation } from "../../infra/args/plan.ts";
import type { TokenRotationArgs } from "../../infra/args/rotation-args.ts";
import { parseSchedule, reachOf } from "../../infra/args/schedule.ts";
import type { TokenArgs } from "../../infra/args/token-args.ts";
import { settingsOf } from "../harness/declared.ts";
import { plan } from "../harness/program.ts";

const good: TokenRotationArgs = {
  clientId: "c2m_x",
  clientSecret: "secret-77",
  tokens: [{ name: "c2m/api-token" }],
};

/** A stack that hands one argument over as another resource would. */
const deployed = (key: string, value: unknown) =>
  plan({
    main: "test/infra/late-arguments.ts",
    config: { clientSecret: "secret-77", key, value: JSON.stringify(value) },
    secretKeys: ["clientSecret"],
  });
const [lateUrl, lateClient] = await Promise.all([
  deployed("baseUrl", "https://c2m.example.com/v2/"),
  deployed("clientId", "c2m_late"),
]);

/** `path: rule` of every problem. */
function problemsOf(args: Record<string, unknown>, name = "rotation"): string[] {
  return planRotation(name, { ...good, ...args } as TokenRotationArgs).problems.map(
    ({ path, rule }) => `${path}: ${rule}`,
  );
}

/** So many tokens, whose names begin so. */
const many = (count: number, start: string) =>
  Array.from({ length: count }, (_, index) => ({ name: `${start}${index}` }));

const tokenProblems = (token: Record<string, unknown>) => problemsOf({ tokens: [{ name: "t", ...token }] });

describe("a token's arguments", () => {
  it("may be left out but for the name, and are 60 days, an hour's grace, and every 30 days then", () => {
    const { plan: planned, problems } = planRotation("rotation", good);
    expect(problems).toEqual([]);
    expect(planned.tokens).toEqual([
      expect.objectContaining({
        name: "c2m/api-token",
        scopes: ["jobs:submit", "tokens:revoke"],
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
    [
      "a schedule that AWS refuses later",
      { schedule: "rate(250000 hours)" },
      "tokens[0].schedule: rate(…) must be at most",
    ],
    [
      "a schedule with a weekday nearest to a date",
      { schedule: "cron(0 8 1W * ? *)" },
      "tokens[0].schedule: A field of cron(0 8 1W",
    ],
    [
      "a schedule with a ? in the wrong field",
      { schedule: "cron(0 8 1 ? ? *)" },
      "tokens[0].schedule: A field of cron(0 8 1 ?",
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
  it.each<[string, string, string, string, string[]]>([
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
        const duration = (count: number) => `${count} hours`;
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
    [
      "no mechanism",
      { clientSecret: undefined },
      "clientSecret: must be set, `pulumi config set --secret clientSecret`",
    ],
    [
      "two mechanisms",
      { otpSeed: "b" },
      "clientSecret: must be set, `pulumi config set --secret clientSecret`, or one of",
    ],
    ["a key id without a key", { keyId: "k" }, "keyId: goes with privateKey only"],
    [
      "an algorithm that C2M does not know",
      { clientSecret: undefined, privateKey: "pem", signingAlgorithm: "HS256" },
      "signingAlgorithm: must be one of RS256, PS256, ES256, EdDSA",
    ],
    ["a mistyped key", { alarmEmail: "ops@example.com" }, "alarmEmail: did you mean alarmEmails?"],
    ["a key that is like none", { colour: "red" }, "colour: there are clientId,"],
    [
      "credentials as the release before took them",
      { credentials: { clientSecret: "a" } },
      "credentials: is written without this level now: clientSecret, otpSeed,",
    ],
    ["tags that AWS keeps for itself", { tags: { "aws:x": "y" } }, "tags: must have no key that begins with aws:"],
    ["a tag that is too long", { tags: { key: "v".repeat(257) } }, "tags: must have values of at most 256"],
    [
      "too many tags",
      { tags: Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${index}`, "v"])) },
      "tags: must be at most",
    ],
    ["an address twice", { alarmEmails: ["a@b", "a@b"] }, "alarmEmails[1]: must be unique among the addresses"],
    ["a region twice", { replicaRegions: ["eu-west-1", "eu-west-1"] }, "replicaRegions[1]: must be there only once"],
    [
      "a key of another region for a copy",
      { replicaRegions: ["eu-west-1"], replicaKeys: { "eu-west-1": "arn:aws:kms:eu-west-2:123456789012:key/k" } },
      "replicaKeys.eu-west-1: must be the full ARN of a key in eu-west-1",
    ],
    [
      "a token that is called as the credentials' own resources are",
      { tokens: [{ name: "credentials" }] },
      'tokens[0].name: must not be "credentials"',
    ],
    [
      "a token that is called as the secret with the credentials",
      { tokens: [{ name: "c2m/client-credentials" }] },
      "tokens[0].name: must not be the name of the secret with the client's credentials",
    ],
    [
      "a secret's name that AWS refuses",
      { credentialsSecretName: "has space" },
      "credentialsSecretName: must be 1 to 512",
    ],
    [
      "the tag by which the functions know their secrets",
      { tags: { "c2m-token-rotation": "x" } },
      "tags: must not have c2m-token-rotation",
    ],
    [
      "a former base URL that is none",
      { formerBaseUrls: ["ftp://c2m"] },
      "formerBaseUrls[0]: must start with https://",
    ],
    [
      "more adopted secrets than a role's policies can name",
      {
        tokens: Array.from({ length: 60 }, (_, index) => ({
          name: `t${index}`,
          secretArn: `arn:aws:secretsmanager:us-east-1:123456789012:secret:t${index}-AbCdEf`,
        })),
      },
      "tokens: must be fewer adopted secrets",
    ],
    [
      "a thousand names without a folder of their own",
      { tokens: many(1_000, "token-") },
      'tokens: must have names that begin with one folder, as in "c2m/"',
    ],
    [
      "a thousand names in the folder of the credentials",
      { tokens: many(1_000, "c2m/token-") },
      "tokens: must not share the folder c2m/ with the secret of the client's credentials",
    ],
    ["a proxy with a password in it", { proxy: "http://u:p@proxy:1" }, "proxy: must be a URL without credentials"],
    ["hosts without a proxy", { noProxy: ["a.example.com"] }, "noProxy: goes with proxy only"],
    ["certificates that are none", { caCertificates: "ca" }, "caCertificates: must be certificates in PEM"],
    ["too little memory", { memorySize: 64 }, "memorySize: must be a whole number from 128 to 10240"],
    [
      "a concurrency that starves steps",
      { reservedConcurrency: 5 },
      "reservedConcurrency: must be a whole number from 10",
    ],
    [
      "a boundary that is no policy",
      { permissionsBoundary: "mine" },
      "permissionsBoundary: must be the ARN of a policy",
    ],
    ["monitoring that is no switch", { monitoring: {} }, "monitoring: must be true or false"],
    ["tokens that are no list", { tokens: "c2m/api-token" }, "tokens: must be a list of objects with a name"],
    ["no token", { tokens: [] }, "tokens: must name at least one token secret"],
    ["a base URL with /auth", { baseUrl: "https://api.click2mail.com/v2/auth" }, 'baseUrl: must end before "/auth"'],
    ["a base URL without TLS", { baseUrl: "http://api.click2mail.com/v2" }, "baseUrl: must start with https://"],
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
    ["a region that is none", { replicaRegions: ["Frankfurt"] }, "replicaRegions[0]: must be a region"],
    ["an address that is none", { alarmEmails: ["ops"] }, "alarmEmails[0]: must be an e-mail address"],
    ["an alias for a key", { kmsKey: "alias/mine" }, 'kmsKey: must be "create", or the full ARN'],
    ["a reader that is no principal", { readers: ["*"] }, "readers[0]: must be the ARN of a role"],
    [
      "a VPC without subnets",
      { vpc: { subnetIds: [], securityGroupIds: ["sg-1"] } },
      "vpc.subnetIds: must be a list of 1 to 16 ids",
    ],
    [
      "a short token that may not issue the next",
      { clientSecret: undefined, shortToken: true },
      "tokens[0].scopes: must hold tokens:write",
    ],
  ])("with %s are refused", (_, args, problem) => {
    expect(problemsOf(args)).toEqual([expect.stringContaining(problem)]);
  });

  it("with a name that no resource can have are refused", () => {
    const rule = (longest: number) => [`name: must be 1 to ${longest} of the characters A-Z a-z 0-9 _ -`];
    expect(problemsOf({}, "has space")).toEqual(rule(40));
    // Pulumi adds eight characters to the names of roles and event rules, which AWS limits to 64.
    expect(problemsOf({}, "n".repeat(40))).toEqual([]);
    expect(problemsOf({}, "n".repeat(41))).toEqual(rule(40));
    expect(problemsOf({ monitoring: false }, "n".repeat(45))).toEqual([]);
    expect(problemsOf({ monitoring: false }, "n".repeat(46))).toEqual(rule(45));
  });

  it("take 0 and 7 to 30 days of recovery", () => {
    for (const recoveryWindowInDays of [0, 7, 30]) expect(problemsOf({ recoveryWindowInDays })).toEqual([]);
  });
});

describe("many tokens", () => {
  const planned = (args: Partial<TokenRotationArgs>) => planRotation("rotation", { ...good, ...args }).plan;

  it("are told of by rules that name each, in parts, as long as these are few", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_500 }), fc.integer({ min: 0, max: 300 }), (count, length) => {
        const tokens = many(count, `folder/${"n".repeat(length)}`);
        const { eventScopes } = planned({ tokens });
        expect(eventScopes.length).toBeLessThanOrEqual(20);
        if (eventScopes.some((scope) => "prefix" in scope)) expect(eventScopes).toEqual([{ prefix: "folder/" }]);
        else {
          const names = eventScopes.flatMap((scope) => ("names" in scope ? scope.names : []));
          expect(names).toEqual(tokens.map(({ name }) => name));
        }
      }),
      { numRuns: 30 },
    );
  });

  describe("where they are spread", () => {
    const schedulesOf = (tokens: TokenArgs[]) =>
      planned({ tokens, spread: true }).tokens.map(({ schedule }) => schedule);

    it("are rotated on all days of the month, and at most hours", () => {
      const schedules = schedulesOf(many(1_000, "folder/"));
      const days = Map.groupBy(schedules, (schedule) => schedule.split(" ")[2]);
      expect(days.size).toBe(28);
      expect(Math.max(...[...days.values()].map(({ length }) => length))).toBeLessThan(80);
      expect(new Set(schedules).size).toBeGreaterThan(300);
    });

    it("keep their days whoever comes or goes, and as the last release that knew the name had them", () => {
      const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 2, maxLength: 8 });
      fc.assert(
        fc.property(names, ([first = "", ...others]) => {
          const among = schedulesOf([...others.map((name) => ({ name })), { name: first }]).at(-1);
          expect(schedulesOf([{ name: first }])).toEqual([among]);
        }),
        { numRuns: 30 },
      );
      expect(schedulesOf([{ name: "c2m/api-token" }])).toEqual(["cron(0 20 1 * ? *)"]);
    });

    it("have room for their windows in the day, and for rotations that are tried again", () => {
      fc.assert(
        fc.property(fc.stringMatching(/^[a-z]{1,12}$/), fc.option(fc.integer({ min: 1, max: 24 })), (name, hours) => {
          const token = { name, ...(hours === null ? {} : { window: `${hours} hours` }) };
          const { plan, problems } = planRotation("rotation", { ...good, tokens: [token], spread: true });
          expect(problems).toEqual([]);
          const [{ schedule = "", window: Duration = undefined, reach = undefined } = {}] = plan.tokens;
          const { longestWindowMs, ...gaps } = reachOf(parseSchedule({ ScheduleExpression: schedule, Duration }));
          expect(reach).toMatchObject(gaps);
          expect(reach?.longestWindowMs).toBeGreaterThanOrEqual(longestWindowMs);
          expect(24 - Number(schedule.split(" ")[1])).toBeGreaterThanOrEqual(Math.max(4, hours ?? 0));
        }),
        { numRuns: 10 },
      );
    });

    it("leave those as they are that have a schedule of their own, and are refused where all have", () => {
      const own = { name: "b", schedule: "rate(7 days)" };
      expect(schedulesOf([{ name: "a" }, own])[1]).toBe("rate(7 days)");
      const { problems } = planRotation("rotation", { ...good, tokens: [own], spread: true });
      expect(problems).toEqual([
        { path: "spread", meaning: expect.any(String), rule: expect.stringContaining("nothing to spread") },
      ]);
    });

    it("are refused where no month fits into their lifetime, with the rule", () => {
      const { problems } = planRotation("rotation", {
        ...good,
        tokens: [{ name: "a", lifetime: "31 days" }],
        spread: true,
      });
      expect(problems.map(({ path, rule }) => `${path} ${rule}`)).toEqual([
        expect.stringMatching(/^tokens\[0\]\.lifetime must be longer than .*longest gap \(31 days\)/),
      ]);
    });
  });
});

describe("a value that another resource gives", () => {
  it.each<[keyof TokenRotationArgs, unknown, string]>([
    ["clientId", "has space", "clientId (the C2M client that the tokens are issued to): must be the id"],
    ["baseUrl", "ftp://c2m", "baseUrl (the C2M API): must start with https://"],
    ["readers", ["*"], "readers (who may read the token secrets): must be the ARN"],
    [
      "kmsKey",
      "arn:aws:kms:eu-west-1:123456789012:key/k",
      "kmsKey (what the secrets are encrypted with): must be a key of the stack's region, us-east-1",
    ],
    [
      "credentialsSecretArn",
      "arn:aws:secretsmanager:us-east-1:210987654321:secret:theirs-AbCdEf",
      "credentialsSecretArn (a secret with the client's credentials): must be a secret of the stack's account and region",
    ],
    ["replicaRegions", ["us-east-1"], "replicaRegions[0] (regions with a copy of each token secret): must not be the"],
    [
      "tokens",
      [{ name: "a", secretArn: "arn:aws:secretsmanager:eu-west-1:123456789012:secret:a-AbCdEf" }],
      "tokens[0].secretArn (the secret that is adopted): must be a secret of the stack's account and region",
    ],
    ["tags", { "aws:x": "y" }, "tags (tags for everything): must have no key that begins with aws:"],
  ])("is checked when it is known, with the same message: %s", async (key, value, message) => {
    await expect(deployed(key, value)).rejects.toThrow(message);
  });

  it("goes where a known one goes, and a base URL has one form", () => {
    expect(settingsOf(lateClient).tokens["c2m/api-token"]).toMatchObject({ clientId: "c2m_late" });
    expect(settingsOf(lateUrl).tokens["c2m/api-token"]).toMatchObject({ baseUrl: "https://c2m.example.com/v2" });
  });
});
