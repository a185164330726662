import { existsSync, readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const dist = join(root, "dist");
const { dependencies, devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** Packages that a bundled library requires if they happen to be installed, within `try`; none of them is needed. */
const OPTIONAL = ["bufferutil", "encoding", "supports-color", "utf-8-validate"];

/**
 * Names in `import … from "x"`, `import("x")`, `export … from "x"` and `require("x")`, whatever the bundler calls
 * `require`.
 */
const LOADS = /(?:(?<!\.)\bfrom|(?<!\.)\bimport\s*\(?|\b\w*require\w*\s*\()\s*["']((?:@[\w.-]+\/)?[\w-][\w./-]*)["']/g;
/** The sandbox resolves the files of its package by name. */
const ENGINES = /["'](@jitl\/[\w.-]+)["']/g;

/** Policies that commands write import `countersign`, which is no package: the sandbox has it. */
const isPackage = (name: string) => !isBuiltin(name) && name !== "countersign";
/** `@jitl/name/wasm` is of the package `@jitl/name`. */
const packageOf = (name: string) =>
  name
    .split("/")
    .slice(0, name.startsWith("@") ? 2 : 1)
    .join("/");

describe("the dependencies of package.json", () => {
  const bundles = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter((name) => /\.c?js$/.test(name));
  // lines of comments show how libraries are imported
  const texts = bundles.map((bundle) => readFileSync(join(dist, bundle), "utf8").replaceAll(/^\s*\*.*$/gm, ""));
  const found = (pattern: RegExp) =>
    texts.flatMap((text) => Array.from(text.matchAll(pattern), ([, name = ""]) => name));
  const loaded = new Set([...found(LOADS).filter(isPackage).map(packageOf), ...found(ENGINES)]);

  it("have all packages that dist/ loads", () => {
    expect([...loaded].filter((name) => !(name in dependencies) && !OPTIONAL.includes(name))).toEqual([]);
  });

  it("have no package that dist/ does not load", () => {
    expect(Object.keys(dependencies).filter((name) => !loaded.has(name))).toEqual([]);
  });

  it("are no devDependencies too, and have exact versions", () => {
    expect(Object.keys(dependencies).filter((name) => name in devDependencies)).toEqual([]);
    const versions: unknown[] = Object.values({ ...dependencies, ...devDependencies });
    expect(versions.filter((version) => !/^\d+\.\d+\.\d+$/.test(String(version)))).toEqual([]);
  });
});

describe("the declarations of the package", () => {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const entries = Object.values(exports).flatMap((one) => (one as { types?: string }).types ?? []);

  it("import no package", (context) => {
    if (!existsSync(join(dist, "types"))) context.skip("needs `npm run build`, without --quiet");
    const open = entries.map((entry) => join(root, entry));
    const seen = new Set(open);
    const packages: string[] = [];
    for (const file of open) {
      const text = readFileSync(file, "utf8");
      for (const [, name = ""] of text.matchAll(/(?:\bfrom|\bimport\()\s*"([^"]+)"/g)) {
        const path = join(dirname(file), name.replace(/\.js$/, ".d.ts"));
        if (!name.startsWith(".")) packages.push(`${relative(root, file)}: ${name}`);
        else if (!seen.has(path)) open.push(path);
        seen.add(path);
      }
    }
    expect(open.length).toBeGreaterThan(entries.length);
    expect(packages.filter((each) => !each.includes(": node:") && !each.endsWith(": countersign"))).toEqual([]);
  });
});
