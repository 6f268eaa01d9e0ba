import type { LocalCloud } from "../cloud.ts";
import { changedKeys, changeOf, refreshedInputs } from "./changes.ts";
import type { Plan, PlannedResource } from "./plan.ts";
import { withC2mUrl } from "./program.ts";
import { checkAutoname, isNamedByProgram, providerAnswer } from "./provider-answers.ts";
import { Renames } from "./renames.ts";
import { providerOf } from "./resources.ts";
import { worstOrder } from "./worst-order.ts";

/** A stack in the local cloud. */
export interface Deployment {
  /** What stands there, with the ids and names that it got. */
  readonly plan: Plan;
  /** `pulumi up` again: creates, changes, replaces and deletes what differs. Rejects with `UpdateFailed`. */
  update(next: Plan): Promise<Deployment>;
  /** `pulumi refresh`: the stack as the cloud has it now, and what has become another since it was last looked at. */
  refresh(): Promise<{ deployment: Deployment; drift: Drift[] }>;
  /** `pulumi destroy`. Rejects when a resource is protected, and with `UpdateFailed`. */
  destroy(): Promise<void>;
}

/** A resource that has become another behind Pulumi's back. */
export interface Drift {
  type: string;
  name: string;
  /** It is not there any more. */
  isGone: boolean;
  /** The inputs that the cloud has other values for. */
  changed: string[];
}

/** An update broke off in the middle: `deployment` is what stands. Its message is that of what went wrong. */
export class UpdateFailed extends Error {
  override readonly name = "UpdateFailed";
  readonly deployment: Deployment;

  constructor(cause: unknown, deployment: Deployment) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.deployment = deployment;
  }
}

/**
 * Builds in the local cloud what a Pulumi program declares, as `pulumi up` would. Its C2M is the cloud's own. Rejects
 * before anything is done where a protected resource would be replaced or deleted, else with `UpdateFailed`.
 *
 * `before` is what the cloud has of it already, by an earlier deployment; default nothing.
 */
export async function deploy(
  cloud: LocalCloud,
  declared: Plan,
  before: Plan = { resources: [], outputs: {} },
): Promise<Deployment> {
  return await new Stack(cloud, before).update(declared);
}

// Ids that a cloud has given out: what is created a second time gets another one.
const givenIds = new WeakMap<LocalCloud, Set<string>>();

class Stack implements Deployment {
  readonly plan: Plan;
  readonly #cloud: LocalCloud;
  /** Replaced resources that were not deleted yet. */
  readonly #replaced: PlannedResource[];

  constructor(cloud: LocalCloud, plan: Plan, replaced: PlannedResource[] = []) {
    this.#cloud = cloud;
    this.plan = plan;
    this.#replaced = replaced;
  }

