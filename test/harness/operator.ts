import { randomUUID } from "node:crypto";
import type { World } from "./rotation-world.ts";

/** Somebody who changes a world by hand, behind the function's back. */
export class Operator {
  readonly #world: World;

  constructor(world: World) {
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
