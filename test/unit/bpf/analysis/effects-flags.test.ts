/** Every helper to whose effects a flag in an argument adds one, with each thing that can be known of the flag. */
import { describe, expect, it } from "vitest";
import { effectsOf } from "../../../../src/bpf/analysis/effects.js";
import { codeOf, mapOf } from "../../../../src/bpf/assembly/assembly.js";
import { type FlagEffect, HELPER_ROWS, type HelperRow } from "../../../../src/bpf/tables/helpers.js";

const maps = { own: mapOf("own", { type: "sk_storage", value_size: 64 }) };
const helpers = HELPER_ROWS.filter(
  (row): row is HelperRow & { readonly flag: FlagEffect } => row !== undefined && row.flag !== null,
);

/** Whether a call with these flags has the effect, and whether the program is read-only. */
function called({ name, args, flag }: HelperRow & { readonly flag: FlagEffect }, flags: string) {
  const others = [...args].flatMap((letter, index) =>
    index === flag.argument ? [] : [letter === "m" ? `r${index + 1} = map own` : `r${index + 1} = 0`],
  );
  const register = `r${flag.argument + 1}`;
  const text = `${flags.replaceAll("rF", register)}; ${others.join("; ")}; call bpf_${name}; r0 = 0; exit`;
  const { effects } = effectsOf(codeOf(text, { type: "sched_cls", maps }));
  return { has: effects[flag.effect], readOnly: effects.read_only };
}

describe.each(helpers.map((row) => [row.name, row] as const))("bpf_%s", (_, row) => {
  const { bit, effect } = row.flag;
  const reads = effect === "reads_user_memory";

  it.each([
    ["a constant with it", `rF = ${bit}`],
    ["a constant with it and others", `rF = ${bit | 1024}`],
    ["unknown", "rF = *(u32 *)(r1 + 0)"],
  ])("has the effect if the flags are %s", (_, flags) => {
    expect(called(row, flags)).toEqual({ has: true, readOnly: reads });
  });

  it.each([
    ["0", "rF = 0"],
    ["a constant without it", "rF = 1024"],
  ])("does not have it if the flags are %s", (_, flags) => {
    expect(called(row, flags)).toEqual({ has: false, readOnly: true });
  });
});

describe("bpf_sk_storage_get", () => {
  const row = helpers.find(({ name }) => name === "sk_storage_get")!;

  it("has the effect if one path sets the flag, and not if every path has another", () => {
    const either = (one: number, other: number) =>
      `r8 = *(u32 *)(r1 + 0); rF = ${one}; if r8 == 0 goto on; rF = ${other}; on: r9 = 0`;
    expect(called(row, either(0, 1)).has).toBe(true);
    expect(called(row, either(0, 2)).has).toBe(false);
  });

  it("is named in the evidence with what it does", () => {
    const { evidence } = effectsOf(
      codeOf("r2 = r1; r1 = map own; r3 = 0; r4 = 1; call bpf_sk_storage_get; r0 = 0; exit", {
        type: "sched_cls",
        maps,
      }),
    );
    expect(evidence.find(({ effect }) => effect === "changes_socket")?.because).toBe(
      "can charge storage to the socket's option memory in `bpf_sk_storage_get`",
    );
  });
});
