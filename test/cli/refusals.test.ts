import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { CloudWatchLogsClient, CreateLogStreamCommand, PutLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../cli/cli.ts";
import { commands } from "../../cli/commands.ts";
import { logGroup, OperatedStack, secretName, startOps } from "../harness/operated-stack.ts";

/** How each command is run so that it gets as far as AWS. */
const lines: [command: string, ...args: string[]][] = [
  ["status"],
  ["verify"],
  ["history"],
  ["rotate", "--wait"],
  ["rollback"],
  ["unstick"],
  ["compromised", "--yes", secretName],
  ["reconcile"],
  ["decommission", "--yes", secretName],
  ["doctor"],
  ["completion", "--names"],
];

const argsOf = ([command, ...args]: [string, ...string[]]) =>
  command === "completion" ? [command, ...args] : [command, "--secret", secretName, ...args];

/** Runs a command line in this process; none of these gets as far as AWS. */
async function inProcess(args: string[], more: { isTTY?: boolean; env?: Record<string, string> } = {}) {
  let [stdout, stderr] = ["", ""];
  const code = await run(args, {
    stdout: { write: (text) => (stdout += text), isTTY: more.isTTY ?? false },
    stderr: { write: (text) => (stderr += text) },
    stdin: {},
    env: more.env ?? {},
    clock: { now: () => 0, sleep: async () => undefined },
    ask: async () => "",
    signal: new AbortController().signal,
    again: new AbortController().signal,
  });
  return { code, stdout, stderr };
}

describe("a command line that can't be understood", () => {
  it("is listed in full: this table has every command", () => {
    // What takes a stack alone has tests of its own.
    const named = [...lines.map(([command]) => command), "rehearse"];
    expect(named.sort()).toEqual(commands.map(({ name }) => name).sort());
  });

  it.each(commands.map(({ name }) => name))("of %s ends with 2 and the wrong option", async (name) => {
    const { code, stdout, stderr } = await inProcess([name, "--no-such-option"]);
    expect(stderr).toContain("--no-such-option");
    expect([code, stdout]).toEqual([2, ""]);
  });

  it.each(lines.filter(([name]) => name !== "completion"))("of %s says how to name the secret", async (name) => {
    const { code, stderr } = await inProcess([name]);
    expect(stderr).toContain("--secret NAME, or a Pulumi stack with --stack STACK");
    expect(code).toBe(2);
  });

  it.each([
    [["rotat"], /no command "rotat"; there are status, verify,/],
    [["status", "extra"], /Unexpected argument 'extra'/],
    [["status", "--secret"], /argument missing/],
    [["status", "--secret", "a", "--secret", ""], /--secret must not be empty/],
    [["history", "--secret", "a", "--since", "soon"], /--since must be a length of time, .* or a day/],
    [["history", "--secret", "a", "--since", "2026-02-30T"], /--since must be a length of time, .* or a day/],
    [["history", "--secret", "a", "--csv", "--json"], /--csv and --json: use one of them/],
    [["rotate", "--secret", "a", "--secret", "b"], /one secret/],
    [["rotate", "--secret", "a", "--interval", "soon"], /--interval must be a duration/],
    [["decommission", "--secret", "a", "--recovery-days", "3"], /--recovery-days must be a whole number, 7 to 30/],
    [["rehearse", "--secret", "a"], /a stack whose config says that it is a sandbox: --stack STACK/],
    [["completion", "--shell", "fish"], /--shell must be bash or zsh/],
  ])("%j", async (args, rule) => {
    const { code, stderr } = await inProcess(args);
    expect(stderr).toMatch(rule);
    expect(code).toBe(2);
  });

  it("is told as JSON, too, where JSON was asked for", async () => {
    const { stdout } = await inProcess(["status", "--json"]);
    expect(JSON.parse(stdout)).toEqual({ error: expect.objectContaining({ exitCode: 2 }) });
  });
});

describe("help", () => {
  it.each(commands.map((command) => [command.name, command] as const))(
    "of %s shows examples that it understands",
    async (name, command) => {
      const { code, stdout } = await inProcess([name, "--help"]);
      expect(code).toBe(0);
      for (const [example] of command.examples) {
        expect(stdout).toContain(`c2m-tokens ${example}`);
        // Without the shell's redirection, and asking for help in place of doing it.
        const args = example.split(" > ")[0]?.split(" ") ?? [];
        expect(await inProcess([...args, "--help"])).toMatchObject({ code: 0, stderr: "" });
      }
    },
  );

  it("lists every command, and is colourful on a terminal only, unless NO_COLOR says no", async () => {
    const { stdout } = await inProcess(["--help"]);
    for (const { name, summary } of commands)
      expect(stdout).toMatch(new RegExp(`  ${name} +${summary.replace(/[.?]/g, ".")}`));
    const wrong = (more: Parameters<typeof inProcess>[1]) => inProcess(["rotat"], more).then(({ stderr }) => stderr);
    expect(await wrong({ isTTY: true })).toContain("\u001b[31merror");
    expect(await wrong({ isTTY: true, env: { NO_COLOR: "1" } })).toMatch(/^error/);
    expect(await wrong({})).toMatch(/^error/);
  });
});

describe("without a network", () => {
  it.concurrent.each(lines)("%s ends with 4 and says what can't be reached", async (...line) => {
    const env = {
      AWS_ENDPOINT_URL: "http://127.0.0.1:1",
      AWS_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: "a",
      AWS_SECRET_ACCESS_KEY: "b",
    };
    const { code, stdout, stderr } = await startOps(argsOf(line), env).ended;
    // doctor looks at everything that it can, and says of each line how it went.
    expect(line[0] === "doctor" ? stdout : stderr).toContain(
      "Nothing accepts connections at 127.0.0.1:1 (ECONNREFUSED)",
    );
    expect(code).toBe(line[0] === "doctor" ? 1 : 4);
  });

  it("or credentials it says which are missing", async () => {
    const env = { AWS_ENDPOINT_URL: "http://127.0.0.1:1", AWS_REGION: "us-east-1" };
    const { code, stderr } = await startOps(["status", "--secret", "a"], env).ended;
    expect([code, stderr]).toEqual([4, expect.stringMatching(/There are no AWS credentials .*\n→ Set AWS_PROFILE/)]);
  });

  it("or a region it says so", async () => {
    const { code, stderr } = await startOps(["status", "--secret", "a"], {
      AWS_ACCESS_KEY_ID: "a",
      AWS_SECRET_ACCESS_KEY: "b",
    }).ended;
    expect([code, stderr]).toEqual([2, expect.stringContaining("The AWS region is missing.")]);
  });
});

describe("Ctrl-C", () => {
  it.concurrent.each(lines)("ends %s at once with 130, and it says what goes on", async (...line) => {
    // Takes a request and answers none.
    const silent = createServer();
    const called = new Promise((resolve) => silent.once("request", resolve));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const env = { AWS_ENDPOINT_URL: url, AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" };
    const running = startOps(argsOf(line), env);
    await called;
    running.interrupt();
    const { code, stderr } = await running.ended;
    silent.closeAllConnections();
    silent.close();
    expect(code).toBe(130);
    const { whenInterrupted } = commands.find(({ name }) => name === line[0]) ?? {};
    expect(stderr).toBe(`\nStopping.\n${whenInterrupted === undefined ? "" : `${whenInterrupted}\n`}`);
  });
});

describe("without a permission", () => {
  let stack: OperatedStack;

  beforeAll(async () => {
    stack = await OperatedStack.start();
    await stack.rotate();
  });
  afterAll(() => stack.stop());

  it.each([
    ["status", [], "secretsmanager:DescribeSecret"],
    ["verify", [], "secretsmanager:GetSecretValue"],
    ["history", [], "secretsmanager:DescribeSecret"],
    ["history", [], "secretsmanager:ListSecretVersionIds"],
    ["history", [], "secretsmanager:GetSecretValue"],
    ["history", [], "logs:FilterLogEvents"],
    ["rotate", ["--wait"], "secretsmanager:RotateSecret"],
    ["rotate", ["--wait"], "lambda:InvokeFunction"],
    ["rollback", ["--grace", "1 hour"], "secretsmanager:UpdateSecretVersionStage"],
    ["unstick", [], "secretsmanager:DescribeSecret"],
    ["compromised", ["--yes", secretName], "secretsmanager:RotateSecret"],
    ["reconcile", [], "lambda:InvokeFunction"],
    ["rollback", [], "logs:FilterLogEvents"],
    ["decommission", ["--yes", secretName], "secretsmanager:CancelRotateSecret"],
  ])("%s %j ends with 4 and names %s", async (command, args, action) => {
    const [current, live] = [stack.tokenIdAt("AWSCURRENT"), stack.cloud.c2m.liveLongTokens().length];
    stack.allowAllBut(action);
    const { code, stderr } = await stack.on(command, ...args);
    expect(stderr).toContain(action);
    expect(code).toBe(4);
    expect([stack.tokenIdAt("AWSCURRENT"), stack.cloud.c2m.liveLongTokens().length]).toEqual([current, live]);
  });

  it.each([
    ["versions", "secretsmanager:ListSecretVersionIds"],
    ["log retention", "logs:DescribeLogGroups"],
    ["rotation function", "lambda:GetFunctionConfiguration"],
    ["may invoke the reconciler", "lambda:InvokeFunction"],
  ])("doctor shows in the line of the check %s that %s is denied", async (check, action) => {
    stack.allowAllBut(action);
    const { code, stdout } = await stack.on("doctor");
    expect(stdout).toMatch(new RegExp(`wrong {2}${check}: .*AWS denied ${action}`));
    expect(stdout).toContain("ok     C2M");
    expect(code).toBe(1);
  });

  it("to list secrets, completion offers no names", async () => {
    stack.allowAllBut("secretsmanager:ListSecrets");
    expect(await stack.ops("completion", "--names")).toMatchObject({ code: 4, stdout: "" });
  });

  it("to write the log, rollback succeeds and warns", async () => {
    stack.allowAllBut("logs:PutLogEvents");
    // One was begun above.
    await stack.on("decommission", "--cancel");
    const { code, stderr } = await stack.on("rollback", "--grace", "1 hour");
    expect(stderr).toContain(
      "could not be written to the functions' log; CloudTrail has it. AWS denied logs:PutLogEvents",
    );
    expect(code).toBe(0);
  });
});

describe("what is printed", () => {
  it("never holds a token or a credential, whatever the command and the form", async () => {
    const stack = await OperatedStack.start();
    await stack.rotate();
    const each = ["status", "verify", "doctor", "unstick", "reconcile", "history"];
    const outputs = await Promise.all(each.map((command) => stack.on(command, "--json")));
    outputs.push(await stack.on("rollback", "--grace", "1 hour", "--json"));
    outputs.push(await stack.on("rotate", "--wait", "--interval", "0.05"));
    outputs.push(await stack.on("compromised", "--yes", secretName, "--interval", "0.05", "--json"));
    outputs.push(await stack.on("history"), await stack.on("history", "--csv"));
    outputs.push(await stack.on("decommission", "--yes", secretName));
    const printed = outputs.map(({ stdout, stderr }) => stdout + stderr).join("\n");
    const log = stack.cloud.logs.lines("/aws/lambda/c2m-token-rotation").join("\n");
    const secrets = stack.secrets();
    await stack.stop();
    expect(secrets.length).toBeGreaterThan(4);
    expect(secrets.filter((secret) => printed.includes(secret) || log.includes(secret))).toEqual([]);
  });
});

describe("what an operator's role can write", () => {
  it("is no line in a function's stream, which could make the reconciler forget a token", async () => {
    const stack = await OperatedStack.start();
    const { awsUrl, region } = stack.cloud;
    const env = stack.environment();
    const credentials = {
      accessKeyId: env.AWS_ACCESS_KEY_ID ?? "",
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? "",
      sessionToken: env.AWS_SESSION_TOKEN ?? "",
    };
    const logs = new CloudWatchLogsClient({ endpoint: awsUrl, region, credentials });
    const write = (logStreamName: string) =>
      logs.send(
        new PutLogEventsCommand({
          logGroupName: logGroup,
          logStreamName,
          logEvents: [{ timestamp: stack.clock.now(), message: "{}" }],
        }),
      );
    // By the name of one of its functions' streams, or one that only sounds like the operators' own.
    for (const stream of ["2026/06/01/[$LATEST]0123", "operator/2026", "operators"]) {
      await logs.send(new CreateLogStreamCommand({ logGroupName: logGroup, logStreamName: stream }));
      await expect(write(stream)).rejects.toThrow(/not authorized/);
    }
    await logs.send(new CreateLogStreamCommand({ logGroupName: logGroup, logStreamName: "operators/mine" }));
    await write("operators/mine");
    logs.destroy();
    await stack.stop();
  });
});
