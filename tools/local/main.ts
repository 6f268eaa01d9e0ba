/** `npm run local`: a local cloud for people. */
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { watchLauncher } from "./launcher.ts";
import { help, type LocalOptions, parseOptions, WrongOptions } from "./options.ts";
import { paceOf } from "./pace.ts";
import { planProgram } from "./program.ts";
import { readState, UnusableStateFile } from "./state-file.ts";

/** How long stopping may take, in ms. What still runs then is left to its fate. */
const stopMs = 10_000;

/** Until everything runs there is nothing to be saved. */
let whenLauncherIsGone = (): void => process.exit(1);
watchLauncher(() => whenLauncherIsGone());
enableCompileCache(join(import.meta.dirname, "../../node_modules/.cache/compile"));
const options = readOptions();
if (options.help) process.stdout.write(help);
else await run(options).catch(fail);

async function run(options: LocalOptions): Promise<void> {
  process.stdout.write(`c2m-token-rotation local cloud on Node ${process.version}; nothing here reaches AWS or C2M\n`);
  const { stateFile } = options;
  const pace = paceOf(options.everyMs);
  const saved = stateFile === undefined ? undefined : readState(stateFile);
  const program = planProgram(pace.graceSeconds);
  // It is awaited where it is needed, which may be never.
  program.catch(() => undefined);
  // Loaded while the program runs in its own process.
  const [{ startLocal }, { textOf }, { welcome }] = await Promise.all([
    import("./local.ts"),
    import("./live-lines.ts"),
    import("./welcome.ts"),
  ]);
  const early: string[] = [];
  let print = (text: string): void => void early.push(text);
  const session = await startLocal({ ...options, pace, program, saved }, (line) =>
    print(`${textOf(line, Date.now())}\n`),
  );
  print = (text) => void process.stdout.write(text);
  print(`${[welcome(session, options, pace), "\n", ...early].join("")}`);
  print(`Ready after ${(performance.now() / 1_000).toFixed(1)} s. Ctrl-C stops it.\n`);
  stopWith(() => session.stop());
}

/** Has it stop, once, by a signal, with its npm, and when nobody can read any more what it prints. */
function stopWith(stopSession: () => Promise<void>): void {
  let isStopping = false;
  const stop = () => {
    // npm passes Ctrl-C on to a process that the terminal has told already.
    if (isStopping) return;
    isStopping = true;
    setTimeout(() => fail(new Error("It could not be stopped in time.")), stopMs).unref();
    stopSession().catch(fail);
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, stop);
  process.stdout.on("error", stop);
  whenLauncherIsGone = stop;
}

function readOptions(): LocalOptions {
  try {
    return parseOptions(process.argv.slice(2));
  } catch (error) {
    return fail(error);
  }
}

/** Says what went wrong, and ends. */
function fail(error: unknown): never {
  const { code, port, message } = error as NodeJS.ErrnoException & { port?: number };
  if (error instanceof WrongOptions) leave(`${message}\n\n${help}`, 2);
  if (error instanceof UnusableStateFile) leave(`${message}\n`, 2);
  if (code === "EADDRINUSE" || code === "EACCES") {
    const why = code === "EADDRINUSE" ? "is in use" : "may not be used";
    leave(`The port ${port} ${why}. Choose others with --aws-port and --c2m-port.\n`, 2);
  }
  leave(`${message}\n`, 1);
}

function leave(text: string, status: number): never {
  process.stderr.write(text);
  process.exit(status);
}
