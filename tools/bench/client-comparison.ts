/**
 * `npm run compare-clients`: how apps fare through rotations, by how they get their token. Every app has 200 callers who
 * ask at the same time, while each rotation runs and after it; all apps share the rotations.
 */
import { parseArgs } from "node:util";
import { patchTime } from "../../local-cloud/lambda/runtime/time-patch.mjs";
import { clientApp, powertoolsApp, uncachedApp } from "../../test/harness/apps.ts";
import { type AppFigures, runFleet } from "../../test/harness/client-fleet.ts";
import { stackPlan } from "../../test/harness/stack.ts";
import { endWithUsage } from "../wrong-options.ts";

const apps = {
  "c2mFetch, short-term tokens": clientApp(),
  "c2mFetch, the long-term token": clientApp({ token: "long-term" }),
  "Powertools getSecret (5 s)": powertoolsApp(),
  "Powertools getSecret, maxAge 1 hour": powertoolsApp(3_600),
  "GetSecretValue for each request": uncachedApp(),
};

const graces = ["0 hours", "1 minute", "1 hour"];

/** A revocation that bites at once and takes the short-term tokens along: the worst that C2M may do. */
const c2m = { revocationEndsShortTokens: true };

const help = `Compares how apps fare through rotations, by how they get their token.

Usage: npm run compare-clients [-- options]

  --rotations N   rotations per grace, 1 to 100 (default 20)
  --json          print one JSON object, and nothing else
  --help          this text
`;

interface Row extends AppFigures {
  grace: string;
  app: string;
}

const options = readOptions();
const rows: Row[] = [];
for (const grace of graces) {
  if (!options.json) process.stderr.write(`grace ${grace} …\n`);
  const program = await stackPlan({ schedule: "rate(4 hours)", grace });
  const figures = await withVirtualTime((disturb) =>
    runFleet({ program, apps, c2m, rotations: options.rotations, disturb }),
  );
  for (const [app, one] of Object.entries<AppFigures>(figures.apps)) rows.push({ grace, app, ...one });
}
process.stdout.write(options.json ? `${JSON.stringify({ rotations: options.rotations, rows })}\n` : table(rows));

/** Powertools counts a value's age by Date, which follows the fleet's clock meanwhile. */
async function withVirtualTime<Result>(
  run: (disturb: (cloud: { clock: { now(): number } }) => void) => Promise<Result>,
): Promise<Result> {
  let restore = () => {};
  try {
    return await run(({ clock }) => {
      restore = patchTime({ now: () => clock.now(), sleep: async () => undefined });
    });
  } finally {
    restore();
  }
}

function readOptions(): { rotations: number; json: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        rotations: { type: "string", default: "20" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    if (values.help) {
      process.stdout.write(help);
      process.exit(0);
    }
    const rotations = Number(values.rotations);
    if (!Number.isInteger(rotations) || rotations < 1 || rotations > 100) {
      throw new Error("--rotations must be a whole number, 1 to 100");
    }
    return { rotations, json: values.json };
  } catch (error) {
    return endWithUsage(error, help);
  }
}

function table(rows: Row[]): string {
  const lines = rows.map(({ grace, app, requests, failures, secretReads, exchanges }) =>
    [app, grace, requests, failures, secretReads, exchanges].join(" | "),
  );
  return `\n${options.rotations} rotations for each grace\n
| the app uses | grace | requests | failed | Secrets Manager calls | exchanges at C2M |
| --- | --- | --: | --: | --: | --: |
${lines.map((line) => `| ${line} |`).join("\n")}\n`;
}
