import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { AlarmDefinition } from "../../local-cloud/cloudwatch/alarm.ts";
import { alarmNames } from "../../src/formats/metrics.ts";
import { hour, OperatedStack } from "../harness/operated-stack.ts";
import { plan } from "../harness/program.ts";
import { stackConfig } from "../harness/stack.ts";

/** How many alarms one answer holds: fewer than the program declares. */
const maxPageAlarms = 5;

const rotation = "c2m-token-rotation";
const deployed = (name: string) => `${rotation}-${name}`;

/** What stands below the heading of the rotation's alarms. */
const alarmLines = (stdout: string, of = rotation) =>
  stdout.split(`\nalarms of ${of}\n`)[1]?.trimEnd().split("\n") ?? [];

const ok = (line: string) => /^ {2}ok {5}/.test(line);

describe("doctor, of the alarms", () => {
  let stack: OperatedStack;
  let alarms: AlarmDefinition[];

  beforeAll(async () => {
    stack = await OperatedStack.start({ cloudWatch: { maxPageAlarms } });
    alarms = stack.cloud.metrics.alarms().map(({ alarm }) => alarm);
  });
  afterEach(() => {
    for (const alarm of alarms) stack.cloud.metrics.putAlarm(alarm);
    stack.allowAllBut();
  });
  afterAll(() => stack.stop());

  const change = (name: string, to: Partial<AlarmDefinition>) => {
    for (const alarm of alarms) if (alarm.name === deployed(name)) stack.cloud.metrics.putAlarm({ ...alarm, ...to });
  };

  it("finds each that the program declares, over as many pages as there are", async () => {
    stack.cloud.calls.calls.length = 0;
    const { code, stdout } = await stack.on("doctor");
    const lines = alarmLines(stdout);
    expect(lines.map((line) => / {5}(\S+):/.exec(line)?.[1])).toEqual([...alarmNames, "alarm-delivery"]);
    expect(lines.every(ok)).toBe(true);
    expect(code).toBe(0);
    const pages = Math.ceil(alarmNames.length / maxPageAlarms);
    expect(pages).toBeGreaterThan(1);
    expect(stack.cloud.calls.calls.filter(({ operation }) => operation === "DescribeAlarms")).toHaveLength(pages);
  });

  it("says right after a deployment what it means to each that it has no figures yet", async () => {
    const { stdout } = await stack.on("doctor");
    expect(stdout).toContain("rotator-errors: no figures yet; none means that nothing happened");
    expect(stdout).toContain("reconciler-silent: no figures yet; it will ring if none come");
    expect(stdout).toContain("token-expiry-near: no figures yet; none means that nothing happened");
  });

  it("misses one that was deleted behind the stack's back", async () => {
    stack.cloud.metrics.deleteAlarm(deployed("unrevocable-token"));
    const { code, stdout } = await stack.on("doctor");
    expect(stdout).toContain(
      `wrong  unrevocable-token: There is no alarm ${deployed("unrevocable-token")}.\n         → pulumi up --refresh\n`,
    );
    expect(alarmLines(stdout).filter(ok)).toHaveLength(alarmNames.length);
    expect(code).toBe(1);
  });

  it("finds those that nobody would hear: with their actions disabled, and without an SNS topic", async () => {
    stack.cloud.metrics.setActionsEnabled(deployed("rotator-errors"), false);
    change("unrevocable-token", { actions: [] });
    change("orphan-suspected", { actions: ["arn:aws:automate:us-east-1:ec2:stop"] });
    const { code, stdout } = await stack.on("doctor");
    const enable = `aws cloudwatch enable-alarm-actions --alarm-names ${deployed("rotator-errors")}`;
    expect(stdout).toMatch(/wrong {2}rotator-errors: Its actions are disabled/);
    expect(stdout).toContain(`→ ${enable}\n`);
    expect(stdout).toMatch(/wrong {2}unrevocable-token: It tells no SNS topic/);
    expect(stdout).toMatch(/wrong {2}orphan-suspected: It tells no SNS topic/);
    expect(code).toBe(1);
  });

  it("says in one line that it can't tell where they may not be read, and looks at everything else", async () => {
    stack.allowAllBut("cloudwatch:DescribeAlarms");
    const { code, stdout } = await stack.on("doctor");
    const [line, fix, ...more] = alarmLines(stdout);
    expect(line).toMatch(/wrong {2}alarms: Can't tell\. AWS denied .*cloudwatch:DescribeAlarms/);
    expect([fix?.trim(), more]).toEqual(["→ docs/operators.md lists what an operator may need to be allowed.", []]);
    expect(stdout).toContain("ok     C2M");
    expect(code).toBe(1);
  });

  it("finds them by the stack's rotator where the secret can't be seen", async () => {
    stack.allowAllBut("secretsmanager:DescribeSecret");
    const PATH = await stack.pulumiPath();
    const { stdout } = await stack.start(["doctor", "--stack", "production"], { PATH }).ended;
    expect(stdout).toMatch(/wrong {2}secret: AWS denied/);
    expect(alarmLines(stdout).filter(ok)).toHaveLength(alarmNames.length + 1);
  });

  it("takes another name of the rotation, and tells where there are none of it", async () => {
    for (const alarm of alarms) stack.cloud.metrics.putAlarm({ ...alarm, name: `mail-${alarm.name}` });
    const named = ["--rotator", "rotate-it", "--reconciler", "c2m-token-rotation-reconciler"];
    const [untold, told, none] = await Promise.all([
      stack.on("doctor", ...named),
      stack.on("doctor", ...named, "--alarm-prefix", `mail-${rotation}`),
      stack.on("doctor", "--alarm-prefix", "mail"),
    ]);
    for (const alarm of alarms) stack.cloud.metrics.deleteAlarm(`mail-${alarm.name}`);
    expect(untold.stdout).toMatch(/wrong {2}alarms: Can't tell\. .* rotate-it\. Use --alarm-prefix NAME/);
    expect(alarmLines(told.stdout, `mail-${rotation}`).filter(ok)).toHaveLength(alarmNames.length + 1);
    expect(alarmLines(none.stdout, "mail")).toEqual([
      `  wrong  alarms: There is none of the ${alarmNames.length} alarms mail-…`,
      "         → pulumi up --refresh; where the monitoring is off on purpose, use --no-alarms",
    ]);
    expect(none.code).toBe(1);
  });
});

it("doctor names an alarm that rings, since when, and the runbook's section that the deployed alarm names", async () => {
  const { config, secretKeys = [] } = stackConfig();
  const runbook = "https://wiki.example.com/c2m";
  const program = await plan({ config: { ...config, runbook }, secretKeys });
  // It rings once two hours have begun in which the schedule was seen to come too late for what C2M granted.
  const stack = await OperatedStack.start({ ageMs: 3.5 * hour, program, c2m: { maximumTtlSeconds: 2 * 86_400 } });
  try {
    stack.cloud.metrics.alarms();
    stack.cloud.metrics.setActionsEnabled(deployed("rotation-too-late"), false);
    const { code, stdout } = await stack.on("doctor", "--json");
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ version: expect.any(String), tokens: [{ checks: expect.any(Array) }] });
    expect(result.alarms).toEqual([{ rotation, checks: expect.any(Array) }]);
    expect(result.alarms[0].checks).toContainEqual({
      check: "rotation-too-late",
      ok: false,
      said: expect.stringMatching(
        /^c2m-token-rotation-rotation-too-late is in ALARM, since 30 min( \d+ s)? ago\. Its actions are disabled/,
      ),
      fix: `${runbook}#rotation-too-late, and aws cloudwatch enable-alarm-actions --alarm-names ${deployed("rotation-too-late")}`,
    });
    expect(code).toBe(1);
  } finally {
    await stack.stop();
  }
});

