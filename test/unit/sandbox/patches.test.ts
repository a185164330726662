import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const script = join(root, "scripts/engine.mjs");
const wasmFile = createRequire(import.meta.url).resolve("@jitl/quickjs-wasmfile-release-sync/wasm");

/** A function of the tables of atoms and shapes, as scripts/engine/tables.mjs has it. */
const LISTED = { name: "JS_FreeAtomStruct", index: 433 };

describe("scripts/engine.mjs --try", { timeout: 60_000 }, () => {
  let folder: string;
  let body: { readonly start: number; readonly size: number };
  /** What the script says of the engine with these changes. */
  const tried = (change: (wasm: Buffer, loader: string) => string): { status: number | null; lines: string[] } => {
    const wasm = readFileSync(wasmFile);
    const file = join(folder, "dist/emscripten-module.cjs");
    const loader = readFileSync(join(dirname(wasmFile), "emscripten-module.cjs"), "utf8");
    writeFileSync(file, change(wasm, loader));
    writeFileSync(join(folder, "dist/emscripten-module.wasm"), wasm);
    const { status, stdout } = spawnSync(process.execPath, [script, "--try", folder], { encoding: "utf8" });
    return { status, lines: stdout.trimEnd().split("\n") };
  };
  const failing = (lines: readonly string[]) =>
    lines.filter((line) => line.includes("does not apply")).map((line) => line.split(" ")[0]);

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "countersign-"));
    cpSync(dirname(wasmFile), join(folder, "dist"), { recursive: true });
    const { parse } = await import(pathToFileURL(join(root, "scripts/engine/wasm.mjs")).href);
    const { bodies, imported } = parse(readFileSync(wasmFile));
    body = bodies[LISTED.index - imported.length];
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("says that every patch applies to the engine that ships", { tags: ["deep"] }, () => {
    const { status, lines } = tried((_, loader) => loader);
    expect(lines.map((line) => line.replace(/\d+/, "N"))).toEqual([
      "stack     applies: N edits",
      "garbage   applies: N edits",
      "steps     applies: N edits",
      "memory    applies: N edits",
      "backtrace applies: N edits",
    ]);
    expect(status).toBe(0);
  });

  it("names the patch whose place in the code is not found", { tags: ["deep"] }, () => {
    const { status, lines } = tried((wasm, loader) => {
      wasm.write("stack overfloW\0", wasm.indexOf("stack overflow\0"));
      return loader;
    });
    expect(failing(lines)).toEqual(["stack"]);
    expect(lines).toContain("stack     does not apply: `stack overflow` is there 0 times");
    expect(status).toBe(1);
  });

  it("names the patch that does not find where the engine writes the stack of an error", { tags: ["deep"] }, () => {
    const { status, lines } = tried((wasm, loader) => {
      wasm.write(" (nativE)\0", wasm.indexOf(" (native)\0"));
      return loader;
    });
    expect(failing(lines)).toEqual(["backtrace"]);
    expect(status).toBe(1);
  });

  it("names the patches that do not find the allocator", { tags: ["deep"] }, () => {
    const { status, lines } = tried((_, loader) => loader.replaceAll("_malloc=", "_mallox="));
    expect(failing(lines)).toEqual(["steps", "memory"]);
    expect(status).toBe(1);
  });

  it("names a function that changed, and the function that is most like it", { tags: ["deep"] }, () => {
    const { status, lines } = tried((wasm, loader) => {
      // another constant: i32.const 1 becomes i32.const 2
      const at = wasm.indexOf(Buffer.from([0x41, 0x01]), body.start);
      expect(at).toBeLessThan(body.start + body.size);
      wasm[at + 1] = 2;
      return loader;
    });
    expect(failing(lines)).toEqual(["steps"]);
    expect(lines.find((line) => line.startsWith("steps"))).toContain(`${LISTED.name} is not function ${LISTED.index}`);
    const suggestion = `  ${LISTED.name} was function ${LISTED.index}; most alike: ${LISTED.index} \\(body [0-9a-f]{8}, 100% alike\\), `;
    expect(lines.at(-1)).toMatch(new RegExp(suggestion));
    expect(status).toBe(1);
  });
});
