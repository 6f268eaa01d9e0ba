import { PermanentError } from "../../src/ports/errors.ts";
import { proveToken } from "../../src/rotation/prove.ts";
import type { Call } from "../command.ts";
import { type ExitCode, exitCode } from "../failure.ts";
import { protocolFor } from "../protocol.ts";
import type { Target } from "../target.ts";
import { date, relative } from "../time-text.ts";
import { tokenOf, viewToken } from "../token-view.ts";

export async function verify(call: Call): Promise<ExitCode> {
  const target = await call.target();
  const results: Verified[] = [];
  for (const id of target.secrets) results.push(await verifyToken(call, target, id));
  const { terminal, clock } = call;
  terminal.result({ tokens: results }, () => {
    for (const { name, works, problem, tokenId, scopes, expiresAt } of results) {
      const said = works ? terminal.paint("good", "works") : terminal.paint("bad", "does not work");
      terminal.line(`${terminal.paint("strong", name)}  ${said}${problem === null ? "" : `: ${problem}`}`);
      if (expiresAt === null) continue;
      terminal.line(`  token    ${tokenId ?? "C2M gave no id"}`);
      terminal.line(`  scopes   ${scopes?.join(" ") ?? "C2M did not say"}`);
      const time = Date.parse(expiresAt);
      terminal.line(`  expires  ${date(time)} (${relative(time, clock.now())})`);
    }
  });
  return results.every(({ works }) => works) ? exitCode.done : exitCode.failed;
}

interface Verified {
  name: string;
  works: boolean;
  problem: string | null;
  tokenId: string | null;
  scopes: string[] | null;
  expiresAt: string | null;
}

async function verifyToken(call: Call, target: Target, secretId: string): Promise<Verified> {
  const aws = await call.aws();
  const view = await viewToken(aws, secretId);
  const token = tokenOf(view.current);
  if (!token) {
    const problem = view.current?.isCredentials
      ? "these are the client's credentials, not a token"
      : view.current?.held
        ? "its value was there before us, and nothing says that it is a token"
        : "it holds no token";
    return { name: view.name, works: false, problem, tokenId: null, scopes: null, expiresAt: null };
  }
  const { context } = protocolFor(call, aws, target, view, call.options.duration("timeout", 20_000));
  const shown = {
    name: view.name,
    tokenId: token.tokenId ?? null,
    scopes: token.scopes ?? null,
    expiresAt: token.expiresAt,
  };
  try {
    const works = (await proveToken(context, token, 0)) === "works";
    return { ...shown, works, problem: works ? null : "C2M rejects it: it is expired, revoked or not one of C2M's" };
  } catch (error) {
    if (error instanceof PermanentError) return { ...shown, works: false, problem: error.message };
    throw error;
  }
}
