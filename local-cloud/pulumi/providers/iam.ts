import { optional, type ProvidedResource, type Providers, tagsOf, text, unlessGone } from "./provider.ts";

export const iamProviders: Providers = {
  "aws:iam/role:Role": {
    replacedBy: ["name", "namePrefix", "path"],
    create: ({ iam }, resource) => iam.createRole(roleOf(resource)),
    update: ({ iam }, resource) => iam.updateRole(roleOf(resource)),
    delete: ({ iam }, { outputs }) => unlessGone("NoSuchEntity", () => iam.deleteRole(text(outputs, "name"))),
    read({ iam }, { outputs }) {
      const { assumeRolePolicy, description, tags } = iam.role(text(outputs, "name")) ?? {};
      return assumeRolePolicy === undefined ? undefined : { assumeRolePolicy, description, tags };
    },
  },
  "aws:iam/rolePolicy:RolePolicy": {
    replacedBy: ["name", "namePrefix", "role"],
    create: ({ iam }, { inputs, id }) => iam.putRolePolicy(text(inputs, "role"), id, text(inputs, "policy")),
    update: ({ iam }, { inputs, id }) => iam.putRolePolicy(text(inputs, "role"), id, text(inputs, "policy")),
    delete: ({ iam }, { inputs, id }) =>
      unlessGone("NoSuchEntity", () => iam.deleteRolePolicy(text(inputs, "role"), id)),
    read({ iam }, { inputs, id }) {
      const policy = iam.rolePolicy(text(inputs, "role"), id);
      return policy === undefined ? undefined : { policy };
    },
  },
  "aws:kms/key:Key": {
    replacedBy: ["customerMasterKeySpec", "keyUsage", "multiRegion"],
    create: ({ keys }, { inputs, id }) => keys.put(id, keyOf(inputs)),
    update: ({ keys }, { inputs, id }) => keys.put(id, keyOf(inputs)),
    delete: ({ keys }, { id }) => keys.scheduleDeletion(id),
    read: ({ keys }, { id }) => keys.key(id) && { ...keys.key(id) },
  },
  "aws:kms/alias:Alias": {
    replacedBy: ["name", "namePrefix"],
    create: ({ keys }, { inputs }) => keys.createAlias(text(inputs, "name"), text(inputs, "targetKeyId")),
    update: ({ keys }, { inputs }) => keys.updateAlias(text(inputs, "name"), text(inputs, "targetKeyId")),
    delete: ({ keys }, { inputs }) => keys.deleteAlias(text(inputs, "name")),
    read({ keys }, { inputs }) {
      const targetKeyId = keys.alias(text(inputs, "name"));
      return targetKeyId === undefined ? undefined : { targetKeyId };
    },
  },
};

function roleOf({ inputs, outputs }: ProvidedResource) {
  return {
    name: text(outputs, "name"),
    arn: text(outputs, "arn"),
    assumeRolePolicy: text(inputs, "assumeRolePolicy"),
    description: optional<string>(inputs, "description"),
    tags: optional<Record<string, string>>(inputs, "tags"),
  };
}

function keyOf(inputs: ProvidedResource["inputs"]) {
  return {
    policy: text(inputs, "policy"),
    description: optional<string>(inputs, "description"),
    enableKeyRotation: optional<boolean>(inputs, "enableKeyRotation"),
    tags: tagsOf(inputs),
  };
}
