import { version } from "../../src/c2m/version.ts";
import type { Command } from "../command.ts";
import { exitCode } from "../failure.ts";
import type { Terminal } from "../terminal.ts";
import { examineAlarms } from "./alarm-checks.ts";
import type { Finding } from "./finding.ts";
import { examineToken } from "./token-checks.ts";

export const doctor: Command = {
  name: "doctor",
  summary: "check everything that a token's life depends on, line by line",
  description: `Tries what can be tried without changing anything: account and region, what you may do, the functions, the log group
and its retention, the schedule against the token's lifetime, the reconciler's heartbeat, what the functions were denied lately,
whether C2M answers, and every alarm: that it is there, does not ring, and would tell somebody. What can't be tried without doing
it (RotateSecret, say) is not.

The alarms are those of the rotation that keeps the secret; they and its rotator are named after it (c2m-token-rotation-rotator,
c2m-token-rotation-rotator-errors).`,
  examples: [
    ["doctor --stack production", "after a deployment, or when nothing seems to work"],
    ["doctor --secret c2m/api-token --json", "for a script; exit status 1 when a check fails"],
  ],
  options: {
    timeout: { type: "string", value: "DURATION", help: 'how long C2M may take (default "20 seconds")' },
    "alarm-prefix": {
      type: "string",
      value: "NAME",
      help: "the rotation's name, with which its alarms' begin (default: the rotator's without -rotator)",
    },
    "no-alarms": {
      type: "boolean",
      help: "leave the alarms out: while one still rings, or where the monitoring is off",
    },
  },
  async run(call) {
    const target = await call.target();
    const { terminal } = call;
    const examined = [];
    for (const secret of target.secrets) examined.push({ secret, ...(await examineToken(call, target, secret)) });
    const views = examined.flatMap(({ view }) => view ?? []);
    const alarms = await examineAlarms(
      call,
      target,
      views.map(({ rotationLambdaArn }) => rotationLambdaArn),
    );
    const tokens = examined.map(({ secret, checks }) => ({ secret, checks }));
    terminal.result({ version, node: process.version, tokens, alarms }, () => {
      terminal.line(`c2m-tokens ${version} on Node ${process.version}`);
      for (const { secret, checks } of tokens) show(terminal, secret, checks);
      for (const { rotation, checks } of alarms) show(terminal, `alarms${rotation ? ` of ${rotation}` : ""}`, checks);
    });
    const findings = [...tokens, ...alarms].flatMap(({ checks }) => checks);
    return findings.every(({ ok }) => ok) ? exitCode.done : exitCode.failed;
  },
};

function show(terminal: Terminal, heading: string, findings: readonly Finding[]): void {
  terminal.line(terminal.paint("strong", heading));
  for (const { check, ok, said, fix } of findings) {
    terminal.line(`  ${ok ? terminal.paint("good", "ok   ") : terminal.paint("bad", "wrong")}  ${check}: ${said}`);
    if (fix !== null) terminal.line(`         ${terminal.paint("strong", `→ ${fix}`)}`);
  }
}
