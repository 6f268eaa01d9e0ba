import { version } from "../../src/c2m/http.ts";
import type { Call } from "../command.ts";
import { type ExitCode, exitCode } from "../failure.ts";
import type { Terminal } from "../terminal.ts";
import { examineAlarms } from "./alarm-checks.ts";
import type { Finding } from "./finding.ts";
import { examineToken } from "./token-checks.ts";

export async function doctor(call: Call): Promise<ExitCode> {
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
}

function show(terminal: Terminal, heading: string, findings: readonly Finding[]): void {
  terminal.line(terminal.paint("strong", heading));
  for (const { check, ok, said, fix } of findings) {
    terminal.line(`  ${ok ? terminal.paint("good", "ok   ") : terminal.paint("bad", "wrong")}  ${check}: ${said}`);
    if (fix !== null) terminal.line(`         ${terminal.paint("strong", `→ ${fix}`)}`);
  }
}
