/** A Pulumi program, wherever it is. */
export interface Program {
  /** The absolute path of its project: it runs there, on the modules of the `node_modules` in it. */
  folder: string;
  /** The project's name in Pulumi.yaml, which is the prefix of its config keys. */
  project: string;
  /** The file that runs, from the folder or absolute. */
  main: string;
}

/**
 * Stands for C2M's base URL in a plan, so that one plan serves clouds on any port: whoever deploys a plan gets the
 * cloud's own URL in its place.
 */
export const anyC2mUrl = "http://127.0.0.1:9/v2";

/** The same with the base URL of this C2M in the place of `anyC2mUrl`, wherever that stands. */
export function withC2mUrl<Declared>(declared: Declared, c2mUrl: string): Declared {
  return JSON.parse(JSON.stringify(declared).replaceAll(anyC2mUrl, c2mUrl)) as Declared;
}
