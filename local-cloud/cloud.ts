import { InvokeCommand, LambdaClient } from "@aws-sdk/client-lambda";
import { type FrontDoor, startFrontDoor } from "./aws/front-door.ts";
import type { Caller } from "./aws/service.ts";
import { C2mEngine, type C2mState } from "./c2m/engine.ts";
import type { C2mExchange } from "./c2m/front-door.ts";
import type { C2mKnobs } from "./c2m/knobs.ts";
import { type C2mServer, startC2mServer } from "./c2m/server.ts";
import { CallLog } from "./calls.ts";
import type { Clock } from "./clock.ts";
import { Dashboards } from "./cloudwatch/dashboards.ts";
import { CloudWatch } from "./cloudwatch/metrics.ts";
import { type CloudWatchKnobs, CloudWatchService } from "./cloudwatch/service.ts";
import { EventBus } from "./events/bus.ts";
import { EventRules } from "./events/rules.ts";
import { Topics } from "./events/topics.ts";
import { Faults } from "./faults.ts";
import { Iam } from "./iam/iam.ts";
import { type AccessKey, Identities } from "./iam/identities.ts";
import { Keys } from "./kms/keys.ts";
import { LambdaService } from "./lambda/service.ts";
import { type LogsKnobs, LogsService, type SavedLogGroup } from "./logs/service.ts";
import type { KnobSettings } from "./secrets-manager/knobs.ts";
import { type SavedSecrets, SecretsManagerService } from "./secrets-manager/service.ts";

/** The path of the second C2M's base URL. */
const stage = "/dev";
const eventBridge = "events.amazonaws.com";

export interface LocalCloudOptions {
  clock: Clock;
  /** Default `123456789012`. */
  accountId?: string;
  /** Default `us-east-1`. */
  region?: string;
  /** Default 0: any free one. */
  awsPort?: number;
  c2mPort?: number;
  secretsManager?: KnobSettings;
  c2m?: Partial<C2mKnobs>;
  c2mStage?: Partial<C2mKnobs>;
  logs?: Partial<LogsKnobs>;
  cloudWatch?: Partial<CloudWatchKnobs>;
  /** Runs EventBridge's rules this often instead of on their schedules, in ms. */
  runRulesEveryMs?: number;
  /** Where another cloud left off, from its `save`. */
  state?: CloudState;
  /** Told of every exchange with C2M before its answer is sent. */
  onC2mExchange?: (exchange: C2mExchange) => void;
}

/**
 * What of a cloud outlives a restart: secrets, logs, and what C2M knows. Holds secrets as they are. Functions, roles and
 * rules are not in it: the program declares those.
 */
export interface CloudState {
  secrets: SavedSecrets;
  logs: SavedLogGroup[];
  c2m: C2mState;
  /** Absent in a state of an earlier version. */
  c2mStage?: C2mState;
}

/** What an AWS SDK client needs to speak to the local cloud. */
export interface ClientConfig {
  endpoint: string;
  region: string;
  credentials: AccessKey;
}

/** AWS, as far as the product uses it, and C2M: on this machine, on one clock. Empty until something is deployed into it. */
export class LocalCloud {
  readonly clock: Clock;
  readonly accountId: string;
  readonly region: string;
  readonly faults: Faults;
  readonly calls = new CallLog();
  readonly bus = new EventBus();
  readonly iam: Iam;
  readonly identities = new Identities();
  readonly logs: LogsService;
  readonly lambda: LambdaService;
  readonly secretsManager: SecretsManagerService;
  readonly eventRules: EventRules;
  readonly topics: Topics;
  /** CloudWatch's metrics and alarms. */
  readonly metrics: CloudWatch;
  readonly dashboards = new Dashboards();
  readonly keys: Keys;
  readonly c2m: C2mEngine;
  /**
   * A second C2M on the host of the first, as a stage beside production: without clients until some are registered, and
   * with a register of tokens of its own. Fault rules and the call log name it `c2m-stage`.
   */
  readonly c2mStage: C2mEngine;
  /** The operator who deploys. */
  readonly administrator: Caller;
  readonly #invokers = new Map<string, LambdaClient>();
  #frontDoor: FrontDoor | undefined;
  #c2mServer: C2mServer | undefined;
  #stopped: Promise<void> | undefined;