  async update(next: Plan): Promise<Deployment> {
    const declared = withC2mUrl(next, this.#cloud.c2mUrl);
    const standing = new Map(this.plan.resources.map((resource) => [resource.urn, resource]));
    const removed = this.plan.resources.filter(
      ({ urn }) => !declared.resources.some((resource) => resource.urn === urn),
    );
    for (const resource of removed) refuseProtected(resource, "deleted");
    this.#previewReplacements(declared, standing);
    const replaced = [...this.#replaced];
    const renames = new Renames();
    // As it stands after each step, for whoever goes on from where it broke off.
    const stand = () => {
      const inOrder = [...declared.resources.map(({ urn }) => urn), ...removed.map(({ urn }) => urn)];
      const resources = inOrder.flatMap((urn) => standing.get(urn) ?? []);
      return new Stack(this.#cloud, { resources, outputs: renames.in(declared.outputs) }, replaced);
    };
    try {
      for (const resource of worstOrder(declared.resources)) {
        const before = standing.get(resource.urn);
        const wanted = keepingIgnored(renames.in(resource), before);
        const { made, old } = await this.#step(before, wanted, renames);
        standing.set(resource.urn, made);
        if (old) replaced.push(old);
      }
      for (const resource of worstOrder([...removed, ...replaced]).reverse()) {
        await this.#remove(resource);
        if (standing.get(resource.urn) === resource) standing.delete(resource.urn);
        else replaced.splice(replaced.indexOf(resource), 1);
      }
    } catch (error) {
      throw new UpdateFailed(error, stand());
    }
    return stand();
  }

  async refresh(): Promise<{ deployment: Deployment; drift: Drift[] }> {
    const drift: Drift[] = [];
    const resources = this.plan.resources.flatMap((resource) => {
      if (!resource.custom) return [resource];
      const { type, name, inputs, outputs } = resource;
      const { read, defaults } = providerOf(type);
      const now = read(this.#cloud, resource);
      if (!now) {
        drift.push({ type, name, isGone: true, changed: [] });
        return [];
      }
      const seen = refreshedInputs(inputs, now, defaults);
      const changed = changedKeys(inputs, seen);
      if (changed.length === 0) return [resource];
      drift.push({ type, name, isGone: false, changed });
      return [{ ...resource, inputs: seen, outputs: { ...outputs, ...seen } }];
    });
    const plan = { resources, outputs: this.plan.outputs };
    return { deployment: new Stack(this.#cloud, plan, this.#replaced), drift };
  }

  async destroy(): Promise<void> {
    const standing = new Set([...this.plan.resources, ...this.#replaced]);
    for (const resource of standing) refuseProtected(resource, "deleted");
    for (const resource of worstOrder([...standing]).reverse()) {
      try {
        await this.#remove(resource);
        standing.delete(resource);
      } catch (error) {
        throw new UpdateFailed(error, new Stack(this.#cloud, { resources: [...standing], outputs: {} }));
      }
    }
  }

  /** A protected resource that would be replaced fails the update before anything is done, as at Pulumi's preview. */
  #previewReplacements(declared: Plan, standing: Map<string, PlannedResource>): void {
    const renames = new Renames();
    for (const resource of worstOrder(declared.resources)) {
      const before = standing.get(resource.urn);
      if (!before?.custom) continue;
      const wanted = keepingIgnored(renames.in(resource), before);
      const { change } = changeOf(before.inputs, wanted.inputs, providerOf(resource.type));
      if (change === "replace") refuseProtected(before, "replaced");
      else renames.keep(wanted, before);
    }
  }

  async #step(
    before: PlannedResource | undefined,
    wanted: PlannedResource,
    renames: Renames,
  ): Promise<{ made: PlannedResource; old?: PlannedResource }> {
    if (!wanted.custom) return { made: wanted };
    const provider = providerOf(wanted.type);
    if (!before) return { made: await this.#create(wanted, renames) };
    const { change } = changeOf(before.inputs, wanted.inputs, provider);
    if (change === "replace") {
      // Where the new one would bear the old one's name, the old one goes first.
      const isSameName = isNamedByProgram(wanted) && wanted.inputs.name === before.inputs.name;
      if (!isSameName) return { made: await this.#create(wanted, renames), old: before };
      await this.#remove(before);
      return { made: await this.#create(wanted, renames) };
    }
    renames.keep(wanted, before);
    const made = renames.settled(wanted, before);
    if (change === "update") await provider.update?.(this.#cloud, made);
    return { made };
  }

  async #create(wanted: PlannedResource, renames: Renames): Promise<PlannedResource> {
    checkAutoname(wanted);
    const given = givenIds.get(this.#cloud) ?? new Set();
    givenIds.set(this.#cloud, given);
    const { accountId, region } = this.#cloud;
    const deployer = { accountId, region, stack: wanted.urn.split("::")[0] ?? "" };
    let made = wanted;
    // A secret's ARN, a key's id, a name with lots in it: another creation draws others.
    for (let lot = given.size; given.has(idOf(made)) || isStoredVersion(this.#cloud, made); lot++) {
      const drawn = { ...wanted, ...providerAnswer({ ...deployer, lot: String(lot) }, wanted) };
      if (idOf(drawn) === idOf(made)) break;
      made = drawn;
    }
    await providerOf(made.type).create(this.#cloud, made);
    given.add(idOf(made));
    renames.keep(wanted, made);
    return made;
  }

  async #remove(resource: PlannedResource): Promise<void> {
    if (resource.custom && !resource.retainOnDelete) await providerOf(resource.type).delete?.(this.#cloud, resource);
  }
}

/** A version outlives the cloud that it was put into, and its resource: the secret keeps it. */
function isStoredVersion(cloud: LocalCloud, resource: PlannedResource): boolean {
  const { type } = resource;
  return (
    type === "aws:secretsmanager/secretVersion:SecretVersion" && providerOf(type).read(cloud, resource) !== undefined
  );
}

/** Of the inputs whose changes are to be ignored, those that are there. */
function keepingIgnored(wanted: PlannedResource, before: PlannedResource | undefined): PlannedResource {
  if (!before || wanted.ignoreChanges.length === 0) return wanted;
  const ignored = wanted.ignoreChanges.filter((key) => key in before.inputs || key in wanted.inputs);
  const kept = Object.fromEntries(ignored.map((key) => [key, before.inputs[key]]));
  return { ...wanted, inputs: { ...wanted.inputs, ...kept }, outputs: { ...wanted.outputs, ...kept } };
}

function idOf({ type, id }: PlannedResource): string {
  return `${type} ${id}`;
}

function refuseProtected({ protect, urn }: PlannedResource, how: "deleted" | "replaced"): void {
  if (protect) throw new Error(`The resource ${urn} is protected, and would be ${how}.`);
}
