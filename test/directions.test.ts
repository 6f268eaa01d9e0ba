import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import { longProofs, underPulumi } from "../vitest.config.ts";

const root = join(import.meta.dirname, "..");

const core = ["src/ports", "src/formats", "src/rotation", "src/reconcile", "src/c2m", "src/aws"];

/** Every room, and the rooms that its files may import beside its own; the longest name that fits is a file's room. */
const rooms: Record<string, string[]> = {
  "src/ports": [],
  "src/formats": ["src/ports"],
  "src/c2m": ["src/ports"],
  "src/aws": ["src/ports", "src/formats"],
  "src/rotation": ["src/ports", "src/formats"],
  "src/reconcile": ["src/ports", "src/formats", "src/rotation"],
  // What is no handler: lambdas/sdk, which both bundles have in place of parts of the SDK.
  lambdas: [],
  "lambdas/rotator": ["src/ports", "src/formats", "src/rotation", "src/c2m", "src/aws"],
  "lambdas/reconciler": core,
  client: ["src/ports", "src/formats", "src/c2m"],
  // Pages that a person opens: what the command line's evidence and the demo's report share.
  "cli/report": [],
  cli: [...core, "cli/report"],
  "infra/args": ["src/formats", "src/c2m"],
  "infra/resources": ["infra/args", "src/formats"],
  infra: ["infra/args", "infra/resources", "src/formats"],
  "local-cloud": [],
  "local-cloud/test": ["local-cloud"],
  "tools/package": ["infra/resources", "src/formats", "lambdas"],
  tools: [
    "tools/package",
    "test/harness",
    "local-cloud",
    "client",
    "cli/report",
    "infra",
    "infra/args",
    "infra/resources",
    "lambdas/rotator",
    "src/formats",
  ],
  examples: ["client"],
  "test/harness": [...core, "client", "cli", "local-cloud", "local-cloud/test"],
  test: ["*"],
};

const names = Object.keys(rooms).sort((one, other) => other.length - one.length);
const roomOf = (path: string) => names.find((name) => path.startsWith(`${name}/`));
const files = globSync(
  [...new Set(Object.keys(rooms).map((name) => name.split("/")[0]))].map((top) => `${top}/**/*.{ts,mts,mjs}`),
  { cwd: root, exclude: (path) => path.includes("node_modules") || path.includes("dist") },
).sort();
const text = (path: string) => readFileSync(join(root, path), "utf8");

