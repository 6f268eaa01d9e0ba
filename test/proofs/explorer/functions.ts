import { type RotationEvent, rotationSteps } from "../../../local-cloud/secrets-manager/rotation.ts";
import { SecretsManagerStore } from "../../../src/aws/secrets-manager-store.ts";
import { type C2mClient, createC2mClient } from "../../../src/c2m/client.ts";
import { connectTokenUser } from "../../../src/c2m/connect.ts";
import type { RotationLog } from "../../../src/formats/ledger.ts";
import { listedBaseUrl, siblingsOf } from "../../../src/formats/settings.ts";
import type { TokenIssuer } from "../../../src/ports/c2m.ts";
import { Sensitive } from "../../../src/ports/sensitive.ts";
import { CallBudget } from "../../../src/reconcile/call-budget.ts";
import { reconcile } from "../../../src/reconcile/reconcile.ts";
import type { ReconcileReport } from "../../../src/reconcile/report.ts";
import type { Scope } from "../../../src/reconcile/survey.ts";
import type { RotationContext } from "../../../src/rotation/context.ts";
import { presentToken } from "../../../src/rotation/present-token.ts";
import { runBootstrap, runProveCredentials, runStep } from "../../../src/rotation/steps/run-step.ts";
import { runCommand } from "./commands.ts";
import {
  type CommandName,
  type CommandResult,
  type FunctionEnd,
  FunctionRun,
  type Invocation,
} from "./function-run.ts";
import type { ClientCredentials, Invocations, TokenSecret, World } from "./parts.ts";
import { WatchedProofs } from "./watched-proofs.ts";

const timeoutMs = { rotator: 120_000, reconciler: 300_000, operator: Number.POSITIVE_INFINITY } as const;

/** Kept back of a function's time by its handler, in ms. */
const answerMs = 1_000;

/** How far the functions' clocks are off in a spell, in ms. */
const clockSkewMs = 10 * 60_000;

/** Calls to C2M that a run of the reconciler may make. */
const callBudget = 100;

/** What is explored; a broken double replaces a part of it. */
export interface Protocol {
  runStep: typeof runStep;
  runBootstrap: typeof runBootstrap;
  reconcile: typeof reconcile;
  runCommand: typeof runCommand;
}

export const theProtocol: Protocol = { runStep, runBootstrap, reconcile, runCommand };

/** Who has no credentials can't issue: no product code asks it to. */
const nobody: TokenIssuer = { issueLongTermToken: () => Promise.reject(new Error("Only the rotator issues.")) };

/** All of them at a moment in which none runs. */
export interface SavedFunctions {
  versionIds: readonly string[];
  proofs: WatchedProofs;
}

/** The functions: what their handlers do, with every request an effect that a schedule can strike. */
export class Functions implements Invocations {
  /** Versions that steps were run for, in order. */
  readonly versionIds: string[] = [];
  running = 0;
  readonly #created = new Map<string, () => void>();
  #proven: WatchedProofs;
  readonly #world: World;
  readonly #protocol: Protocol;

  constructor(world: World, protocol: Protocol = theProtocol) {
    this.#world = world;
    this.#protocol = protocol;
    this.#proven = this.#newProcess();
  }

  /** What the rotator's warm process still remembers: versions that it has proven. */
  memory(): unknown {
    return this.#proven.held();
  }

