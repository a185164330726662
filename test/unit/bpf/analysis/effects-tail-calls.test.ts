import { describe, expect, it } from "vitest";
import { effectsOf, effectsOfObject, type Judgement } from "../../../../src/bpf/analysis/effects.js";
import { codeOf, mapOf } from "../../../../src/bpf/assembly/assembly.js";
import type { CodeMap } from "../../../../src/bpf/model/code.js";
import { EFFECTS } from "../../../../src/bpf/model/facts.js";

type Programs = readonly (readonly [name: string, text: string])[];

/** A program array whose slots hold the programs of these names. */
const array = (names: readonly (string | null)[], more: Partial<CodeMap> = {}) =>
  mapOf("calls", {
    type: "prog_array",
    value_size: 4,
    max_entries: names.length,
    programs: new Map([...names.entries()].filter((entry): entry is [number, string] => entry[1] !== null)),
    ...more,
  });

function judge(programs: Programs, calls: CodeMap, type = "kprobe"): Record<string, Judgement> {
  const codes = programs.map(([name, text]) => [name, codeOf(text, { type, maps: { calls } })] as const);
  return Object.fromEntries(effectsOfObject(codes).map((judgement, index) => [programs[index]![0], judgement]));
}

const trueOf = ({ effects }: Judgement) => EFFECTS.filter((effect) => effects[effect]);
const call = (index: string, end = "r0 = 1") => `r2 = map calls; ${index}; call bpf_tail_call; ${end}; exit`;
const LOOKS = "r0 = 1; exit";
const KILLS = "r1 = 9; call bpf_send_signal; r0 = 1; exit";
const RANDOM = "r6 = r1; call bpf_get_prandom_u32; r1 = r6; r2 = map calls; r3 = r0";

describe("a tail call into an array that the object fills", () => {
  it("leaves a program read-only where the next one is", () => {
    const { a, b } = judge(
      [
        ["a", call("r3 = 0")],
        ["b", LOOKS],
      ],
      array(["b"]),
    );
    expect(a!.effects).toMatchObject({ tail_calls: true, read_only: true });
    expect(a!.evidence.map(({ because }) => because)).toEqual(["goes on as `b`"]);
    expect([a!.asDeclared, b!.asDeclared]).toEqual([true, false]);
  });

  it("has the effects of the next one, and of those behind it, also in a circle", () => {
    const { a, b, c } = judge(
      [
        ["a", call("r3 = 0")],
        ["b", call("r3 = 1")],
        ["c", `r6 = r1; r1 = 9; call bpf_send_signal; r1 = r6; ${call("r3 = 2")}`],
      ],
      array(["b", "c", "a"]),
    );
    for (const judgement of [a!, b!, c!]) {
      expect(trueOf(judgement)).toEqual(["sends_signal", "tail_calls"]);
      expect(judgement.effects.read_only).toBe(false);
    }
    const evidence = a!.evidence.find(({ effect }) => effect === "sends_signal");
    expect(evidence).toMatchObject({ insn: 3, because: "may go on as `c`, which calls `bpf_send_signal`" });
  });

  it("has the effects of those alone that the index may mean", () => {
    const programs: Programs = [
      ["a", call("r3 = 0")],
      ["b", LOOKS],
      ["c", KILLS],
    ];
    expect(trueOf(judge(programs, array(["b", "c"])).a!)).toEqual(["tail_calls"]);
    const some: Programs = [
      ["a", call(`${RANDOM}; r3 &= 2`)],
      ["b", LOOKS],
      ["c", KILLS],
    ];
    expect(trueOf(judge(some, array(["b", "c", "b", "c"])).a!)).toEqual(["tail_calls"]);
    const any: Programs = [
      ["a", call(RANDOM)],
      ["b", LOOKS],
      ["c", KILLS],
    ];
    expect(trueOf(judge(any, array(["b", "c"])).a!)).toEqual(["sends_signal", "tail_calls"]);
  });

  it("calls nobody behind the array's end, where the kernel compares without sign", () => {
    for (const index of ["r3 = 1", "r3 = -1", "r3 = 0x700000001 ll"]) {
      const { effects } = judge(
        [
          ["a", call(index)],
          ["b", KILLS],
        ],
        array(["b"]),
      ).a!;
      expect(effects).toMatchObject({ tail_calls: false, read_only: true });
    }
    // the upper half does not count
    expect(
      trueOf(
        judge(
          [
            ["a", call("r3 = 0x700000000 ll")],
            ["b", KILLS],
          ],
          array(["b"]),
        ).a!,
      ),
    ).toContain("sends_signal");
  });

  it("may return what the next one returns", () => {
    const programs = (returned: number): Programs => [
      ["a", call("r3 = 0", "r0 = 2")],
      ["b", `r0 = ${returned}; exit`],
    ];
    expect(judge(programs(2), array(["b"]), "xdp").a!.effects.read_only).toBe(true);
    expect(trueOf(judge(programs(1), array(["b"]), "xdp").a!)).toEqual(["decides", "tail_calls"]);
  });

  it("may return anything to the caller of the function that makes it", () => {
    const inner = "r2 = map calls; r3 = 0; call bpf_tail_call; r0 = 2; exit";
    const programs: Programs = [
      ["a", `call go; exit; fn go: ${inner}`],
      ["b", "r0 = 2; exit"],
    ];
    expect(trueOf(judge(programs, array(["b"]), "xdp").a!)).toContain("decides");
  });
});

