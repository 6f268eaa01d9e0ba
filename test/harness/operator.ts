import { randomUUID } from "node:crypto";
import type { Caller } from "../../local-cloud/aws/service.ts";
import type { C2mEngine } from "../../local-cloud/c2m/engine.ts";
import type { SecretsManagerService } from "../../local-cloud/secrets-manager/service.ts";

/** What is changed by hand. */
interface OperatedWorld {
  readonly engine: SecretsManagerService["engine"];
  readonly arn: string;
  readonly administrator: Caller;
  readonly c2mEngine: C2mEngine;
  readonly clock: { now(): number };
  /** The labels of every version that has some. */
  stages(): Record<string, string[]>;
}

/** Somebody who changes a world by hand, behind the function's back. */
export class Operator {
  readonly #world: OperatedWorld;

  constructor(world: OperatedWorld) {
    this.#world = world;
  }

  /** Stores a value by hand. */
  put(value: string, stages = ["AWSCURRENT"], versionId: string = randomUUID()): string {
    this.#world.engine.putSecretValue(
      { SecretId: this.#world.arn, ClientRequestToken: versionId, SecretString: value, VersionStages: stages },
      this.#world.administrator,
    );
    return versionId;
  }

  /** Moves a label by hand, wherever it is. */
  moveStage(stage: string, to: string | undefined): void {
    const from = Object.entries(this.#world.stages()).find(([, stages]) => stages.includes(stage))?.[0];
    this.#world.engine.updateSecretVersionStage({
      SecretId: this.#world.arn,
      VersionStage: stage,
      ...(to === undefined ? {} : { MoveToVersionId: to }),
      ...(from === undefined ? {} : { RemoveFromVersionId: from }),
    });
  }

  /** Revokes a token at C2M behind the function's back. */
  revokeByHand(tokenId: string): void {
    const token = this.#world.c2mEngine.byId(tokenId);
    if (!token) throw new Error("C2M has no such token.");
    token.revokedAt ??= this.#world.clock.now();
    token.refusedFrom ??= this.#world.clock.now();
  }
}
