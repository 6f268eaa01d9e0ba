import { rollback } from "../../../cli/acting/rollback-plan.ts";
import { type RotationEvent, rotationSteps } from "../../../local-cloud/secrets-manager/rotation.ts";
import { SecretsManagerStore } from "../../../src/aws/secrets-manager-store.ts";
import { createC2mClient } from "../../../src/c2m/client.ts";
import { connectTokenUser } from "../../../src/c2m/connect.ts";
import type { RotationLog } from "../../../src/formats/ledger.ts";
import { listedBaseUrl } from "../../../src/formats/settings.ts";
import type { TokenIssuer } from "../../../src/ports/c2m.ts";
import { Sensitive } from "../../../src/ports/sensitive.ts";
import { CallBudget } from "../../../src/reconcile/call-budget.ts";
import { reconcile } from "../../../src/reconcile/reconcile.ts";
import type { ReconcileReport } from "../../../src/reconcile/report.ts";
import type { Scope } from "../../../src/reconcile/survey.ts";
import type { RotationContext } from "../../../src/rotation/context.ts";
import { runBootstrap, runStep } from "../../../src/rotation/steps/run-step.ts";
import { clientId, clientSecret } from "./c2m-client.ts";
import { type FunctionEnd, FunctionRun, type Invocation } from "./function-run.ts";
import type { Invocations, World } from "./parts.ts";

const timeoutMs = { rotator: 120_000, reconciler: 300_000, operator: 120_000 } as const;

/** Kept back of a function's time by its handler, in ms. */
const answerMs = 1_000;

const credentials = async () => ({
  mechanism: "client_secret" as const,
  clientId,
  clientSecret: new Sensitive(clientSecret),
});

/** Calls to C2M that a run of the reconciler may make. */
const callBudget = 100;

/** What is explored; a broken double replaces a part of it. */
export interface Protocol {
  runStep: typeof runStep;
  runBootstrap: typeof runBootstrap;
  reconcile: typeof reconcile;
}

export const theProtocol: Protocol = { runStep, runBootstrap, reconcile };

/** Who has no credentials can't issue: no product code asks it to. */
const nobody: TokenIssuer = { issueLongTermToken: () => Promise.reject(new Error("Only the rotator issues.")) };

/** The functions: what their handlers do, with every request an effect that a schedule can strike. */
export class Functions implements Invocations {
  /** Versions that steps were run for, in order. */
  readonly versionIds: string[] = [];
  readonly #created = new Map<string, () => void>();
  readonly #world: World;
  readonly #protocol: Protocol;

  constructor(world: World, protocol: Protocol = theProtocol) {
    this.#world = world;
    this.#protocol = protocol;
  }

  bootstrap(index: number): Promise<FunctionEnd<unknown>> {
    return this.#invoke({ role: "rotator", name: "bootstrap", secret: index }, (context) =>
      this.#protocol.runBootstrap(context(index)),
    );
  }

  async step(event: RotationEvent): Promise<FunctionEnd<unknown>> {
    const secret = this.#world.indexOf(event.SecretId);
    const { ClientRequestToken: versionId, RotationToken } = event;
    this.#world.watch.leaks.confide(RotationToken);
    // A copy of the current value that is only tested gets no other step, and goes away.
    if (event.Step === "createSecret" && !this.versionIds.includes(versionId)) this.versionIds.push(versionId);
    const end = await this.#invoke({ role: "rotator", name: event.Step, secret, event }, (context) =>
      this.#protocol.runStep(context(secret), event.Step, {
        versionId,
        rotationToken: new Sensitive(RotationToken),
      }),
    );
    if (event.Step === "createSecret") this.#created.get(versionId)?.();
    return end;
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

  /** The operator's rollback, which a crash can strike like any function. */
  rollback(index: number): Promise<FunctionEnd<unknown>> {
    const { arn } = this.#world.of(index);
    return this.#invoke({ role: "operator", name: "rollback", secret: index }, (context, run) =>
      rollback(context(index), arn, this.#world.connection.ledger(run)),
    );
  }

  reconcile(scope: Scope): Promise<FunctionEnd<ReconcileReport>> {
    const name = scope === "all" ? "reconcile all" : "reconcile";
    return this.#invoke({ role: "reconciler", name, secret: undefined }, (context, run) => {
      const budget = new CallBudget(callBudget);
      const secrets = this.#world.secrets.map(({ index }) => {
        const { settings, ...own } = context(index);
        const c2mAt = (said: string | undefined) => {
          const c2m = own.c2mAt(said);
          return c2m && budget.limit(c2m);
        };
        return { settings, parts: { ...own, c2mAt } };
      });
      const { clock, log, deadline } = context(0);
      const ledger = this.#world.connection.ledger(run);
      const parts = { clock, log, ledger, budget, deadline, secrets, stepMs: timeoutMs.rotator };
      return this.#protocol.reconcile(parts, { scope });
    });
  }

  async #invoke<Result>(
    invocation: Invocation,
    body: (context: (index: number) => RotationContext, run: FunctionRun) => Promise<Result>,
  ): Promise<FunctionEnd<Result>> {
    const run = new FunctionRun(invocation, this.#world.clock.now() + timeoutMs[invocation.role]);
    const end = await run.end(() => body((index) => this.#context(run, index), run));
    if (end.kind === "killed") this.#world.ledger.killed(run);
    this.#world.watch.ended(run, end);
    return end;
  }

  #context(run: FunctionRun, index: number): RotationContext {
    const { role } = run.invocation;
    const clock = run.clock(this.#world.clock);
    const { settings } = this.#world.of(index);
    const { baseUrl } = this.#world.connection;
    const connection = { baseUrl, clock, random: () => 0.5, send: this.#world.connection.c2m(run) };
    const user = connectTokenUser(connection);
    return {
      arn: this.#world.of(index).arn,
      siblings: [],
      store: new SecretsManagerStore(this.#world.connection.secretsManager(run)),
      c2mAt: (said) => (listedBaseUrl({ baseUrl }, said) === undefined ? undefined : user),
      // As their handlers have it: only the rotator holds credentials.
      issuer: role === "rotator" ? createC2mClient({ ...connection, clientId, credentials }) : nobody,
      clock,
      log: this.#log(run),
      settings: { ...settings, baseUrl },
      randomId: () => this.#world.id("attempt"),
      deadline: run.timeoutAt - answerMs,
    };
  }

  #log(run: FunctionRun): RotationLog {
    return {
      event: (event, fields) => {
        const { token_id, version_id } = fields as { token_id?: string; version_id?: string };
        this.#world.effects.log(run, event, token_id ?? version_id ?? "", () => {
          const line = this.#world.ledger.write(run, this.#world.clock.now(), event, fields);
          if (event === "token.unrevocable") this.#world.watch.unrevocable.add(token_id ?? "without id");
          this.#world.watch.logged(run, line);
          this.#world.connection.logged(line);
        });
      },
      metric: () => {},
    };
  }
}
