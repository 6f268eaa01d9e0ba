import { AwsError } from "../aws/service.ts";
import type { Clock, Timer } from "../clock.ts";
import { brokenConstraint, quotas, tooLong, wrongTags } from "../quotas.ts";
import type { CloudEvent, EventBus } from "./bus.ts";
import { parsePattern } from "./pattern.ts";

const unitMs: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

interface Rule {
  definition: RuleDefinition;
  targets: Map<string, Target>;
  /** Ends what makes it run. */
  stop: () => void;
}

/** A rule as it is declared: it runs on a schedule, or for the events that fit a pattern. */
export interface RuleDefinition {
  name: string;
  arn: string;
  description?: string | undefined;
  scheduleExpression?: string | undefined;
  eventPattern?: string | undefined;
  tags?: Record<string, string> | undefined;
}

export interface Target {
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
 * EventBridge's rules on the default bus. A function that is due by a schedule has ended before time goes on; AWS invokes
 * it asynchronously, with retries that are not played here.
 */
export class EventRules {
  readonly #options: EventRulesOptions;
  readonly #rules = new Map<string, Rule>();

  constructor(options: EventRulesOptions) {
    this.#options = options;
  }

  /**
   * Creates a rule, or replaces the one of that name without a word: its targets stay, and so do its tags, since PutRule
   * ignores those of an existing rule. The first scheduled run is one period from now.
   * @throws AwsError ValidationException, InvalidEventPatternException, LimitExceededException
   */
  putRule(definition: RuleDefinition): void {
    const { name, scheduleExpression, eventPattern } = definition;
    const existing = this.#rules.get(name);
    const period = scheduleExpression === undefined ? undefined : periodOf(scheduleExpression);
    checkRule(definition);
    const fits = eventPattern === undefined ? undefined : patternOf(eventPattern);
    if (!existing && this.#rules.size >= quotas.rulesPerBus.most) throw overQuota();
    existing?.stop();
    const tags = existing?.definition.tags ?? definition.tags;
    const rule: Rule = {
      definition: { ...definition, tags },
      targets: existing?.targets ?? new Map(),
      stop: () => undefined,
    };
    this.#rules.set(name, rule);
    if (period !== undefined) this.#runEvery(this.#options.runEveryMs ?? period, rule);
    if (fits) this.#runFor(fits, rule);
  }

  /** TagResource and UntagResource: the rule has these tags from now on. @throws AwsError ValidationException */
  setTags(name: string, tags: Record<string, string>): void {
    const problem = wrongTags(tags);
    if (problem) throw new AwsError("ValidationException", problem);
    const rule = this.#find(name);
    rule.definition = { ...rule.definition, tags };
  }

  /** The rule as it is now; undefined where there is none. */
  rule(name: string): RuleDefinition | undefined {
    return this.#rules.get(name)?.definition;
  }

  /** A target as it is now; undefined where there is none, or no rule. */
  target(ruleName: string, id: string): Target | undefined {
    return this.#rules.get(ruleName)?.targets.get(id);
  }

  /** Deletes the rule; one that isn't there is as good. @throws AwsError ValidationException while it has targets */
  deleteRule(name: string): void {
    const rule = this.#rules.get(name);
    if (rule && rule.targets.size > 0)
      throw new AwsError("ValidationException", "Rule can't be deleted since it has targets.");
    rule?.stop();
    this.#rules.delete(name);
  }

  /** Adds a target, or replaces the one of that id. @throws AwsError ResourceNotFoundException, LimitExceededException, ValidationException */
  putTarget(ruleName: string, target: Target): void {
    const { targets } = this.#find(ruleName);
    const problem = tooLong("targetInput", "targets.1.member.input", target.input);
    if (problem) throw new AwsError("ValidationException", problem);
    if (!targets.has(target.id) && targets.size >= quotas.targetsPerRule.most) throw overQuota();
    targets.set(target.id, target);
  }

  removeTarget(ruleName: string, id: string): void {
    this.#rules.get(ruleName)?.targets.delete(id);
  }

  /** Ends every rule. */
  stop(): void {
    for (const rule of this.#rules.values()) rule.stop();
  }

  #find(name: string): Rule {
    const rule = this.#rules.get(name);
    if (!rule) throw new AwsError("ResourceNotFoundException", `Rule ${name} does not exist on EventBus default.`);
    return rule;
  }

  #runEvery(periodMs: number, rule: Rule): void {
    const { clock } = this.#options;
    const timer: Timer = clock.at(clock.now() + periodMs, async () => {
      this.#runEvery(periodMs, rule);
      const resources = [rule.definition.arn];
      await this.#deliver(rule, { source: "aws.events", "detail-type": "Scheduled Event", resources, detail: {} });
    });
    rule.stop = () => timer.cancel();
  }

  #runFor(fits: (event: CloudEvent) => boolean, rule: Rule): void {
    const { stop } = rule;
    const forget = this.#options.bus.onEvent((event) => {
      if (fits(event)) void this.#deliver(rule, event);
    });
    rule.stop = () => {
      stop();
      forget();
    };
  }

  async #deliver({ definition, targets }: Rule, event: unknown): Promise<void> {
    for (const target of targets.values()) {
      const input = target.input === undefined ? event : JSON.parse(target.input);
      await this.#options.deliver(target.arn, definition.arn, input).catch(refused);
    }
  }
}

function checkRule({ name, description, scheduleExpression, eventPattern, tags }: RuleDefinition): void {
  const problem =
    tooLong("ruleName", "name", name) ??
    (/^[.\-_A-Za-z0-9]+$/.test(name) ? undefined : brokenConstraint("name", "characters of [.-_A-Za-z0-9]")) ??
    tooLong("ruleDescription", "description", description) ??
    tooLong("scheduleExpression", "scheduleExpression", scheduleExpression) ??
    wrongTags(tags) ??
    (scheduleExpression === undefined && eventPattern === undefined
      ? "Parameter(s) EventPattern or ScheduleExpression must be specified."
      : undefined);
  if (problem) throw new AwsError("ValidationException", problem);
  if ((eventPattern?.length ?? 0) > quotas.eventPattern.most) throw overQuota();
}

function patternOf(json: string): (event: CloudEvent) => boolean {
  try {
    return parsePattern(json);
  } catch (error) {
    throw new AwsError(
      "InvalidEventPatternException",
      `Event pattern is not valid. Reason: ${(error as Error).message}`,
    );
  }
}

// Recorded for a sixth target (cfn-lint's issue 306); that a pattern over its quota gets the same answer is inferred.
function overQuota(): AwsError {
  return new AwsError("LimitExceededException", "The requested resource exceeds the maximum number allowed.");
}

// As on AWS, a function that may not be invoked, or is gone, is simply not run.
function refused(error: unknown): void {
  const names = ["AccessDeniedException", "ResourceNotFoundException"];
  if (!(error instanceof Error && names.includes(error.name))) throw error;
}

function periodOf(scheduleExpression: string): number {
  const [, count, unit = "", plural] = /^rate\((\d+) (minute|hour|day)(s?)\)$/.exec(scheduleExpression) ?? [];
  const ms = unitMs[unit];
  // AWS wants the singular for one and the plural for more.
  if (ms === undefined || Number(count) < 1 || (Number(count) === 1) !== (plural === "")) {
    if (scheduleExpression.startsWith("cron("))
      throw new Error(`The local EventBridge knows rate(…) only, and not ${scheduleExpression}.`);
    throw new AwsError("ValidationException", "Parameter ScheduleExpression is not valid.");
  }
  return Number(count) * ms;
}
