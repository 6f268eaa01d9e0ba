import { AwsError, type AwsRequest, type AwsService, type PermissionNeeded } from "../aws/service.ts";
import { type EngineOptions, SecretsManagerEngine, type SecretsSnapshot } from "./engine.ts";
import { permissionsFor } from "./permissions.ts";
import type { SavedSecret } from "./saved-secret.ts";
import type { Input, Operation } from "./shapes.ts";
import { isOperation } from "./validation.ts";

/** The secrets of an account, by region. */
export type SavedSecrets = Record<string, SavedSecret[]>;

export interface SecretsManagerServiceOptions extends Omit<EngineOptions, "state" | "regions"> {
  /** Where another service left off, from its `save`. */
  state?: SavedSecrets;
}

/** Secrets Manager as the front door sees it: wire operations and the permissions they need. One engine per region. */
export class SecretsManagerService implements AwsService {
  readonly name = "secretsmanager";
  /** The engine of the region that the service was made for. */
  readonly engine: SecretsManagerEngine;
  readonly #options: SecretsManagerServiceOptions;
  readonly #engines = new Map<string, SecretsManagerEngine>();

  constructor(options: SecretsManagerServiceOptions) {
    this.#options = options;
    this.engine = this.#engineOf(options.region);
    for (const region of Object.keys(options.state ?? {})) this.#engineOf(region);
    for (const engine of this.#engines.values()) engine.replicate();
  }

  permissionsFor(request: AwsRequest): PermissionNeeded[] {
    const home = { accountId: this.#options.accountId, region: request.region };
    return permissionsFor(this.#engineOf(request.region), home, operationOf(request), request.input);
  }

  async handle(request: AwsRequest): Promise<Record<string, unknown>> {
    const authorizeRead = (SecretId: string) => {
      const read = { ...request, operation: "GetSecretValue", input: { SecretId } };
      for (const needed of this.permissionsFor(read)) request.authorize?.(needed);
    };
    return { ...perform(this.#engineOf(request.region), operationOf(request), request, authorizeRead) };
  }

  /** For `state` of a service to come; can be written as JSON. Holds the secrets' values as they are. */
  save(): SavedSecrets {
    return Object.fromEntries([...this.#engines].map(([region, engine]) => [region, engine.save()]));
  }

  /** For `from` of a service to come in this process; undefined where there are replicas, and where the engine gives none. */
  snapshot(): SecretsSnapshot | undefined {
    return this.#engines.size > 1 ? undefined : this.engine.snapshot();
  }

  /** Resolves when no rotation is running in any region. */
  async idle(): Promise<void> {
    await Promise.all([...this.#engines.values()].map((engine) => engine.idle()));
  }

  /** Cancels every timer. */
  stop(): void {
    for (const engine of this.#engines.values()) engine.stop();
  }

  #engineOf(region: string): SecretsManagerEngine {
    let engine = this.#engines.get(region);
    if (!engine) {
      const { state: { [region]: state = [] } = {}, from, ...options } = this.#options;
      engine = new SecretsManagerEngine({
        ...options,
        region,
        state,
        from: region === options.region ? from : undefined,
        regions: (name) => this.#engineOf(name).region,
      });
      this.#engines.set(region, engine);
    }
    return engine;
  }
}

function operationOf({ operation }: AwsRequest): Operation {
  if (isOperation(operation)) return operation;
  throw new AwsError("UnknownOperationException", `The local Secrets Manager has no operation ${operation}.`);
}

function perform(
  engine: SecretsManagerEngine,
  operation: Operation,
  { input, caller }: AwsRequest,
  authorizeRead: (secretId: string) => void,
): object {
  // The engine checks what it is given; here its type is only asserted.
  const as = <O extends Operation>(_: O) => input as unknown as Input<O>;
  switch (operation) {
    case "CreateSecret":
      return engine.createSecret(as(operation), caller);
    case "DescribeSecret":
      return engine.describeSecret(as(operation));
    case "GetSecretValue":
      return engine.getSecretValue(as(operation));
    case "BatchGetSecretValue":
      return engine.batchGetSecretValue(as(operation), authorizeRead);
    case "PutSecretValue":
      return engine.putSecretValue(as(operation), caller);
    case "UpdateSecret":
      return engine.updateSecret(as(operation), caller);
    case "UpdateSecretVersionStage":
      return engine.updateSecretVersionStage(as(operation));
    case "ListSecrets":
      return engine.listSecrets(as(operation));
    case "ListSecretVersionIds":
      return engine.listSecretVersionIds(as(operation));
    case "RotateSecret":
      return engine.rotateSecret(as(operation));
    case "CancelRotateSecret":
      return engine.cancelRotateSecret(as(operation));
    case "DeleteSecret":
      return engine.deleteSecret(as(operation));
    case "RestoreSecret":
      return engine.restoreSecret(as(operation));
    case "TagResource":
      return engine.tagResource(as(operation));
    case "UntagResource":
      return engine.untagResource(as(operation));
    case "GetResourcePolicy":
      return engine.getResourcePolicy(as(operation));
    case "PutResourcePolicy":
      return engine.putResourcePolicy(as(operation));
    case "ValidateResourcePolicy":
      return engine.validateResourcePolicy(as(operation));
    case "DeleteResourcePolicy":
      return engine.deleteResourcePolicy(as(operation));
    case "ReplicateSecretToRegions":
      return engine.replicateSecretToRegions(as(operation));
    case "GetRandomPassword":
      return engine.getRandomPassword(as(operation));
    case "StopReplicationToReplica":
      return engine.stopReplicationToReplica(as(operation));
    case "RemoveRegionsFromReplication":
      return engine.removeRegionsFromReplication(as(operation));
  }
}