/** What a file imports, in whatever way, `import type` too, with files of ours as paths from the root. */
function imports(path: string): string[] {
  const specifiers = [...text(path).matchAll(/(?:\bfrom|\bimport|\bimport\(|\brequire\()\s*"([^"]+)"/g)];
  return specifiers.map(([, name = ""]) =>
    name.startsWith(".") ? relative(root, join(root, dirname(path), name)) : name,
  );
}

const graph = new Map(files.map((path) => [path, imports(path).filter((name) => files.includes(name))]));

describe("the rooms", () => {
  it("each hold a file", () => {
    for (const room of names)
      expect(
        files.filter((path) => roomOf(path) === room),
        room,
      ).not.toEqual([]);
    expect(files.filter((path) => roomOf(path) === undefined)).toEqual([]);
  });

  it("import what the table allows, and nothing else", () => {
    const strangers = [...graph].flatMap(([path, imported]) => {
      const own = roomOf(path) ?? "";
      const allowed = rooms[own] ?? [];
      if (allowed[0] === "*") return [];
      return imported
        .filter((name) => roomOf(name) !== own && !allowed.includes(roomOf(name) ?? ""))
        .map((name) => `${path} imports ${name}`);
    });
    expect(strangers).toEqual([]);
  });

  it("are imported by nothing but tests where they are the tests' own", () => {
    const own = /^(test\/(?!harness\/)|local-cloud\/test\/)/;
    const allowed = /^(test|local-cloud\/test)\//;
    const strangers = [...graph].flatMap(([path, imported]) =>
      imported.filter((name) => own.test(name) && !allowed.test(path)).map((name) => `${path} imports ${name}`),
    );
    expect(strangers).toEqual([]);
  });

  it("have no circle of files", () => {
    const done = new Set<string>();
    const circles: string[] = [];
    const walk = (path: string, way: string[]): void => {
      if (way.includes(path)) {
        circles.push([...way.slice(way.indexOf(path)), path].join(" -> "));
        return;
      }
      if (done.has(path)) return;
      for (const next of graph.get(path) ?? []) walk(next, [...way, path]);
      done.add(path);
    };
    for (const path of files) walk(path, []);
    expect(circles).toEqual([]);
  });

  it("import files that are there", () => {
    const missing = files.flatMap((path) =>
      imports(path)
        .filter(
          (name) => /^(?!node:)[\w.-]+\/.*\.(ts|mts|mjs)$/.test(name) && roomOf(name) && !existsSync(join(root, name)),
        )
        .map((name) => `${path} imports ${name}`),
    );
    expect(missing).toEqual([]);
  });
});

describe("what is named by its path", () => {
  const scripts = (JSON.parse(text("package.json")) as { scripts: Record<string, string> }).scripts;
  const named = [
    ...Object.values(scripts).flatMap((script) => script.match(/[\w./-]+\.(ts|json)\b/g) ?? []),
    ...files
      .filter((path) => /^(infra|tools)\//.test(path))
      .flatMap((path) => [...text(path).matchAll(/"((?:lambdas|tools|infra|client|cli|src)\/[\w./-]+\.ts)"/g)])
      .map(([, name = ""]) => name),
  ];

  it("is there", () => {
    expect(named.length).toBeGreaterThan(15);
    expect(named.filter((name) => !existsSync(join(root, name)))).toEqual([]);
  });

  it.each([...longProofs, underPulumi])("%s finds a test", (pattern) => {
    expect(globSync(pattern, { cwd: root })).not.toEqual([]);
  });

  it.each((JSON.parse(text("stryker.config.json")) as { mutate: string[] }).mutate)(
    "%s finds code to mutate",
    (pattern) => {
      expect(globSync(pattern, { cwd: root })).not.toEqual([]);
    },
  );

  it("in a page leads to a file", () => {
    const pages = ["README.md", "CONTRIBUTING.md", "SECURITY.md", ...globSync("docs/**/*.md", { cwd: root })];
    const dead = pages
      .filter((page) => existsSync(join(root, page)))
      .flatMap((page) => {
        const links = [...text(page).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map(([, link = ""]) =>
          join(dirname(page), link),
        );
        const paths = [
          ...text(page).matchAll(/`((?:lambdas|tools|infra|client|cli|src|test|local-cloud|examples)\/[\w./-]*)`/g),
        ];
        return [...links, ...paths.map(([, path = ""]) => path)]
          .filter((name) => !existsSync(join(root, name)))
          .map((name) => `${page}: ${name}`);
      });
    expect(dead).toEqual([]);
  });
});

it("the core uses no AWS and no HTTP code: only itself, valibot and four modules of Node", () => {
  const inner = files.filter((path) => /^src\/(ports|formats|rotation|reconcile)\//.test(path));
  const allowed = /^(src\/(ports|formats|rotation|reconcile)\/[\w/-]+\.ts|valibot|node:crypto|node:util)$/;
  const clock = "src/ports/clock.ts";
  const strangers = inner
    .filter((path) => path !== clock)
    .flatMap((path) =>
      imports(path)
        .filter((name) => !allowed.test(name))
        .map((name) => `${path}: ${name}`),
    );
  expect(strangers).toEqual([]);
  const hidden =
    /\bfetch\(|getBuiltinModule|\bprocess[.[]|\bimport\(|\bDate\.now\(|\bnew Date\(\)|\bsetTimeout\(|Math\.random/;
  expect(inner.filter((path) => hidden.test(text(path)))).toEqual([clock]);
});

it("a secret is unwrapped in these files only", () => {
  const functions = files.filter((path) => /^(src|lambdas)\//.test(path));
  expect(functions.filter((path) => /\.reveal\(\)/.test(text(path)))).toEqual(
    [
      // Into a private key, a bearer header and a body, a check that it fits a header, and a one-time code.
      "src/c2m/grants/assertion.ts",
      "src/c2m/auth-api.ts",
      "src/c2m/grants/grant.ts",
      "src/c2m/grants/otp.ts",
      // Out of the credentials secret.
      "lambdas/rotator/credentials-cache.ts",
      // Into and out of the value of the token secret.
      "src/formats/stored-token.ts",
      // Into PutSecretValue.
      "src/aws/secrets-manager-store.ts",
    ].toSorted(),
  );
});
