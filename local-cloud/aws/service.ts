/** Who signed a request, as the access key tells. */
export type Caller =
  /** A role's session: what its identity policies allow. */
  | { kind: "role"; accountId: string; roleName: string; arn: string }
  /** An AWS service acting for a resource of the account: what the target's resource policy allows. */
  | { kind: "service"; accountId: string; principal: string; sourceArn: string; arn: string }
  /** The operator who deploys: everything. */
  | { kind: "administrator"; accountId: string; arn: string };

export interface AwsRequest {
  operation: string;
  input: Record<string, unknown>;
  caller: Caller;
  region: string;
  requestId: string;
  /**
   * Throws AwsError where the caller lacks a permission that an operation finds out only while it answers. Absent where
   * nobody's permissions are checked.
   */
  authorize?: (needed: PermissionNeeded) => void;
}

/** One permission that a call needs. All that a call names must be granted. */
export interface PermissionNeeded {
  /** As in a policy, `secretsmanager:PutSecretValue`. */
  action: string;
  /** The ARN that the policy's Resource is matched against; `*` where the action has no resource. */
  resource: string;
  /** Other resources of which the permission will do as well. */
  orResources?: string[];
  /** Condition keys and their values, `secretsmanager:VersionStage`. */
  context?: Record<string, string | string[]>;
  /** The resource's own policy (JSON), where it has one. */
  resourcePolicy?: string;
  /** What a refusal says, where AWS does not say the usual sentence (`Access to KMS is not allowed`). */
  refusal?: string;
}

/** A service behind the local cloud's front door. */
export interface AwsService {
  /** The IAM prefix: `secretsmanager`, `lambda`, `logs`. */
  readonly name: string;
  /** The service in a signature's scope, where that is not the IAM prefix: CloudWatch signs as `monitoring`. */
  readonly signingName?: string;
  /** What the caller must be granted before `handle` may run. Throws AwsError where the input names nothing that exists. */
  permissionsFor(request: AwsRequest): PermissionNeeded[];
  /** Does it; the result is the JSON output. Throws AwsError. */
  handle(request: AwsRequest): Promise<Record<string, unknown>>;
}

/** An error as AWS answers it on the wire: `{"__type": code, "Message": message}` with `status`. */
export class AwsError extends Error {
  override readonly name = "AwsError";
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}
