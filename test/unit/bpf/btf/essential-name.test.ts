import { describe, expect, it } from "vitest";
import { essentialName, hashName } from "../../../../src/bpf/btf/essential-name.js";

/** Names with their essential part. libbpf looks for a character, three underscores and a character from the end. */
const NAMES: readonly (readonly [name: string, essential: string])[] = [
  ["task_struct", "task_struct"],
  ["task_struct___old", "task_struct"],
  ["a___b", "a"],
  ["a___b___c", "a___b"],
  ["a____b", "a____b"],
  ["a___b____c", "a"],
  ["a___", "a___"],
  ["___a", "___a"],
  ["a___b___", "a"],
  ["a__b", "a__b"],
  ["x_____y", "x_____y"],
  ["", ""],
];

describe("the essential part of a name", () => {
  it.each(NAMES)("of `%s` is `%s`, in text and in bytes", (name, essential) => {
    expect(essentialName(name)).toBe(essential);
    const hashed = { length: 0, hash: 0, whole: 0 };
    hashName(Buffer.from(`//${name}\0more`), 2, hashed);
    expect(hashed).toMatchObject({ length: essential.length, whole: name.length });
  });

  it("has the same hash with any flavour", () => {
    const hashes = ["name", "name___a", "name___of_b"].map((name) => {
      const hashed = { length: 0, hash: 0, whole: 0 };
      hashName(Buffer.from(name), 0, hashed);
      return hashed.hash;
    });
    expect(new Set(hashes).size).toBe(1);
  });
});