describe("a tail call ends read_only where another program may run:", () => {
  const unresolved = (judgement: Judgement) => {
    expect(judgement.effects).toMatchObject({ tail_calls: true, read_only: false });
  };
  const one: Programs = [
    ["a", call("r3 = 0")],
    ["b", LOOKS],
  ];

  it("the array is of a live load", () => {
    const { programs: _, ...live } = array(["b"]);
    unresolved(judge(one, live).a!);
  });

  it("it is judged without the other programs of its object", () => {
    unresolved(effectsOf(codeOf(call("r3 = 0"), { type: "kprobe", maps: { calls: array(["b"]) } })));
  });

  it("the array is pinned or given", () => {
    unresolved(judge(one, array(["b"], { own: false })).a!);
  });

  it("the slot is empty, or one of those that are meant", () => {
    unresolved(judge(one, array([null, "b"])).a!);
    unresolved(
      judge(
        [
          ["a", call(`${RANDOM}; r3 &= 1`)],
          ["b", LOOKS],
        ],
        array([null, "b"]),
      ).a!,
    );
    unresolved(
      judge(
        [
          ["a", call(RANDOM)],
          ["b", LOOKS],
        ],
        array(["b", "b", null]),
      ).a!,
    );
    unresolved(
      judge(
        [
          ["a", call(RANDOM)],
          ["b", LOOKS],
        ],
        array(Array(65).fill("b")),
      ).a!,
    );
  });

  it("the index is changed by a relocation", () => {
    unresolved(
      judge(
        [
          ["a", call("r3 = 0 @core")],
          ["b", LOOKS],
        ],
        array(["b", null]),
      ).a!,
    );
  });

  it("the array is one of two", () => {
    const other = mapOf("other", { type: "prog_array", value_size: 4, max_entries: 1 });
    const text = `r6 = r1; call bpf_get_prandom_u32; r1 = r6; r2 = map calls; if r0 == 0 goto both; r2 = map other;
      both: r3 = 0; call bpf_tail_call; r0 = 0; exit`;
    const codes = [
      ["a", codeOf(text, { type: "kprobe", maps: { calls: array(["b"]), other } })],
      ["b", codeOf(LOOKS, { type: "kprobe" })],
    ] as const;
    unresolved(effectsOfObject(codes)[0]!);
  });

  it("the object has no such program, two of the name, or one of another kind", () => {
    unresolved(judge([["a", call("r3 = 0")]], array(["b"])).a!);
    unresolved(judge([...one, ["b", KILLS]], array(["b"])).a!);
    const calls = array(["b"]);
    const a = codeOf(call("r3 = 0"), { type: "tracing", expectedAttachType: "trace_fentry", maps: { calls } });
    for (const [type, expectedAttachType] of [
      ["kprobe", null],
      ["tracing", "modify_return"],
    ] as const)
      unresolved(
        effectsOfObject([
          ["a", a],
          ["b", codeOf(LOOKS, { type, expectedAttachType })],
        ])[0]!,
      );
    const probe = { ...codeOf(LOOKS, { type: "kprobe" }), kernelProbe: true };
    unresolved(
      effectsOfObject([
        ["a", codeOf(call("r3 = 0"), { type: "kprobe", maps: { calls } })],
        ["b", probe],
      ])[0]!,
    );
  });

  it("the next one makes such a call", () => {
    unresolved(
      judge(
        [
          ["a", call("r3 = 0")],
          ["b", call("r3 = 1")],
        ],
        array(["b", null]),
      ).a!,
    );
  });

  it("there are too many programs", { tags: ["deep"] }, () => {
    const names = Array.from({ length: 300 }, (_, index) => `p${index}`);
    const loads = Array.from({ length: 5 }, (_, index) =>
      array(names.slice(index * 60, index * 60 + 60), { name: `m${index}` }),
    );
    const maps = Object.fromEntries(loads.map((map) => [map.name, map]));
    const text = `r6 = r1; ${loads.map(({ name }) => `call bpf_get_prandom_u32; r1 = r6; r2 = map ${name}; r3 = r0; call bpf_tail_call`).join("; ")}; r0 = 0; exit`;
    const codes = names.map((name) => [name, codeOf(text, { type: "kprobe", maps })] as const);
    for (const judgement of effectsOfObject(codes)) unresolved(judgement);
  });
});
