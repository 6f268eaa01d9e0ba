import { AwsError } from "../aws/service.ts";
import { contextOf } from "../iam/condition.ts";
import { decide } from "../iam/evaluate.ts";
import type { Iam } from "../iam/iam.ts";
import { parsePolicy } from "../iam/policy.ts";
import { quotas, sizeOf, tooLong, wrongTags } from "../quotas.ts";

export interface KeySettings {
  description?: string | undefined;
  policy: string;
  enableKeyRotation?: boolean | undefined;
  tags?: Record<string, string> | undefined;
}

/**
 * KMS's keys and aliases, as far as a stack declares them. Who may use a key is decided where a secret is read or
 * written, by the roles' policies: the policy of a key leaves it to those.
 */
export class Keys {
  readonly #iam: Iam;
  readonly #keys = new Map<string, KeySettings>();
  readonly #aliases = new Map<string, string>();

  constructor(iam: Iam) {
    this.#iam = iam;
  }

  /** Creates a key or changes one. @throws AwsError MalformedPolicyDocumentException, LimitExceededException, TagException */
  put(id: string, settings: KeySettings): void {
    const problem = this.#iam.policyProblem(settings.policy, "resource");
    if (problem) throw new AwsError("MalformedPolicyDocumentException", problem);
    if (sizeOf("keyPolicy", settings.policy) > quotas.keyPolicy.most)
      throw new AwsError("LimitExceededException", `The policy is larger than ${quotas.keyPolicy.most} bytes.`);
    const wrong = wrongTags(settings.tags);
    if (wrong) throw new AwsError("TagException", wrong);
    this.#keys.set(id, settings);
  }

  /** The key as it is now; undefined where there is none, or where it is scheduled for deletion. */
  key(id: string): KeySettings | undefined {
    return this.#keys.get(id);
  }

  /**
   * Whether the key's policy lets an AWS service encrypt and decrypt with it; of a key that is not here nobody knows.
   *
   * @param id a key's id or ARN
   * @param keys condition keys that the service sends
   */
  mayBeUsedBy(id: string, service: string, accountId: string, keys: Record<string, string>): boolean | undefined {
    const key = this.#keys.get(id.split("/").at(-1) ?? "");
    if (!key) return undefined;
    const caller = { kind: "service", accountId, principal: service, sourceArn: "", arn: service } as const;
    const policies = { identity: [], resource: parsePolicy(key.policy, "resource") };
    return ["kms:Decrypt", "kms:GenerateDataKey"].every(
      (action) => decide(caller, undefined, { action, resource: id }, policies, contextOf(keys)).allowed,
    );
  }

  /** ScheduleKeyDeletion: nobody can use the key from now on. Its aliases go when it does. */
  scheduleDeletion(id: string): void {
    this.#keys.delete(id);
  }

  /** @throws AwsError AlreadyExistsException, ValidationException */
  createAlias(name: string, keyId: string): void {
    const problem = tooLong("aliasName", "aliasName", name);
    if (problem || !/^alias\/[A-Za-z0-9/_-]+$/.test(name))
      throw new AwsError("ValidationException", problem ?? 'Alias must start with the prefix "alias/".');
    if (this.#aliases.has(name))
      throw new AwsError("AlreadyExistsException", `An alias with the name ${name} already exists`);
    this.#aliases.set(name, keyId);
  }

  /** The alias leads to this key from now on. */
  updateAlias(name: string, keyId: string): void {
    this.#aliases.set(name, keyId);
  }

  /** The key that the alias leads to; undefined where there is none. */
  alias(name: string): string | undefined {
    return this.#aliases.get(name);
  }

  deleteAlias(name: string): void {
    this.#aliases.delete(name);
  }
}
