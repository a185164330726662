import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runCommand } from "../../../support/command-line.js";

const MAPS = `version: 1
attachments: []
maps:
  budgets:
    writable: { entries: 10, bytes: 1KiB }
    keys: { enum: [edge, core] }
    values:
      type: object
      properties: { max: { type: integer }, level: { enum: [low, high, 5] }, ports: { type: array, items: { type: integer } } }
      required: [max]
      additionalProperties: false
  labels: { writable: { entries: 10, bytes: 1KiB }, values: { type: object, additionalProperties: { type: [string, "null"] } } }
  digests: { writable: { entries: 10, bytes: 1KiB }, keys: { hex: 32 }, values: { const: { ok: true } } }
  free: { writable: { entries: 10, bytes: 1KiB } }
`;

/** Lines of a policy; \`// error\` stands behind each that TypeScript must reject. */
const POLICY = `import { map_lookup, map_update } from "countersign";
declare const name: string;
const budget = map_lookup("budgets", "edge");
export const max: number = budget?.max ?? 0;
export const level: "low" | "high" | 5 | undefined = budget?.level;
export const port: number | undefined = budget?.ports?.[0];
budget.max; // error
budget?.maximum; // error
budget?.level === "medium"; // error
map_lookup("budgets", name)?.max;
map_lookup("budgets", "egde"); // error
map_lookup("budget", "edge")?.anything.at.all;
const label: string | null | undefined = map_lookup("labels", name)?.tier;
const ok: true | undefined = map_lookup("digests", name)?.ok;
map_lookup("free", "x")?.anything.at.all;
map_lookup<{ own: number }>("free", "x")?.own.toFixed();
map_update("budgets", "core", { max: 5 });
map_update("budgets", name, { max: 5, level: "low" });
map_update("budgets", "core", { max: "5" }); // error
map_update("budgets", "core", { max: 5, other: 1 }); // error
map_update("budgets", "egde", { max: 5 }); // error
map_update("labels", "a", { tier: 5 }); // error
map_update("free", "x", [1]);
export { label, ok };
`;

describe("countersign types", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-"));
    writeFileSync(join(folder, "countersign.yaml"), MAPS);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const types = (...words: readonly string[]) =>
    runCommand("types", "--config", join(folder, "countersign.yaml"), ...words);
  const file = () => join(folder, "countersign-maps.d.ts");

  it("writes a file with which TypeScript rejects what the maps cannot have, and nothing else", async () => {
    expect(await types()).toMatchObject({ code: 0, out: `${file()}: written\n` });
    writeFileSync(join(folder, "policy.ts"), POLICY);
    const compilerOptions = {
      ...{ strict: true, noEmit: true, target: "es2023", lib: ["es2023"], types: [], module: "esnext" },
      ...{ moduleResolution: "bundler", skipLibCheck: false },
      paths: { countersign: [resolve("types/countersign.d.ts")] },
    };
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({ compilerOptions, files: ["policy.ts", "countersign-maps.d.ts"] }),
    );
    const found = errorLines(folder);
    const wanted = POLICY.split("\n").flatMap((line, index) => (line.endsWith("// error") ? [index + 1] : []));
    expect(found).toEqual(wanted);
  });

  it("finds with --check that the file is older than the schemas, and writes nothing", async () => {
    expect(await types("--check")).toMatchObject({ code: 1, out: expect.stringContaining("not current") });
    expect(() => readFileSync(file())).toThrow("ENOENT");
    await types();
    expect(await types("--check")).toMatchObject({ code: 0, out: `${file()}: current\n` });
    const before = readFileSync(file(), "utf8");
    writeFileSync(join(folder, "countersign.yaml"), MAPS.replace("[low, high, 5]", "[low, high]"));
    expect((await types("--check")).code).toBe(1);
    expect(readFileSync(file(), "utf8")).toBe(before);
  });

  it("writes where --output says, and says in JSON which maps have types", async () => {
    const output = join(folder, "maps.d.ts");
    const { code, out } = await types("--json", "--output", output);
    const maps = ["budgets", "labels", "digests", "free"].map((name) => ({ name, typed: name !== "free" }));
    expect([code, JSON.parse(out)]).toEqual([0, { file: output, current: true, maps }]);
    mkdirSync(join(folder, "taken"));
    expect(await types("--output", join(folder, "taken"))).toMatchObject({ code: 2, out: "" });
  });
});

/** The lines with errors, by the TypeScript of this repository. */
function errorLines(folder: string): readonly number[] {
  const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");
  try {
    execFileSync(process.execPath, [tsc, "-p", folder, "--pretty", "false"], { encoding: "utf8" });
    return [];
  } catch (error) {
    const { stdout } = error as { readonly stdout: string };
    const lines = Array.from(stdout.matchAll(/policy\.ts\((\d+),/g), ([, line]) => Number(line));
    expect(stdout).not.toContain(".d.ts(");
    return [...new Set(lines)].sort((a, b) => a - b);
  }
}
