import { describe, expect, it } from "vitest";
import { hasTooManyFunctions } from "../../../../../src/gate/commands/prog-load/early-errno.js";
import { Writer } from "../../../../support/growing-programs.js";

/** A main function that calls so many others, each of two instructions. */
function calls(count: number): Uint8Array {
  const writer = new Writer();
  for (let index = 0; index < count; index++) writer.call(count + 2 + 2 * index);
  writer.end();
  for (let index = 0; index < count; index++) writer.end();
  return writer.bytes();
}

describe("a program with more functions than the kernel takes", () => {
  it.each([
    ["255 functions beside its own", calls(255), false],
    ["256 functions beside its own", calls(256), true],
    ["256 callbacks", callbacks(256), true],
    ["1,000 calls of one function", manyCalls(1000), false],
    ["calls that lead out of it", outside(1000), false],
  ])("is recognized by its calls: %s", (_, insns, expected) => {
    expect(hasTooManyFunctions(insns)).toBe(expected);
  });
});

function callbacks(count: number): Uint8Array {
  const writer = new Writer();
  for (let index = 0; index < count; index++) writer.callback(2, 2 * count + 2 + 2 * index);
  writer.end();
  for (let index = 0; index < count; index++) writer.end();
  return writer.bytes();
}

function manyCalls(count: number): Uint8Array {
  const writer = new Writer();
  for (let index = 0; index < count; index++) writer.call(count + 2);
  return writer.end().end().bytes();
}

function outside(count: number): Uint8Array {
  const writer = new Writer();
  for (let index = 0; index < count; index++) writer.call(-1 - index).call(10 * count + index);
  return writer.end().bytes();
}
