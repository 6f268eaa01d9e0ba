import type { Caller } from "../../aws/service.ts";
import { VirtualClock } from "../../clock.ts";
import { type CloudEvent, EventBus } from "../../events/bus.ts";
import type { KnobSettings } from "../../secrets-manager/knobs.ts";
import type { RotationEvent } from "../../secrets-manager/rotation.ts";
import {
  type SavedSecrets,
  SecretsManagerService,
  type SecretsManagerServiceOptions,
} from "../../secrets-manager/service.ts";

export const accountId = "123456789012";
export const region = "us-east-1";
export const functionArn = `arn:aws:lambda:${region}:${accountId}:function:rotate-token`;

export const operator: Caller = { kind: "administrator", accountId, arn: `arn:aws:iam::${accountId}:user/operator` };
/** The rotation function's own identity, named as Lambda names it. */
export const rotator: Caller = {
  kind: "role",
  accountId,
  roleName: "rotator",
  arn: `arn:aws:sts::${accountId}:assumed-role/rotator/rotate-token`,
};

/** A ClientRequestToken that is easy to recognise. */
export function token(label: string): string {
  return label.padEnd(32, "-");
}

type Step = (event: RotationEvent) => void | Promise<void>;

/** A Secrets Manager with one rotation function, which does what the test says. */
export class LocalAccount {
  readonly clock = new VirtualClock("2026-02-03T17:42:24Z");
  readonly events = new EventBus();
  /** Every step that the function was called with. */
  readonly invocations: RotationEvent[] = [];
  readonly service: SecretsManagerService;
  readonly engine: SecretsManagerService["engine"];
  mayInvoke = true;
  /** What the function does; `template` unless the test sets it. */
  step: Step = (event) => this.template(event);

  /** `state` is where another account left off. */
  constructor(
    knobs: KnobSettings = {},
    state: SavedSecrets = {},
    more: Pick<SecretsManagerServiceOptions, "from" | "betweenSteps"> = {},
  ) {
    this.service = new SecretsManagerService({
      clock: this.clock,
      accountId,
      region,
      events: this.events,
      knobs,
      state,
      ...more,
      checkPolicy: (document, blockPublicPolicy) => this.checkPolicy(document, blockPublicPolicy),
      rotator: {
        mayInvoke: () => this.mayInvoke,
        invoke: async (_functionArn, _secretArn, event) => {
          this.invocations.push(event);
          await this.step(event);
          return {};
        },
      },
    });
    this.engine = this.service.engine;
  }

  /** A secret with a first value, whose version is `token("first")`. */
  create(name = "app/token", value = "one"): string {
    return this.engine.createSecret({ Name: name, ClientRequestToken: token("first"), SecretString: value }, operator)
      .ARN;
  }

  put(SecretId: string, version: string, value: string, stages?: string[]) {
    const input = { SecretId, ClientRequestToken: token(version), SecretString: value };
    return this.engine.putSecretValue(stages ? { ...input, VersionStages: stages } : input, operator);
  }

  rotate(SecretId: string, version: string, more: { RotateImmediately?: boolean; days?: number } = {}) {
    const { days, ...rest } = more;
    return this.engine.rotateSecret({
      SecretId,
      ClientRequestToken: token(version),
      RotationLambdaARN: functionArn,
      ...(days === undefined ? {} : { RotationRules: { AutomaticallyAfterDays: days } }),
      ...rest,
    });
  }

  /** What AWS's rotation template does. */
  template({ Step, SecretId, ClientRequestToken }: RotationEvent): void {
    if (Step === "createSecret") {
      this.engine.putSecretValue(
        { SecretId, ClientRequestToken, SecretString: `value of ${ClientRequestToken}`, VersionStages: ["AWSPENDING"] },
        rotator,
      );
    }
    if (Step !== "finishSecret") return;
    const stages = this.stages(SecretId);
    const current = Object.keys(stages).find((id) => stages[id]?.includes("AWSCURRENT"));
    this.engine.updateSecretVersionStage({
      SecretId,
      VersionStage: "AWSCURRENT",
      MoveToVersionId: ClientRequestToken,
      ...(current === undefined ? {} : { RemoveFromVersionId: current }),
    });
  }

  /** Lets every resource policy pass. */
  checkPolicy(_document: string, _blockPublicPolicy: boolean): void {}

  /** Labels by version. */
  stages(SecretId: string): Record<string, string[]> {
    return this.engine.describeSecret({ SecretId }).VersionIdsToStages ?? {};
  }

  value(SecretId: string): string | undefined {
    return this.engine.getSecretValue({ SecretId }).SecretString;
  }

  /** The steps that the function was called with, in order. */
  steps(): string[] {
    return this.invocations.map((event) => event.Step);
  }

  eventsNamed(name: string): CloudEvent[] {
    return this.events.events.filter((event) => event.detail.eventName === name || event["detail-type"] === name);
  }

  rotationEvents(): unknown[] {
    return this.events.events.flatMap((event) => event.detail.eventName ?? []);
  }
}

/** The error that a call throws, as code and message. */
export function refusal(call: () => unknown): { code: string; message: string; status: number } {
  try {
    call();
  } catch (error) {
    const { code, message, status } = error as { code: string; message: string; status: number };
    return { code, message, status };
  }
  throw new Error("The call was not refused.");
}
