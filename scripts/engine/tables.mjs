// The engine's tables of atoms (property names) and shapes (object layouts) belong to a runtime and persist between
// decisions. The work in them depends on what earlier decisions left there. It is charged differently from other work,
// because the steps of a decision must be the same in a new runtime and in a used one.
import { createHash } from "node:crypto";
import { CHAIN_FREE, pay, ROUND, UNITS } from "./buffer.mjs";
import { fail, get, i32, load, OP, set, store, tee } from "./wasm.mjs";

/**
 * Functions that work in these tables: their indexes, and the start of the SHA-256 of their bodies.
 *
 * - `growth` are the loops that refill a table after it has grown; `around` is the number of blocks around the first
 *   one that belong to it. This work is free. A table grows by a factor, never shrinks, and its memory is charged, so
 *   memory limits this work.
 * - `chains` are the loops that walk a chain of a hash table. CHAIN_FREE rounds are free in each call, since chains are
 *   usually shorter. Further rounds are charged, since a policy can create names with equal hash values.
 */
const FUNCTIONS = {
  quickjs: [
    { name: "JS_ResizeAtomHash", index: 669, body: "371c5b06", growth: [0, 1], around: 2 },
    { name: "js_new_shape2", index: 285, body: "04d16c2d", growth: [0, 1], around: 1 },
    { name: "__JS_NewAtom", index: 326, body: "957aefbe", growth: [1], around: 1, chains: [0] },
    { name: "JS_FreeAtomStruct", index: 433, body: "77decbba", chains: [0] },
    { name: "js_get_atom_index", index: 179, body: "16ae8187", chains: [0] },
    { name: "__JS_FindAtom", index: 626, body: "777864e3", chains: [0] },
    { name: "JS_NewObjectProtoClass", index: 105, body: "3d65a599", chains: [0] },
    { name: "add_property", index: 126, body: "570dc1b8", chains: [1] },
    { name: "js_shape_hash_unlink", index: 548, body: "926e58cb", chains: [0] },
  ],
  // Not analysed: it is not part of the package.
  "quickjs-ng": [],
};

/** The start of the SHA-256 of a function's body, by index; null if there is no such function. */
export function digestOf({ bytes, bodies, imported }, index) {
  const body = bodies[index - imported.length];
  if (body === undefined) return null;
  const digest = createHash("sha256")
    .update(bytes.subarray(body.start, body.start + body.size))
    .digest("hex");
  return digest.slice(0, 8);
}

/** Functions of the list whose bodies differ from the analysed ones. */
export function misplaced(engine, wasm) {
  return FUNCTIONS[engine].filter(({ index, body }) => digestOf(wasm, index) !== body);
}

/** The special treatment of these functions, by index. Fails if a function is not the analysed one. */
export function tableFunctions(engine, wasm) {
  const names = misplaced(engine, wasm).map(({ name, index }) => `${name} is not function ${index}`);
  if (names.length > 0) fail(names.join("; "));
  return new Map(FUNCTIONS[engine].map((one) => [one.index, one]));
}

/**
 * Makes the growth of a table free by restoring the units that it used. `local` is a local variable of the function.
 */
export function leaveFree(edits, { start, end }, returns, local) {
  edits.insert(start, [...i32(0), ...load(UNITS), ...set(local)]);
  for (const at of [...returns.filter((one) => one > start && one < end), end])
    edits.insert(at, [...i32(0), ...get(local), ...store(UNITS)]);
}

/** One round of a chain walk; `local` counts the rounds of this call. */
export function chainRound(local, stop) {
  const counted = [...get(local), ...i32(-1), ...OP.SUB, ...tee(local)];
  return [...counted, ...i32(CHAIN_FREE), ...OP.MORE, ...OP.IF, ...pay(i32(ROUND)), ...stop, ...OP.END];
}
