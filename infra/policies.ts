import { type PolicyResource, type StackValidationPolicy, UnknownValueError } from "@pulumi/policy";
import { secretNameOf } from "../src/formats/settings.ts";
import { scheduleProblem } from "./check-stack.ts";

/** What any stack must keep to in which a secret is rotated; `infra/policy-pack.ts` hands them to Pulumi's engine. */
export const policies: StackValidationPolicy[] = [
  {
    name: "rotated-secrets-have-no-managed-value",
    description: "A secret that is rotated has no SecretVersion: after two rotations it would put its value back.",
    enforcementLevel: "mandatory",
    validateStack: ({ resources }, report) => {
      const rotated = resources.filter(ofKind("SecretRotation")).map((rotation) => referredTo(rotation, "secretId"));
      for (const version of resources.filter(ofKind("SecretVersion"))) {
        const own = referredTo(version, "secretId");
        if (!rotated.some((others) => others.some((other) => own.includes(other)))) continue;
        report(
          "The secret is rotated, and this version would put its value back after two rotations. Let the rotation store the first value, as TokenRotation does.",
          version.urn,
        );
      }
    },
  },
  {
    name: "rotations-come-in-time",
    description: "A token lives for 90 days at most, so its rotation, its window and the grace have to fit into that.",
    enforcementLevel: "mandatory",
    validateStack: ({ resources }, report) => {
      const graces = new Map(
        resources.flatMap((resource) => Object.entries(known<Record<string, number>>(resource, "graceSeconds") ?? {})),
      );
      for (const rotation of resources.filter(ofKind("SecretRotation"))) {
        const grace = graces.get(secretNameOfRotation(rotation));
        // Not a token's: a password may live longer.
        if (grace === undefined) continue;
        const problem = scheduleProblem(known(rotation, "rotationRules"), grace);
        if (problem !== undefined) report(problem, rotation.urn);
      }
    },
  },
  {
    name: "alarms-have-an-action",
    description: "An alarm without an action tells nobody.",
    enforcementLevel: "mandatory",
    validateStack: ({ resources }, report) => {
      for (const alarm of resources.filter(ofKind("MetricAlarm"))) {
        if (referredTo(alarm, "alarmActions").length === 0) report("The alarm has no alarmActions.", alarm.urn);
      }
    },
  },
  {
    name: "alarms-reach-somebody",
    description:
      "A topic of alarms to which nobody is subscribed tells nobody. Advice: a subscription may be elsewhere.",
    enforcementLevel: "advisory",
    validateStack: ({ resources }, report) => {
      const heard = resources.filter(ofKind("TopicSubscription")).flatMap((each) => referredTo(each, "topic"));
      const told = resources.filter(ofKind("MetricAlarm")).flatMap((alarm) => referredTo(alarm, "alarmActions"));
      for (const topic of resources.filter(ofKind("Topic"))) {
        const names = [topic.urn, known<string>(topic, "arn")];
        const among = (texts: string[]) => names.some((name) => name !== undefined && texts.includes(name));
        if (among(told) && !among(heard)) {
          report("No subscription of this stack gets the alarms of this topic: alarmEmails makes one.", topic.urn);
        }
      }
    },
  },
];

function ofKind(kind: string): (resource: PolicyResource) => boolean {
  return ({ type }) => type.startsWith("aws:") && type.endsWith(`:${kind}`);
}

/** What a property names: URNs of resources of the stack, and the texts themselves where they are known. */
function referredTo(resource: PolicyResource, property: string): string[] {
  const value = known<string | string[]>(resource, property) ?? [];
  const urns = (resource.propertyDependencies[property] ?? []).map(({ urn }) => urn);
  return [...urns, ...[value].flat().filter((text) => typeof text === "string")];
}

/** By the secret, or by its ARN where it is another stack's. */
function secretNameOfRotation(rotation: PolicyResource): string {
  const [secret] = rotation.propertyDependencies.secretId ?? [];
  return (secret && known<string>(secret, "name")) ?? secretNameOf(known<string>(rotation, "secretId") ?? "") ?? "";
}

/** Undefined where it is not there, or is known only after the deployment. */
function known<Value>({ props }: PolicyResource, property: string): Value | undefined {
  try {
    // A list that is known may hold texts that are not.
    return structuredCloneOf(props[property] as Value);
  } catch (error) {
    if (error instanceof UnknownValueError) return undefined;
    throw error;
  }
}

function structuredCloneOf<Value>(value: Value): Value {
  return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as Value);
}
