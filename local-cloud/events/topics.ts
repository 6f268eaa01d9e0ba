import { AwsError } from "../aws/service.ts";
import { contextOf } from "../iam/condition.ts";
import { decide } from "../iam/evaluate.ts";
import type { Iam } from "../iam/iam.ts";
import { parsePolicy } from "../iam/policy.ts";
import { quotas, sizeOf, wrongTags } from "../quotas.ts";

export interface Subscription {
  protocol: string;
  endpoint: string;
}

/** What CreateTopic sets. */
export interface TopicSettings {
  displayName?: string | undefined;
  kmsKeyId?: string | undefined;
  tags?: Record<string, string> | undefined;
}

interface Topic {
  settings: TopicSettings;
  /** The topic's policy; AWS's default lets the account's own users in, and no service. */
  policy: string | undefined;
  subscriptions: Map<string, Subscription>;
  published: string[];
}

/** SNS, as far as rules and alarms publish to topics. */
export class Topics {
  readonly #accountId: string;
  readonly #iam: Iam;
  readonly #topics = new Map<string, Topic>();

  constructor(accountId: string, iam: Iam) {
    this.#accountId = accountId;
    this.#iam = iam;
  }

  /**
   * Creates a topic, or gives back the one of that name where it has the same settings.
   * @throws AwsError InvalidParameter for a wrong name or tag, and for a topic that is there with other settings
   */
  create(arn: string, settings: TopicSettings = {}): void {
    const name = arn.split(":").at(-1) ?? "";
    if (!/^[A-Za-z0-9_-]+$/.test(name) || name.length > quotas.topicName.most) throw invalid("Topic Name");
    checkTags(settings.tags);
    const existing = this.#topics.get(arn);
    if (existing) {
      const { tags, ...attributes } = existing.settings;
      const { tags: newTags, ...newAttributes } = settings;
      if (!same(attributes, newAttributes))
        throw invalid("Attributes Reason: Topic already exists with different attributes");
      if (!same(tags, newTags)) throw invalid("Tags Reason: Topic already exists with different tags");
      return;
    }
    this.#topics.set(arn, { settings, policy: undefined, subscriptions: new Map(), published: [] });
  }

  /** SetTopicAttributes, TagResource and UntagResource. @throws AwsError NotFound, InvalidParameter */
  update(arn: string, settings: TopicSettings): void {
    checkTags(settings.tags);
    this.#find(arn).settings = settings;
  }

  /** The topic's settings and policy; undefined where there is none. */
  topic(arn: string): { settings: TopicSettings; policy: string | undefined } | undefined {
    return this.#topics.get(arn);
  }

  delete(arn: string): void {
    this.#topics.delete(arn);
  }

  /**
   * Undefined: AWS's default policy.
   * @throws AwsError NotFound; InvalidParameter where the policy is none, or names a principal that isn't there
   */
  setPolicy(arn: string, policy: string | undefined): void {
    const topic = this.#find(arn);
    if (policy !== undefined) {
      const problem = this.#iam.policyProblem(policy, "resource");
      if (problem) throw invalid(`Policy Error: ${problem}`);
      if (sizeOf("topicPolicy", policy) > quotas.topicPolicy.most)
        throw invalid("Policy Error: the policy is too long");
    }
    topic.policy = policy;
  }

  subscribe(arn: string, id: string, subscription: Subscription): void {
    this.#find(arn).subscriptions.set(id, subscription);
  }

  unsubscribe(arn: string, id: string): void {
    this.#topics.get(arn)?.subscriptions.delete(id);
  }

  /**
   * Publishes for an AWS service, where there is a topic whose policy lets it.
   *
   * @param keys condition keys that the service sends. EventBridge sends none.
   * @returns whether it was published
   */
  publish(arn: string, service: string, message: string, keys: Record<string, string> = {}): boolean {
    const topic = this.#topics.get(arn);
    if (topic?.policy === undefined) return false;
    const caller = {
      kind: "service",
      accountId: this.#accountId,
      principal: service,
      sourceArn: "",
      arn: service,
    } as const;
    const policies = { identity: [], resource: parsePolicy(topic.policy, "resource") };
    const needed = { action: "sns:Publish", resource: arn };
    const { allowed } = decide(caller, undefined, needed, policies, contextOf(keys));
    if (allowed) topic.published.push(message);
    return allowed;
  }

  /** What was published so far. */
  published(arn: string): readonly string[] {
    return this.#find(arn).published;
  }

  subscriptions(arn: string): Subscription[] {
    return [...this.#find(arn).subscriptions.values()];
  }

  /** The subscription of that id; undefined where there is none, or no topic. */
  subscription(arn: string, id: string): Subscription | undefined {
    return this.#topics.get(arn)?.subscriptions.get(id);
  }

  #find(arn: string): Topic {
    const topic = this.#topics.get(arn);
    if (!topic) throw new AwsError("NotFound", "Topic does not exist", 404);
    return topic;
  }
}

function checkTags(tags: Record<string, string> | undefined): void {
  const problem = wrongTags(tags);
  if (problem) throw invalid(`Tags Reason: ${problem}`);
}

function invalid(what: string): AwsError {
  return new AwsError("InvalidParameter", `Invalid parameter: ${what}`);
}

function same(one: object = {}, other: object = {}): boolean {
  const sorted = (value: object) =>
    JSON.stringify(
      Object.entries(value)
        .filter(([, entry]) => entry !== undefined)
        .sort(),
    );
  return sorted(one) === sorted(other);
}
