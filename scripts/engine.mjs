// Makes src/sandbox/edits.gen.ts: what is changed in the engines' WebAssembly before it is compiled, as bytes to put in their
// places. With --check it only says whether the file is current. docs/sandbox.md says what each change is for.
//
// An engine's build has no names, so its parts are known by what they do: a throw of "stack overflow" by the address of these
// words, the allocator by its place in the table of functions. Whatever is not found exactly as expected ends this script,
// and an engine whose bytes are not those that this was made for is not loaded.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { heapFunctions, wrapAllocator } from "./engine/allocator.mjs";
import { at, BUDGET, COLLECT, FLOOR, LITTER, mark, put, STACK, spend } from "./engine/box.mjs";
import { countSteps } from "./engine/steps.mjs";
import { tableFunctions } from "./engine/tables.mjs";
import { Edits, fail, get, i32, OP, parse } from "./engine/wasm.mjs";
import { settle } from "./settle.mjs";

const require = createRequire(import.meta.url);

/** Package, and the words with which the engine says that its stack is used up. */
const ENGINES = {
  quickjs: {
    package: "@jitl/quickjs-wasmfile-release-sync",
    words: ["stack overflow"],
    file: "src/sandbox/quickjs-patch.gen.ts",
    constant: "QUICKJS_PATCH",
    type: "./wasm-patch.js",
  },
  "quickjs-ng": {
    package: "@jitl/quickjs-ng-wasmfile-release-sync",
    words: ["stack overflow", "Maximum call stack size exceeded"],
    file: "test/support/quickjs-ng-patch.gen.ts",
    constant: "QUICKJS_NG_PATCH",
    type: "../../src/sandbox/wasm-patch.js",
  },
};

function editsOf(engine, bytes, loader, words) {
  const wasm = parse(bytes);
  const edits = new Edits(wasm);
  for (const word of words) markThrows(wasm, edits, word);
  countCollections(wasm, edits);
  countSteps(wasm, edits, heapFunctions(wasm, loader), tableFunctions(engine, wasm));
  wrapAllocator(wasm, edits, loader);
  return edits.finished();
}

/** Where the engine throws these words, it says first that the stack is used up, which no code of a policy can take back. */
function markThrows({ bytes, bodies, data }, edits, word) {
  const places = data.flatMap((segment) => {
    const at = segment.bytes.indexOf(`${word}\0`);
    if (at !== -1 && segment.bytes.indexOf(`${word}\0`, at + 1) !== -1) fail(`\`${word}\` is there twice`);
    return at === -1 ? [] : [segment.address + at];
  });
  if (places.length !== 1) fail(`\`${word}\` is there ${places.length} times`);
  const address = Buffer.from(i32(places[0]));
  let found = 0;
  for (const { start, size } of bodies) {
    const code = bytes.subarray(start, start + size);
    for (let at = code.indexOf(address); at !== -1; at = code.indexOf(address, at + 1)) {
      // thrower(context, words, no arguments)
      const around = code.subarray(at - 2, at + address.length + 3);
      const expected = Buffer.from([...get(0), ...address, ...i32(0), 0x10]);
      if (!around.equals(expected)) fail(`\`${word}\` is used in a way that is not known`);
      edits.insert(start + at - 2, mark(STACK));
      found += 1;
    }
  }
  if (found === 0) fail(`\`${word}\` is not used`);
}

/**
 * When garbage is collected follows from what the decision has taken of its budget, where it followed from all that was
 * allocated ever since; and what earlier decisions left to be collected is not given to this one.
 */
function countCollections({ bytes, bodies }, edits) {
  // if (allocated > threshold) { collect; threshold = 1.5 * allocated }: the offset of the threshold comes twice
  const trigger =
    // biome-ignore lint/suspicious/noControlCharactersInRegex: instructions, not text
    /\x28\x02([\x80-\xff]?[\x00-\x7f])\x4b(\x04\x40[\s\S]{1,60}?\x41\x01\x76\x20[\s\S]\x6a\x36\x02\1)\x0b/g;
  let found = 0;
  for (const { start, size } of bodies) {
    for (const { 0: text, 1: threshold, index } of bytes
      .subarray(start, start + size)
      .toString("latin1")
      .matchAll(trigger)) {
      found += 1;
      const below = [...at(BUDGET), ...at(COLLECT), ...OP.LESS];
      edits.insert(start + index + 2 + threshold.length + 1, [...OP.DROP, ...below]);
      const lowered = [
        ...at(BUDGET),
        ...OP.HALF,
        ...i32(-(2 ** 31)),
        ...at(BUDGET),
        ...at(FLOOR),
        ...OP.MORE,
        ...OP.SELECT,
      ];
      const settled = [...spend(at(LITTER)), ...put(LITTER, i32(0)), ...put(COLLECT, lowered)];
      edits.insert(start + index + text.length - 1, settled);
    }
  }
  if (found !== 1) fail(`garbage is collected in ${found} places`);
}

const files = {};
for (const [name, { package: variant, words, file, constant, type }] of Object.entries(ENGINES)) {
  const bytes = readFileSync(require.resolve(`${variant}/wasm`));
  const loader = readFileSync(require.resolve(`${variant}/emscripten-module`), "utf8");
  const edits = editsOf(name, bytes, loader, words);
  const digest = createHash("sha256").update(bytes).digest("hex");
  const inserts = [...new Set(edits.map(([, , come]) => come.toString("hex")))];
  let last = 0;
  const numbers = edits.flatMap(([at, gone, come]) => {
    const far = at - last;
    last = at;
    return [far, gone, inserts.indexOf(come.toString("hex"))];
  });
  files[file] = `// Generated from ${variant} by scripts/engine.mjs
import type { WasmPatch } from "${type}";

export const ${constant}: WasmPatch = {
  sha256: "${digest}",
  inserts: [
${inserts.map((text) => `    "${text}",\n`).join("")}  ],
  edits: [${numbers}],
};
`;
}
process.exitCode = settle(files);
