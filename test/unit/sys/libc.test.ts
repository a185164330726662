import { expect, it } from "vitest";
import { keepAlive } from "../../../src/sys/libc.js";
import { isKept } from "../../support/garbage.js";

/** Memory to which only a WeakRef refers, and what `use` refers to. */
function referenceTo(use: (memory: Uint8Array) => void): WeakRef<Uint8Array> {
  const memory = new Uint8Array(16);
  use(memory);
  return new WeakRef(memory);
}

it("keeps all memory to which a structure points alive, as long as the structure", { tags: ["deep"] }, async () => {
  const structure = new DataView(new ArrayBuffer(16));
  const references = [1, 2].map(() => referenceTo((memory) => keepAlive(structure, null, memory)));
  expect(await Promise.all(references.map(isKept))).toEqual([true, true]);
  expect(structure.byteLength).toBe(16);
  expect(await isKept(referenceTo(() => {}))).toBe(false);
});

it("keeps nothing alive once the structure is gone", { tags: ["deep"] }, async () => {
  expect(await isKept(referenceTo((memory) => keepAlive(new DataView(new ArrayBuffer(16)), memory)))).toBe(false);
});
