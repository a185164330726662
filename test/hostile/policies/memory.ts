import { dropped, type HostileCase } from "./case.js";

/** With the steps to get there. */
const outOfMemory = (name: string, policy: string): HostileCase => ({
  name,
  policy,
  fault: "OUT_OF_MEMORY",
  steps: 10_000_000,
});

/** QuickJS joins strings on paper: this one takes a few hundred bytes until somebody asks what is in it. */
const JOINED = `let s = "xy"; for (let i = 0; i < 27; i++) s += s;`;

export const memory: readonly HostileCase[] = [
  outOfMemory("a string of 100 MB", `return "x".repeat(1e8).length;`),
  outOfMemory("padding to 100 MB", `return "x".padEnd(1e8, "yz").length;`),
  {
    name: "doubling a string",
    policy: `let s = "xy"; for (;;) s += s + s;`,
    fault: "POLICY_ERROR",
    says: /too long/,
  },
  outOfMemory("doubling a string and looking at it", `let s = "xy"; for (;;) { s += s + s; s.charCodeAt(1); }`),
  outOfMemory("an array that is filled", `return new Array(1e7).fill(0).length;`),
  outOfMemory("an array made from a length", `return Array.from({ length: 1e7 }).length;`),
  outOfMemory("arrays of arrays", `const a = []; for (;;) a.push(new Array(20000).fill(0));`),
  outOfMemory("spreading into itself", `let a = [1, 2, 3]; for (;;) a = [...a, ...a, ...a];`),
  outOfMemory("large integers", `const a = []; for (;;) a.push(1n << 900000n);`),
  outOfMemory("catching it and answering", `try { "x".repeat(1e8); } catch { return 0; } return 0;`),
  outOfMemory(
    "answering after `finally`",
    `try { try { return "x".repeat(1e8).length; } finally { 0; } } catch {} return 0;`,
  ),
  outOfMemory("catching it again and again", `for (;;) { try { "x".repeat(1e8); } catch {} }`),
  outOfMemory("catching it in a callback", `[1].map(() => { try { "x".repeat(1e8); } catch {} }); return 0;`),
  outOfMemory(
    "keeping all in a Map",
    `const m = new Map(); for (let i = 0; i < 90000; i++) m.set(i, "x".repeat(200000)); return 0;`,
  ),
  outOfMemory("an iterator's `return`, whose errors are dropped", dropped(`"x".repeat(1e8);`)),
  outOfMemory("a block of more than 2 GiB", `return "\\u0100".repeat(2 ** 30 - 1).length;`),
  outOfMemory("a block of more than 2 GiB, caught", `try { "\\u0100".repeat(2 ** 30 - 1); } catch {} return 0;`),
  outOfMemory(
    "a block of more than 2 GiB in an iterator's `return`, whose errors are dropped",
    dropped(`"\\u0100".repeat(2 ** 30 - 1);`),
  ),
  outOfMemory("an array of more than 2 GiB", `const a = [1]; a.length = 3e8; a.fill(0); return 0;`),
  outOfMemory(
    "small blocks without end, caught",
    `const a = []; try { for (;;) a.push({}, [], () => a, new Map(), new Array(90).fill(0), "x" + a.length); } catch {} return 0;`,
  ),
  outOfMemory(
    "garbage without end that refers to itself",
    `for (let i = 0; i < 19000; i++) { const a = ["x".repeat(1000)]; a.push(a); a.push("y".repeat(9e6 * (i > 18990))); } return 0;`,
  ),
  outOfMemory(
    "a map's key that there is no memory to hand over",
    `import { map_update } from "countersign";
export function blob_verify() { try { map_update("state", "a", "\\u0100".repeat(1e6)); } catch {} return 0; }`,
  ),
  outOfMemory(
    "comparing long texts, for which the engine throws nothing",
    `const s = "a".repeat(1e6); try { s.localeCompare(s + 1); } catch (e) { return e === undefined ? 0 : -13; } return 0;`,
  ),
  outOfMemory("comparing long texts without catching it", `const s = "a".repeat(1e6); return s.localeCompare(s + 1);`),
  outOfMemory("a match of a regular expression", `return "ab".repeat(9e5).match(/./g).length;`),
  outOfMemory("a regular expression", `return new RegExp("a".repeat(3e6)).test("a") ? 0 : -1;`),
  outOfMemory("splitting text", `return "a,".repeat(9e5).split(",").length;`),
  outOfMemory(
    "keys of many names",
    `const o = {}; for (let i = 0; i < 19000; i++) o["k".repeat(500) + i] = i; return 0;`,
  ),
  {
    name: "a string of 500 MB that nobody looked at yet, as an answer",
    policy: `${JOINED} return s;`,
    fault: "BAD_RETURN_VALUE",
    says: /a string of 268435456 characters/,
  },
  {
    name: "the same, thrown",
    policy: `${JOINED} throw s;`,
    fault: "POLICY_ERROR",
    says: /a text of 268435456 characters/,
  },
  {
    name: "the same as an error's message, name and stack",
    policy: `${JOINED} throw { message: s, name: s, stack: s };`,
    fault: "POLICY_ERROR",
    says: /a text of 268435456 characters/,
  },
  {
    name: "the same as a keyring's name, thirty-two times",
    policy: `import { verify_signature } from "countersign";
export function blob_verify(blob) {
  ${JOINED}
  for (let i = 0; i < 32; i++) verify_signature(blob.data, null, s + i, s);
  return -1;
}`,
    fault: "OUT_OF_MEMORY",
  },
];