  /** Whether a service may use the key of a topic that is encrypted. */
  #mayEncrypt(topicArn: string, service: string, keys: Record<string, string>): boolean {
    const { kmsKeyId } = this.topics.topic(topicArn)?.settings ?? {};
    return kmsKeyId === undefined || (this.keys.mayBeUsedBy(kmsKeyId, service, this.accountId, keys) ?? true);
  }

  private constructor(options: LocalCloudOptions) {
    const { clock, accountId = "123456789012", region = "us-east-1", state } = options;
    this.clock = clock;
    this.accountId = accountId;
    this.region = region;
    this.administrator = { kind: "administrator", accountId, arn: `arn:aws:iam::${accountId}:user/operator` };
    this.faults = new Faults(clock);
    this.iam = new Iam(accountId);
    const { iam, identities, bus } = this;
    this.logs = new LogsService({
      clock,
      iam,
      accountId,
      region,
      knobs: options.logs ?? {},
      ...(state && { state: state.logs }),
    });
    this.lambda = new LambdaService({
      clock,
      iam,
      identities,
      logs: this.logs,
      accountId,
      region,
      onInvocation: (name, isSuccess, durationMs) => this.metrics.putInvocation(name, isSuccess, durationMs),
    });
    this.keys = new Keys(iam);
    this.topics = new Topics(accountId, this.iam);
    this.metrics = new CloudWatch({
      clock,
      logs: this.logs,
      extraPeriods: options.cloudWatch?.extraPeriods,
      notify: (topicArn, message) => {
        const keys = { "aws:SourceAccount": accountId };
        const cloudWatch = "cloudwatch.amazonaws.com";
        if (!this.#mayEncrypt(topicArn, cloudWatch, keys))
          return "CloudWatch Alarms does not have authorization to access the SNS topic encryption key.";
        if (this.topics.publish(topicArn, cloudWatch, message, keys)) return undefined;
        // As recorded, but for the end of the sentence. A topic that is not there has another text, which nobody recorded.
        return `CloudWatch Alarms is not authorized to perform: SNS:Publish on resource: ${topicArn}`;
      },
    });
    this.eventRules = new EventRules({
      clock,
      runEveryMs: options.runRulesEveryMs,
      bus,
      deliver: async (targetArn, ruleArn, event) =>
        targetArn.startsWith("arn:aws:sns:")
          ? this.#mayEncrypt(targetArn, eventBridge, {}) &&
            this.topics.publish(targetArn, eventBridge, JSON.stringify(event))
          : this.#invoke(targetArn, event, serviceCaller(accountId, eventBridge, ruleArn)),
    });
    this.c2m = new C2mEngine({ clock, knobs: options.c2m ?? {}, ...(state && { state: state.c2m }) });
    this.c2mStage = new C2mEngine({
      clock,
      knobs: options.c2mStage ?? {},
      ...(state?.c2mStage && { state: state.c2mStage }),
    });
    const asSecretsManager = (secretArn: string) => serviceCaller(accountId, "secretsmanager.amazonaws.com", secretArn);
    this.secretsManager = new SecretsManagerService({
      clock,
      accountId,
      region,
      events: bus,
      checkPolicy: (document, blockPublicPolicy) => iam.checkSecretPolicy(document, blockPublicPolicy),
      knobs: options.secretsManager ?? {},
      ...(state && { state: state.secrets }),
      rotator: {
        mayInvoke: (functionArn, secretArn) => this.lambda.mayInvoke(functionArn, asSecretsManager(secretArn)),
        invoke: (functionArn, secretArn, event) => this.#invoke(functionArn, event, asSecretsManager(secretArn)),
      },
    });
  }

  /** Starts it on 127.0.0.1. Rejects when a port is taken. */
  static async start(options: LocalCloudOptions): Promise<LocalCloud> {
    const cloud = new LocalCloud(options);
    try {
      await cloud.#serve(options);
    } catch (error) {
      await cloud.stop();
      throw error;
    }
    return cloud;
  }

  async #serve(options: LocalCloudOptions): Promise<void> {
    const { clock, faults, calls, identities, iam, c2m, c2mStage, metrics, accountId, region } = this;
    const { cloudWatch: knobs = {} } = options;
    this.#frontDoor = await startFrontDoor({
      services: [
        this.secretsManager,
        this.lambda,
        this.logs,
        new CloudWatchService({ metrics, accountId, region, knobs }),
      ],
      identities,
      iam,
      clock,
      faults,
      calls,
      port: options.awsPort ?? 0,
      // Clients outside the functions don't live on the cloud's clock.
      allowedSkewMs: Number.POSITIVE_INFINITY,
    });
    this.lambda.setEndpoint(this.awsUrl);
    const observed = { faults, calls, clock, ...(options.onC2mExchange && { onExchange: options.onC2mExchange }) };
    this.#c2mServer = await startC2mServer({
      engine: c2m,
      stages: { [stage]: { engine: c2mStage, service: "c2m-stage", ...observed } },
      port: options.c2mPort ?? 0,
      ...observed,
    });
  }

  /** For AWS_ENDPOINT_URL. */
  get awsUrl(): string {
    return this.#frontDoor?.url ?? "";
  }

  /** C2M's base URL, without `/auth`. */
  get c2mUrl(): string {
    return this.#c2mServer?.url ?? "";
  }

  /** The base URL of the second C2M. */
  get c2mStageUrl(): string {
    return this.#c2mServer?.stageUrl(stage) ?? "";
  }

  /** The configuration of an SDK client that acts for `caller`; default the administrator. */
  clientConfig(caller: Caller = this.administrator): ClientConfig {
    return { endpoint: this.awsUrl, region: this.region, credentials: this.identities.issue(caller) };
  }

  /** For `state` of a cloud to come; can be written as JSON. */
  save(): CloudState {
    return {
      secrets: this.secretsManager.save(),
      logs: this.logs.save(),
      c2m: this.c2m.save(),
      c2mStage: this.c2mStage.save(),
    };
  }

  /** Ends its processes and closes its ports; once, however often it is called. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.eventRules.stop();
    this.secretsManager.stop();
    await this.secretsManager.idle();
    for (const client of this.#invokers.values()) client.destroy();
    await this.lambda.stop();
    await this.#frontDoor?.close();
    await this.#c2mServer?.close();
  }

  /** Services call the function as anybody does: over the wire, as the service that they are. */
  async #invoke(functionArn: string, event: unknown, caller: Caller): Promise<{ error?: string }> {
    const key = JSON.stringify(caller);
    const client = this.#invokers.get(key) ?? new LambdaClient({ ...this.clientConfig(caller), maxAttempts: 1 });
    this.#invokers.set(key, client);
    const answer = await client.send(new InvokeCommand({ FunctionName: functionArn, Payload: JSON.stringify(event) }));
    return answer.FunctionError === undefined ? {} : { error: answer.Payload?.transformToString() ?? "" };
  }
}

function serviceCaller(accountId: string, principal: string, sourceArn: string): Caller {
  return { kind: "service", accountId, principal, sourceArn, arn: principal };
}