  async proveCredentials(): Promise<FunctionEnd<unknown>> {
    const listed = this.#listed();
    return await this.#invoke({ role: "rotator", name: "proveCredentials", secret: undefined }, (context) =>
      runProveCredentials(listed.map(({ index, settings }) => ({ ...context(index), arn: settings.secretName }))),
    );
  }

  save(): SavedFunctions {
    return { versionIds: [...this.versionIds], proofs: this.#proven.copy(this.#world.clock) };
  }

  restore({ versionIds, proofs }: SavedFunctions): void {
    this.versionIds.push(...versionIds);
    this.#proven = proofs.copy(this.#world.clock);
  }

  /** A rotator that was killed remembers nothing. */
  #newProcess(): WatchedProofs {
    return new WatchedProofs(this.#world.clock);
  }

  bootstrap(index: number): Promise<FunctionEnd<unknown>> {
    return this.#invoke({ role: "rotator", name: "bootstrap", secret: index }, (context) =>
      this.#protocol.runBootstrap(context(index)),
    );
  }

  #listed(): TokenSecret[] {
    const { secrets, decommissioned, unlisted } = this.#world;
    return secrets.filter(({ index }) => !decommissioned.has(index) && !unlisted.has(index));
  }

  async step(event: RotationEvent): Promise<FunctionEnd<unknown>> {
    const secret = this.#world.indexOf(event.SecretId);
    // As the handler has it: before it says or asks anything.
    const isListed = this.#listed().some(({ index }) => index === secret);
    const end = isListed ? await this.#step(event, secret) : notListed;
    if (event.Step === "createSecret") this.#created.get(event.ClientRequestToken)?.();
    return end;
  }

  #step(event: RotationEvent, secret: number): Promise<FunctionEnd<unknown>> {
    const { ClientRequestToken: versionId, RotationToken } = event;
    this.#world.watch.leaks.confide(RotationToken);
    // A copy of the current value that is only tested gets no other step, and goes away.
    if (event.Step === "createSecret" && !this.versionIds.includes(versionId)) this.versionIds.push(versionId);
    return this.#invoke({ role: "rotator", name: event.Step, secret, event }, (context) =>
      this.#protocol.runStep(context(secret), event.Step, {
        versionId,
        rotationToken: new Sensitive(RotationToken),
      }),
    );
  }

  /** Resolves when createSecret for this version ends for the first time from now on. */
  whenCreated(versionId: string): Promise<void> {
    return new Promise((resolve) => this.#created.set(versionId, resolve));
  }

  /** The four steps of a rotation, as far as they succeed; whether all did. */
  async steps(secret: number, versionId: string, rotationToken: string): Promise<boolean> {
    const { arn } = this.#world.of(secret);
    for (const Step of rotationSteps) {
      const event = { Step, SecretId: arn, ClientRequestToken: versionId, RotationToken: rotationToken };
      const end = await this.step(event);
      if (end.kind !== "succeeded") return false;
    }
    return true;
  }

  async command(name: CommandName, index: number): Promise<FunctionEnd<CommandResult>> {
    const { watch } = this.#world;
    // The stack does not know it.
    if (this.#world.unlisted.has(index)) return notListed;
    const endsGrace = name === "compromised" || name === "decommission";
    const run = new FunctionRun(
      { role: "operator", name, secret: index, endsGrace },
      { timeoutAt: timeoutMs.operator },
    );
    const truth = watch.commandBegins(name, index);
    const end = await this.#run(run, () => this.#protocol.runCommand(this.#world, run, name, index));
    if (end.kind !== "succeeded") return end;
    if (end.result.exitCode === 0) truth(end.result.result);
    const left = (end.result.result?.alive ?? []) as { tokenId?: string; until?: string }[];
    for (const { tokenId, until } of left) watch.happened.reported.push({ tokenId, until });
    return end;
  }

  async reconcile(
    scope: Scope,
    { graceSeconds, secrets }: { graceSeconds?: number | undefined; secrets?: string[] | undefined } = {},
  ): Promise<FunctionEnd<ReconcileReport>> {
    const name = scope === "all" ? "reconcile all" : "reconcile";
    const endsGrace = graceSeconds !== undefined;
    let own: FunctionRun | undefined;
    const end = await this.#invoke({ role: "reconciler", name, secret: undefined, endsGrace }, (context, run) => {
      own = run;
      const budget = new CallBudget(callBudget);
      const { paused } = this.#world;
      const works = this.#listed().map(({ index }) => {
        const { settings, ...own } = context(index);
        const c2mAt = (said: string | undefined) => {
          const c2m = own.c2mAt(said);
          return c2m && budget.limit(c2m);
        };
        return { settings, parts: { ...own, c2mAt } };
      });
      const { clock, log, deadline } = context(0);
      const ledger = this.#world.connection.ledger(run);
      const parts = { clock, log, ledger, budget, deadline, secrets: works, paused, stepMs: timeoutMs.rotator };
      return this.#protocol.reconcile(parts, { scope, graceSeconds, only: secrets });
    });
    if (end.kind === "succeeded") this.#checkRetired(end.result, own);
    return end;
  }

  /** Of a secret that is retired, a report that calls it quiet says that nothing of it lives but the current token. */
  #checkRetired({ secrets }: ReconcileReport, run: FunctionRun | undefined): void {
    for (const { index, settings } of this.#listed()) {
      const isQuiet = secrets.some(({ name, quiet }) => quiet && name === settings.secretName);
      if (run && settings.retire && isQuiet) this.#world.watch.saidToBeOver(run, index);
    }
  }

  async #invoke<Result>(
    invocation: Invocation,
    body: (context: (index: number) => RotationContext, run: FunctionRun) => Promise<Result>,
  ): Promise<FunctionEnd<Result>> {
    const { clock, effects } = this.#world;
    const run = new FunctionRun(
      { ...invocation, isFrozen: this.#world.paused },
      {
        timeoutAt: clock.now() + timeoutMs[invocation.role],
        skewMs: effects.isOn("clock-ahead") ? clockSkewMs : effects.isOn("clock-behind") ? -clockSkewMs : 0,
      },
    );
    if (run.skewMs !== 0) this.#world.watch.happened.skewed(run.skewMs);
    const issuers: C2mClient[] = [];
    const contexts = this.#world.secrets.map(({ index }) => this.#context(run, index, issuers));
    return await this.#run(run, async () => {
      try {
        return await body((index) => contexts[index] as RotationContext, run);
      } finally {
        for (const issuer of issuers) await issuer.close();
      }
    });
  }

  async #run<Result>(run: FunctionRun, body: () => Promise<Result>): Promise<FunctionEnd<Result>> {
    this.running += 1;
    const end = await run.end(body);
    this.running -= 1;
    if (end.kind === "killed") {
      this.#world.ledger.killed(run);
      if (run.invocation.role === "rotator") this.#proven = this.#newProcess();
    }
    this.#world.watch.ended(run, end);
    return end;
  }

  #context(run: FunctionRun, index: number, issuers: C2mClient[]): RotationContext {
    const { role } = run.invocation;
    const clock = run.clock(this.#world.clock);
    const { settings } = this.#world.of(index);
    const { baseUrl, clientId } = settings;
    const connection = { clock, random: () => 0.5, send: this.#world.connection.c2m(run) };
    const { arn } = this.#world.of(index);
    const store = new SecretsManagerStore(this.#world.connection.secretsManager(run));
    const credentials = async () =>
      settings.credentialsSecretId === undefined
        ? { mechanism: "short_token" as const, clientId, ...(await presentToken(store, arn, settings)) }
        : held(this.#world.credentials);
    // As the handler has it: those before, where they are of this client at this C2M; none where they are to be proven.
    const fallback = async () => {
      const { credentialsBefore: before } = this.#world;
      if (run.invocation.name === "proveCredentials" || settings.credentialsSecretId === undefined) return undefined;
      return before?.clientId === clientId && before.baseUrl === baseUrl ? held(before) : undefined;
    };
    const tokens = Object.fromEntries(this.#listed().map((other) => [other.settings.secretName, other.settings]));
    // As their handlers have it: only the rotator holds credentials.
    const client =
      role === "rotator" ? createC2mClient({ ...connection, baseUrl, clientId, credentials, fallback }) : undefined;
    if (client) issuers.push(client);
    return {
      arn,
      siblings: siblingsOf({ rotatorTimeoutSeconds: timeoutMs.rotator / 1_000, tokens }, settings),
      store,
      c2mAt: (said) => {
        const listed = listedBaseUrl(settings, said);
        return listed === undefined ? undefined : connectTokenUser({ ...connection, baseUrl: listed });
      },
      issuer: client ?? nobody,
      clock,
      log: this.#log(run),
      settings,
      paused: this.#world.paused,
      proven: this.#proven,
      randomId: () => this.#world.id("attempt"),
      deadline: run.timeoutAt + run.skewMs - answerMs,
    };
  }

  #log(run: FunctionRun): RotationLog {
    return {
      event: (event, fields) => {
        const { token_id, version_id } = fields as { token_id?: string; version_id?: string };
        this.#world.effects.log(run, event, token_id ?? version_id ?? "", (fault) => {
          const line = this.#world.ledger.write(run, this.#world.clock.now(), event, fields, fault);
          // What CloudWatch loses takes the id of a token with it: not promised.
          if (fault === "line-lost") this.#world.watch.happened.exempt.add("ids");
          if (event === "token.unrevocable") this.#world.watch.unrevocable.add(token_id ?? "without id");
          this.#world.watch.logged(run, line);
          this.#world.connection.logged(line);
        });
      },
      metric: () => {},
    };
  }
}

const notListed = { kind: "failed", error: new Error("The secret is not listed.") } as const;

function held({ clientSecret, ...others }: ClientCredentials) {
  return { mechanism: "client_secret" as const, ...others, clientSecret: new Sensitive(clientSecret) };
}