it("doctor tells whether alarms get through to a topic whose key is the stack's or somebody's", async () => {
  const { config, secretKeys = [] } = stackConfig();
  const program = await plan({ config: { ...config, topicKmsKey: "create" }, secretKeys });
  const stack = await OperatedStack.start({ program });
  try {
    const { metrics, keys } = stack.cloud;
    const delivery = async () =>
      alarmLines((await stack.on("doctor")).stdout)
        .filter((line) => !/^ {2}ok .*: no figures/.test(line))
        .join(" ");
    expect(await delivery()).toContain("alarm-delivery: no alarm has told anything in 30 days");
    metrics.setAlarmState(deployed("reconciler-silent"), "ALARM", "a test");
    expect(await delivery()).toContain("alarm-delivery: the last message got through,");
    // As a key of somebody's that lets the account's policies decide, and no service in.
    const { id } = program.resources.find(({ type }) => type === "aws:kms/key:Key") ?? { id: "" };
    const known = keys.key(id);
    const { Statement, ...policy } = JSON.parse(known?.policy ?? "{}");
    keys.put(id, { ...known, policy: JSON.stringify({ ...policy, Statement: [Statement[0]] }) });
    metrics.setAlarmState(deployed("rotator-errors"), "ALARM", "a test");
    expect(await delivery()).toMatch(
      /wrong {2}alarm-delivery: The last message did not get through, .* does not have authorization to access the SNS topic encryption key\..*→ let cloudwatch\.amazonaws\.com .* kms:GenerateDataKey\*/,
    );
    stack.allowAllBut("cloudwatch:DescribeAlarmHistory");
    expect(await delivery()).toMatch(/wrong {2}alarm-delivery: AWS denied .*cloudwatch:DescribeAlarmHistory/);
  } finally {
    await stack.stop();
  }
});

it("doctor looks for no alarms where the monitoring is off, as the stack or --no-alarms says", async () => {
  const { config, secretKeys = [] } = stackConfig();
  const stack = await OperatedStack.start({
    program: await plan({ config: { ...config, monitoring: "false" }, secretKeys }),
  });
  try {
    const PATH = await stack.pulumiPath();
    const [ofStack, unsaid, said] = await Promise.all([
      stack.start(["doctor", "--stack", "production"], { PATH }).ended,
      stack.on("doctor"),
      stack.on("doctor", "--no-alarms"),
    ]);
    expect(alarmLines(ofStack.stdout)).toEqual(["  ok     alarms: none; the stack's monitoring is off"]);
    expect(ofStack.code).toBe(0);
    expect(alarmLines(unsaid.stdout)[1]).toContain("where the monitoring is off on purpose, use --no-alarms");
    expect(unsaid.code).toBe(1);
    expect(said.stdout).not.toContain("alarms");
    expect(said.code).toBe(0);
  } finally {
    await stack.stop();
  }
});
