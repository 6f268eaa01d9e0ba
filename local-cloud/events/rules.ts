import type { Clock, Timer } from "../clock.ts";
import type { CloudEvent, EventBus } from "./bus.ts";
import { parsePattern } from "./pattern.ts";

const unitMs: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

interface Rule {
  arn: string;
  targets: Map<string, Target>;
  /** Ends what makes it run. */
  stop: () => void;
}

/** A rule as it is declared: it runs on a schedule, or for the events that fit a pattern. */
export interface RuleDefinition {
  name: string;
  arn: string;
  scheduleExpression?: string | undefined;
  eventPattern?: string | undefined;
}

interface Target {
  id: string;
  /** A function or a topic. */
  arn: string;
  /** JSON that is sent in place of the event. */
  input?: string;
}

export interface EventRulesOptions {
  clock: Clock;
  /** Runs every rule this often instead of on its schedule, in ms: for a local cloud that people watch. */
  runEveryMs?: number | undefined;
  bus: EventBus;
  /** Hands an event to a target for a rule. What a function answers is nobody's; EventBridge does not look at it. */
  deliver: (targetArn: string, ruleArn: string, event: unknown) => Promise<unknown>;
}

/**
 * EventBridge's rules. A function that is due by a schedule has ended before time goes on; AWS invokes it
 * asynchronously, with retries that are not played here.
 */
export class EventRules {
  readonly #options: EventRulesOptions;
  readonly #rules = new Map<string, Rule>();

  constructor(options: EventRulesOptions) {
    this.#options = options;
  }

  /** Creates a rule or replaces it; its targets stay. The first scheduled run is one period from now. */
  putRule({ name, arn, scheduleExpression, eventPattern }: RuleDefinition): void {
    const existing = this.#rules.get(name);
    existing?.stop();
    const rule: Rule = { arn, targets: existing?.targets ?? new Map(), stop: () => undefined };
    this.#rules.set(name, rule);
    if (scheduleExpression !== undefined) {
      this.#runEvery(this.#options.runEveryMs ?? periodOf(scheduleExpression), rule);
    }
    if (eventPattern !== undefined) this.#runFor(parsePattern(eventPattern), rule);
  }

  deleteRule(name: string): void {
    this.#rules.get(name)?.stop();
    this.#rules.delete(name);
  }

  putTarget(ruleName: string, target: Target): void {
    const rule = this.#rules.get(ruleName);
    if (!rule) throw new Error(`There is no rule ${ruleName}.`);
    rule.targets.set(target.id, target);
  }

  removeTarget(ruleName: string, id: string): void {
    this.#rules.get(ruleName)?.targets.delete(id);
  }

  /** Ends every rule. */
  stop(): void {
    for (const rule of this.#rules.values()) rule.stop();
  }

  #runEvery(periodMs: number, rule: Rule): void {
    const { clock } = this.#options;
    const timer: Timer = clock.at(clock.now() + periodMs, async () => {
      this.#runEvery(periodMs, rule);
      const event = { source: "aws.events", "detail-type": "Scheduled Event", resources: [rule.arn], detail: {} };
      await this.#deliver(rule, event);
    });
    rule.stop = () => timer.cancel();
  }

  #runFor(fits: (event: CloudEvent) => boolean, rule: Rule): void {
    rule.stop = this.#options.bus.onEvent((event) => {
      if (fits(event)) void this.#deliver(rule, event);
    });
  }

  async #deliver({ arn, targets }: Rule, event: unknown): Promise<void> {
    for (const target of targets.values()) {
      const input = target.input === undefined ? event : JSON.parse(target.input);
      await this.#options.deliver(target.arn, arn, input).catch(refused);
    }
  }
}

// As on AWS, a function that may not be invoked is simply not run.
function refused(error: unknown): void {
  if (!(error instanceof Error && error.name === "AccessDeniedException")) throw error;
}

function periodOf(scheduleExpression: string): number {
  const [, count, unit = ""] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(scheduleExpression) ?? [];
  const ms = unitMs[unit];
  if (ms === undefined) throw new Error(`The local EventBridge knows rate(…) only, and not ${scheduleExpression}.`);
  return Number(count) * ms;
}
