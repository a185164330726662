// Generates the patches of the engines' WebAssembly. docs/upgrade-quickjs.md describes the procedure for a new version.
//
//   node scripts/engine.mjs                 writes the patches
//   node scripts/engine.mjs --check         says whether they are current
//   node scripts/engine.mjs --try FOLDER    says which patches apply to another version of quickjs, in FOLDER
//
// The build of an engine has no names, so its parts are found by what they do: a throw of "stack overflow" by the
// address of that text, the allocator by its position in the table of functions. A patch fails if it does not find
// exactly what it expects, and the sandbox loads only the exact bytes that a patch was made for.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { heapFunctions, wrapAllocator } from "./engine/allocator.mjs";
import { keepErrors } from "./engine/backtrace.mjs";
import { countCollections } from "./engine/collections.mjs";
import { candidates } from "./engine/match.mjs";
import { countSteps } from "./engine/steps.mjs";
import { misplaced, tableFunctions } from "./engine/tables.mjs";
import { markThrows } from "./engine/throws.mjs";
import { Edits, fail, parse } from "./engine/wasm.mjs";
import { writeGenerated } from "./write-generated.mjs";

const require = createRequire(import.meta.url);

/** The package of each engine, and the messages with which it reports that its stack is used up. */
const ENGINES = {
  quickjs: {
    package: "@jitl/quickjs-wasmfile-release-sync",
    words: ["stack overflow"],
    file: "src/sandbox/quickjs/quickjs-patch.gen.ts",
    constant: "QUICKJS_PATCH",
    type: "./wasm-patch.js",
  },
  "quickjs-ng": {
    package: "@jitl/quickjs-ng-wasmfile-release-sync",
    words: ["stack overflow", "Maximum call stack size exceeded"],
    file: "test/support/quickjs-ng-patch.gen.ts",
    constant: "QUICKJS_NG_PATCH",
    type: "../../src/sandbox/quickjs/wasm-patch.js",
  },
};

/** The patches, in the order in which they are applied. `target` is an engine's name, messages, module and loader. */
const PATCHES = {
  stack: ({ wasm, words }, edits) => {
    for (const word of words) markThrows(wasm, edits, word);
  },
  garbage: ({ wasm }, edits) => countCollections(wasm, edits),
  steps: ({ name, wasm, loader }, edits) =>
    countSteps(wasm, edits, heapFunctions(wasm, loader), tableFunctions(name, wasm)),
  memory: ({ wasm, loader }, edits) => wrapAllocator(wasm, edits, loader),
  // quickjs-ng is not part of the package
  backtrace: ({ name, wasm }, edits) => (name === "quickjs" ? keepErrors(wasm, edits) : undefined),
};

const [option, folder] = process.argv.slice(2);
if (option === "--try") process.exitCode = tryOn(folder ?? fail("--try needs the folder of an unpacked package"));
else
  process.exitCode = writeGenerated(
    Object.fromEntries(Object.keys(ENGINES).map((name) => [ENGINES[name].file, render(name)])),
  );

/** An engine from its package, or from a package in a folder. */
function target(name, folder) {
  const { package: variant, words } = ENGINES[name];
  const file = (exported, path) => (folder ? join(folder, path) : require.resolve(`${variant}/${exported}`));
  const bytes = readFileSync(file("wasm", "dist/emscripten-module.wasm"));
  const loader = readFileSync(file("emscripten-module", "dist/emscripten-module.cjs"), "utf8");
  return { name, words, wasm: parse(bytes), loader };
}

/** The text of the file with an engine's patch. */
function render(name) {
  const its = target(name);
  const edits = new Edits(its.wasm);
  for (const apply of Object.values(PATCHES)) apply(its, edits);
  const list = edits.finished();
  const inserts = [...new Set(list.map(([, , come]) => come.toString("hex")))];
  let last = 0;
  const numbers = list.flatMap(([at, gone, come]) => {
    const far = at - last;
    last = at;
    return [far, gone, inserts.indexOf(come.toString("hex"))];
  });
  const { package: variant, constant, type } = ENGINES[name];
  return `// Generated from ${variant} by scripts/engine.mjs
import type { WasmPatch } from "${type}";

export const ${constant}: WasmPatch = {
  sha256: "${createHash("sha256").update(its.wasm.bytes).digest("hex")}",
  inserts: [
${inserts.map((text) => `    "${text}",\n`).join("")}  ],
  edits: [${numbers}],
};
`;
}

/**
 * Prints one line for each patch, and possible positions of functions that are known by index. Returns the exit code.
 */
function tryOn(folder) {
  const its = target("quickjs", folder);
  let failed = 0;
  for (const [patch, apply] of Object.entries(PATCHES)) {
    const edits = new Edits(its.wasm);
    try {
      apply(its, edits);
      console.log(`${patch.padEnd(9)} applies: ${edits.list.length} edits`);
    } catch (error) {
      failed += 1;
      console.log(`${patch.padEnd(9)} does not apply: ${error.message}`);
    }
  }
  const moved = misplaced(its.name, its.wasm);
  const installed = moved.length > 0 ? target("quickjs").wasm : null;
  for (const one of moved) {
    const found = candidates(installed, one.index, its.wasm);
    const places = found.map(
      ({ index, body, likeness }) => `${index} (body ${body}, ${Math.round(100 * likeness)}% alike)`,
    );
    console.log(`  ${one.name} was function ${one.index}; most alike: ${places.join(", ")}`);
  }
  return failed === 0 ? 0 : 1;
}
