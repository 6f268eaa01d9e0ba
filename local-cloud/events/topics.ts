import { contextOf } from "../iam/condition.ts";
import { decide } from "../iam/evaluate.ts";
import { parsePolicy } from "../iam/policy.ts";

export interface Subscription {
  protocol: string;
  endpoint: string;
}

interface Topic {
  /** The topic's policy; AWS's default lets the account's own users in, and no service. */
  policy: string | undefined;
  subscriptions: Map<string, Subscription>;
  published: string[];
}

/** SNS, as far as rules and alarms publish to topics. */
export class Topics {
  readonly #accountId: string;
  readonly #topics = new Map<string, Topic>();

  constructor(accountId: string) {
    this.#accountId = accountId;
  }

  create(arn: string): void {
    this.#topics.set(arn, { policy: undefined, subscriptions: new Map(), published: [] });
  }

  delete(arn: string): void {
    this.#topics.delete(arn);
  }

  /** @throws PolicyError when the policy says something that the local IAM does not know */
  setPolicy(arn: string, policy: string): void {
    parsePolicy(policy, "resource");
    this.#find(arn).policy = policy;
  }

  subscribe(arn: string, id: string, subscription: Subscription): void {
    this.#find(arn).subscriptions.set(id, subscription);
  }

  unsubscribe(arn: string, id: string): void {
    this.#topics.get(arn)?.subscriptions.delete(id);
  }

  /**
   * Publishes for an AWS service. Does nothing where the topic's policy does not let it, as a service that is refused.
   *
   * @param keys condition keys that the service sends. EventBridge sends none.
   */
  publish(arn: string, service: string, message: string, keys: Record<string, string> = {}): void {
    const topic = this.#topics.get(arn);
    if (topic?.policy === undefined) return;
    const caller = {
      kind: "service",
      accountId: this.#accountId,
      principal: service,
      sourceArn: "",
      arn: service,
    } as const;
    const policies = { identity: [], resource: parsePolicy(topic.policy, "resource") };
    const needed = { action: "sns:Publish", resource: arn };
    if (decide(caller, undefined, needed, policies, contextOf(keys)).allowed) topic.published.push(message);
  }

  /** What was published so far. */
  published(arn: string): readonly string[] {
    return this.#find(arn).published;
  }

  subscriptions(arn: string): Subscription[] {
    return [...this.#find(arn).subscriptions.values()];
  }

  #find(arn: string): Topic {
    const topic = this.#topics.get(arn);
    if (!topic) throw new Error(`There is no topic ${arn}.`);
    return topic;
  }
}
