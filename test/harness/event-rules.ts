import type { Clock, Timer } from "./clock.ts";

const unitMs: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

interface Rule {
  name: string;
  arn: string;
  periodMs: number;
  targets: Map<string, Target>;
  timer: Timer | undefined;
}

interface Target {
  id: string;
  functionArn: string;
  /** JSON that is sent in place of the event. */
  input?: string;
}

export interface EventRulesOptions {
  clock: Clock;
  /** Invokes a function for a rule. What the function answers is nobody's; EventBridge does not look at it. */
  invoke: (functionArn: string, ruleArn: string, event: unknown) => Promise<unknown>;
}

/**
 * EventBridge's scheduled rules, on the cloud's clock. A due rule's function has ended before time goes on; AWS
 * invokes it asynchronously, with retries that are not played here.
 */
export class EventRules {
  readonly #options: EventRulesOptions;
  readonly #rules = new Map<string, Rule>();

  constructor(options: EventRulesOptions) {
    this.#options = options;
  }

  /** Creates a rule or replaces its schedule. The first run is one period from now. */
  putRule({ name, arn, scheduleExpression }: { name: string; arn: string; scheduleExpression: string }): void {
    const existing = this.#rules.get(name);
    existing?.timer?.cancel();
    const rule: Rule = {
      name,
      arn,
      periodMs: periodOf(scheduleExpression),
      targets: existing?.targets ?? new Map(),
      timer: undefined,
    };
    this.#rules.set(name, rule);
    this.#arm(rule);
  }

  deleteRule(name: string): void {
    this.#rules.get(name)?.timer?.cancel();
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

  /** Cancels every timer. */
  stop(): void {
    for (const { timer } of this.#rules.values()) timer?.cancel();
  }

  #arm(rule: Rule): void {
    const { clock, invoke } = this.#options;
    rule.timer = clock.at(clock.now() + rule.periodMs, async () => {
      this.#arm(rule);
      const event = { source: "aws.events", "detail-type": "Scheduled Event", resources: [rule.arn], detail: {} };
      for (const { functionArn, input } of rule.targets.values()) {
        await invoke(functionArn, rule.arn, input === undefined ? event : JSON.parse(input)).catch(refused);
      }
    });
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
