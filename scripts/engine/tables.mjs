// The engine's tables of atoms (names of properties) and shapes (layouts of objects) belong to a runtime, and stay from
// one decision to the next. How much work they take depends on what earlier decisions left there, so that it is charged
// differently from that of other functions: steps must be the same in a new runtime and in a used one.
import { createHash } from "node:crypto";
import { CHAIN_FREE, pay, ROUND, UNITS } from "./box.mjs";
import { fail, get, i32, load, OP, set, store, tee } from "./wasm.mjs";

/**
 * Functions that work in these tables: their indexes, and how the SHA-256 of their bodies begins.
 *
 * - `growth` are the loops that fill a table after it has grown, and `around` is how many blocks around the first of
 * them belong to
 *   it. All of that is free. A table grows by a factor and never shrinks, and its memory is charged: a policy gets no
 * more of this work
 *   than it has memory.
 * - `chains` are the loops that walk a chain of a hash table. CHAIN_FREE rounds are free in each call: chains of a
 * table are shorter.
 *   All others are charged, since a policy can make names with equal hash values.
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
  // not analysed: it does not ship
  "quickjs-ng": [],
};

/** How the SHA-256 of a function's body begins, by the function's index; null if there is no such function. */
export function digestOf({ bytes, bodies, imported }, index) {
  const body = bodies[index - imported.length];
  if (body === undefined) return null;
  const digest = createHash("sha256")
    .update(bytes.subarray(body.start, body.start + body.size))
    .digest("hex");
  return digest.slice(0, 8);
}

/** Functions of the list that are not the ones that were analysed. */
export function misplaced(engine, wasm) {
  return FUNCTIONS[engine].filter(({ index, body }) => digestOf(wasm, index) !== body);
}

/** What differs in these functions, by their index. Fails where a function is not the one that was analysed. */
export function tableFunctions(engine, wasm) {
  const names = misplaced(engine, wasm).map(({ name, index }) => `${name} is not function ${index}`);
  if (names.length > 0) fail(names.join("; "));
  return new Map(FUNCTIONS[engine].map((one) => [one.index, one]));
}

/** Leaves the growth of a table free, by putting the units back that it took. `local` is a local of the function. */
export function leaveFree(edits, { start, end }, returns, local) {
  edits.insert(start, [...i32(0), ...load(UNITS), ...set(local)]);
  for (const at of [...returns.filter((one) => one > start && one < end), end])
    edits.insert(at, [...i32(0), ...get(local), ...store(UNITS)]);
}

/** A round of a walk of a chain; `local` counts the rounds of this call. */
export function chainRound(local, stop) {
  const counted = [...get(local), ...i32(-1), ...OP.SUB, ...tee(local)];
  return [...counted, ...i32(CHAIN_FREE), ...OP.MORE, ...OP.IF, ...pay(i32(ROUND)), ...stop, ...OP.END];
}
