import type { Clock } from "../clock.ts";
import type { EventBus } from "../events/bus.ts";
import type { Home } from "./arn.ts";
import { pending, previous } from "./labels.ts";
import type { LabelMove, Secret } from "./secret.ts";

/** The service events of a rotation that CloudTrail records. */
export type RotationEventName =
  | "RotationStarted"
  | "RotationSucceeded"
  | "RotationFailed"
  | "RotationAbandoned"
  | "TestRotationStarted"
  | "TestRotationSucceeded"
  | "TestRotationFailed";

/** Tells the event bus what happens to secrets, in the shapes that were recorded from EventBridge. */
export class Announcer {
  readonly #bus: EventBus;
  readonly #clock: Clock;
  readonly #home: Home;
  readonly #randomId: () => string;

  constructor(options: { bus: EventBus; clock: Clock; home: Home; randomId: () => string }) {
    this.#bus = options.bus;
    this.#clock = options.clock;
    this.#home = options.home;
    this.#randomId = options.randomId;
  }

  /** A service event, which has no resources and the ARN in additionalEventData only. It needs a trail in a real account. */
  rotation(secret: Secret, eventName: RotationEventName, errorMessage?: string): void {
    const { accountId, region } = this.#home;
    this.#put("AWS Service Event via CloudTrail", [], {
      eventVersion: "1.08",
      userIdentity: { accountId, invokedBy: "secretsmanager.amazonaws.com" },
      eventTime: this.#time(),
      eventSource: "secretsmanager.amazonaws.com",
      eventName,
      awsRegion: region,
      sourceIPAddress: "secretsmanager.amazonaws.com",
      userAgent: "secretsmanager.amazonaws.com",
      ...(errorMessage === undefined ? {} : { errorMessage }),
      requestParameters: null,
      responseElements: null,
      additionalEventData: { SecretId: secret.arn },
      requestID: `Rotation-${secret.arn}-${this.#randomId()}`,
      eventID: this.#randomId(),
      readOnly: false,
      eventType: "AwsServiceEvent",
      managementEvent: true,
      recipientAccountId: accountId,
      eventCategory: "Management",
    });
  }

  /** The native event, for every label but AWSPENDING and AWSPREVIOUS. */
  labelsUpdated(secret: Secret, moves: LabelMove[]): void {
    for (const { stage, versionId } of moves) {
      if (stage === pending || stage === previous) continue;
      const detail = { name: secret.name, labelUpdated: stage, versionId };
      this.#put("Secret Label Updated", [secret.arn], detail);
    }
  }

  #put(detailType: string, resources: string[], detail: Record<string, unknown>): void {
    this.#bus.put({
      source: "aws.secretsmanager",
      "detail-type": detailType,
      account: this.#home.accountId,
      region: this.#home.region,
      time: this.#time(),
      resources,
      detail,
    });
  }

  // CloudTrail and EventBridge both leave out the milliseconds.
  #time(): string {
    return `${new Date(this.#clock.now()).toISOString().slice(0, -".000Z".length)}Z`;
  }
}
