import type { EventName, Ledger } from "../src/formats/ledger.ts";
import type { SecretStore } from "../src/ports/secret-store.ts";

/**
 * What an operator asks of AWS, in plain values. The SDK is behind it (aws-sdk.ts) and is loaded when it is first needed;
 * whoever drives the commands without AWS hands in another. Times in epoch ms.
 */
export interface Aws {
  store: SecretStore;
  ledger(logGroup: string): Ledger;
  describeSecret(secretId: string): Promise<DescribedSecret>;
  /** `unfinished`: Secrets Manager starts none while another one has not ended. */
  rotateSecret(arn: string, versionId: string): Promise<"started" | "unfinished">;
  cancelRotation(arn: string): Promise<void>;
  /** @returns when it will be gone, where AWS says so */
  deleteSecret(arn: string, recoveryDays: number): Promise<number | undefined>;
  /** The names of the account's secrets that name a rotation function. */
  rotatedSecrets(): Promise<string[]>;
  functionConfiguration(name: string): Promise<FunctionConfiguration>;
  invoke(name: string, payload: string): Promise<{ payload: string; error: string | undefined }>;
  /** Throws where this identity may not invoke it; does not run it. */
  mayInvoke(name: string): Promise<void>;
  /** One page of a log group's lines. */
  logEvents(request: LogRequest): Promise<LogPage>;
  /** Writes lines to a stream of their own. */
  writeLog(logGroup: string, stream: string, lines: readonly LogLineToWrite[]): Promise<void>;
  /** In days, undefined for ever; null where there is no such log group. */
  logRetention(logGroup: string): Promise<number | undefined | null>;
  alarms(names: readonly string[]): Promise<Alarm[]>;
  /** Sets an alarm's state until CloudWatch evaluates it again; the actions of the state run. */
  setAlarmState(name: string, state: string, reason: string): Promise<void>;
  /** What the alarm's history tells of its actions since `from`, in AWS's words. */
  alarmActions(name: string, from: number): Promise<{ at: number; summary: string }[]>;
  /** How Secrets Manager refuses to read a version; undefined where it gives its value. */
  refusedRead(secretId: string, versionId: string): Promise<{ code: string; message: string } | undefined>;
  /** Whom the credentials stand for, as in `arn:aws:sts::123456789012:assumed-role/ops/alice`; undefined where nobody says so. */
  callerArn(): Promise<string | undefined>;
  /** How far this machine's clock is ahead of AWS's, in ms, by AWS's last answer; 0 before the first. */
  clockAheadMs(): number;
  close(): void;
}

export interface DescribedSecret {
  arn: string;
  name: string;
  /** Whether the rotation that keeps it has made it, by its description; else it was lent to it. */
  isOurs: boolean;
  rotationEnabled: boolean;
  /** As in `rate(30 days)`. */
  schedule: string | undefined;
  rotationLambdaArn: string | undefined;
  createdAt: number | undefined;
  lastRotatedAt: number | undefined;
  lastChangedAt: number | undefined;
  nextRotationAt: number | undefined;
  /** When it was marked for deletion. */
  deletedAt: number | undefined;
  replicasInSync: boolean;
  /** Regions that it is replicated to. */
  replicaRegions: readonly string[];
  /** Staging labels by version id. */
  stages: ReadonlyMap<string, readonly string[]>;
}

export interface FunctionConfiguration {
  runtime: string | undefined;
  state: string | undefined;
  timeoutSeconds: number | undefined;
  logGroup: string | undefined;
}

export interface LogRequest {
  logGroup: string;
  /** Only lines of these events. */
  names: readonly EventName[];
  from: number;
  nextToken: string | undefined;
}

export interface LogPage {
  events: {
    message: string;
    /** By the clock of whoever wrote the line. */
    timestamp: number;
    /** When the line came, by CloudWatch's clock. */
    ingestionTime?: number | undefined;
    logStreamName: string | undefined;
  }[];
  nextToken: string | undefined;
}

export interface LogLineToWrite {
  timestamp: number;
  message: string;
}

export interface Alarm {
  name: string;
  state: string | undefined;
  /** Since when it is in this state. */
  since: number | undefined;
  actionsEnabled: boolean;
  actions: readonly string[];
  treatMissingData: string | undefined;
  description: string;
}
