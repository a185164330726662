import { readFileSync } from "node:fs";
import type * as guest from "countersign";
import { describe, expect, expectTypeOf, it } from "vitest";
import type { Effects, MapFacts, ProgramSubject } from "../../../../src/bpf/model/facts.js";
import type { CommandSubject } from "../../../../src/hooks/command.js";
import type { BlobSubject, FileSubject, MapSubject, TokenSubject } from "../../../../src/hooks/subject.js";
import type { Current } from "../../../../src/policy/model/current.js";
import { GUEST_CONSTANTS, GUEST_FUNCTIONS, GUEST_NAMES } from "../../../../src/policy/model/guest.js";

/** What an editor is told, as a text: a policy's own tests run without the package. */
const declared = readFileSync(new URL("../../../../types/countersign.d.ts", import.meta.url), "utf8");
const names = (kind: string) =>
  Array.from(declared.matchAll(new RegExp(`^export declare ${kind} (\\w+)`, "gm")), ([, name]) => name).sort();

/** A subject as it crosses: bytes become the guest's. */
type Crossed<T> = T extends Uint8Array
  ? guest.Bytes
  : T extends readonly (infer One)[]
    ? readonly Crossed<One>[]
    : T extends object
      ? { readonly [K in keyof T]: Crossed<T[K]> }
      : T;

describe("the virtual module", () => {
  it("declares the same names as it gives to a policy", () => {
    expect([...new Set(names("function"))]).toEqual(Object.keys(GUEST_FUNCTIONS).sort());
    expect(names("const").filter((name) => name !== "opaque")).toEqual(Object.keys(GUEST_CONSTANTS).sort());
    expect(new Set(GUEST_NAMES).size).toBe(GUEST_NAMES.length);
  });

  it("gives constants their values", () => {
    for (const [name, value] of Object.entries(GUEST_CONSTANTS))
      expect(declared).toContain(`export declare const ${name}: ${JSON.stringify(value)};`);
  });

  it("declares subjects and `current` as the engine creates them", () => {
    expectTypeOf<Crossed<Omit<ProgramSubject, "evidence">>>().toExtend<guest.Program>();
    expectTypeOf<keyof guest.Program>().toEqualTypeOf<Exclude<keyof ProgramSubject, "evidence">>();
    expectTypeOf<Crossed<MapSubject>>().toExtend<guest.BpfMap>();
    expectTypeOf<Crossed<MapFacts>>().toExtend<guest.MapFacts>();
    expectTypeOf<keyof guest.Effects>().toEqualTypeOf<keyof Effects>();
    expectTypeOf<Crossed<FileSubject>>().toExtend<guest.File>();
    expectTypeOf<Crossed<BlobSubject>>().toExtend<guest.Blob>();
    expectTypeOf<Crossed<CommandSubject>>().toExtend<guest.Command>();
    expectTypeOf<Crossed<TokenSubject>>().toExtend<guest.Token>();
    expectTypeOf<keyof guest.Current>().toEqualTypeOf<keyof Current>();
    expectTypeOf<Crossed<Current>>().toExtend<guest.Current>();
  });
});
