import { PolicyPack } from "@pulumi/policy";
import { policies } from "./policies.ts";

/** Serves Pulumi's engine with the policies. Started by policy-pack/index.js. */
export function serve(): PolicyPack {
  return new PolicyPack("c2m-token-rotation", { policies });
}
