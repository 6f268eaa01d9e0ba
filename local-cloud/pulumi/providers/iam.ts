import { type Providers, text } from "./provider.ts";

export const iamProviders: Providers = {
  "aws:iam/role:Role": {
    create({ iam }, { inputs, outputs }) {
      iam.putRole({
        name: text(outputs, "name"),
        arn: text(outputs, "arn"),
        assumeRolePolicy: text(inputs, "assumeRolePolicy"),
      });
    },
    delete: ({ iam }, { outputs }) => iam.deleteRole(text(outputs, "name")),
  },
  "aws:iam/rolePolicy:RolePolicy": {
    create: ({ iam }, { inputs, id }) => iam.putRolePolicy(text(inputs, "role"), id, text(inputs, "policy")),
    delete: ({ iam }, { inputs, id }) => iam.deleteRolePolicy(text(inputs, "role"), id),
  },
  // The local Secrets Manager asks for the roles' permission to use a key; a key itself has nothing to do here.
  "aws:kms/key:Key": { create: () => undefined },
  "aws:kms/alias:Alias": { create: () => undefined },
};
