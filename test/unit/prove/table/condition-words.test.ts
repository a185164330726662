import { describe, expect, it } from "vitest";
import type { Atom, ElementCase } from "../../../../src/prove/shared/atom.js";
import { nullOrAbsent } from "../../../../src/prove/shared/atom.js";
import { conditionWords, reasonWords, verdictWords } from "../../../../src/prove/table/condition-words.js";

const number = (constant: number, of: readonly (readonly [string, string])[], is: "= 0" | "< 0" | "<= 0"): Atom => ({
  kind: "number",
  term: { constant: String(constant), of },
  is,
});

const equals = (of: string, text: string) => ({ atom: { kind: "equals", of, text }, is: true }) as const;
const some = (of: string, where: readonly ElementCase[]): Atom => ({ kind: "some", of, where, first: null });

describe("the words of a condition", () => {
  it.each<[Atom, string, string]>([
    [{ kind: "flag", of: "prog.rewritten" }, "prog.rewritten", "not prog.rewritten"],
    [{ kind: "null", of: "prog.section?" }, "prog.section is null", "prog.section is not null"],
    [{ kind: "exists", of: 'labels["a"]!' }, "labels.a is present", "labels.a is absent"],
    [{ kind: "equals", of: "prog.type", text: "xdp" }, 'prog.type is "xdp"', 'prog.type is not "xdp"'],
    [{ kind: "same", of: "a", other: "b" }, "a is b", "a is not b"],
    [{ kind: "starts", of: "a", text: "b" }, 'a begins with "b"', 'a does not begin with "b"'],
    [{ kind: "ends", of: "a", text: "b" }, 'a ends with "b"', 'a does not end with "b"'],
    [
      { kind: "texts", relation: "starts", left: [{ text: "a" }], right: ["/", { text: "b" }, "/"] },
      'a begins with "/" + b + "/"',
      'a does not begin with "/" + b + "/"',
    ],
    [
      {
        kind: "texts",
        relation: "equal",
        left: [],
        right: [{ json: "m" }, { number: { constant: "1", of: [["1", "n"]] } }],
      },
      '"" is m + n + 1',
      '"" is not m + n + 1',
    ],
    [
      some("prog.helpers", [[equals("prog.helpers[*]", "b")]]),
      'prog.helpers has "b"',
      'prog.helpers does not have "b"',
    ],
    [
      some("prog.maps", [
        [equals("prog.maps[*].type", "hash"), equals("prog.maps[*].name", "a")],
        [equals("prog.maps[*].type", "b")],
      ]),
      'prog.maps has one where type is "hash" and name is "a", or type is "b"',
      'prog.maps has none where type is "hash" and name is "a", or type is "b"',
    ],
    [some("prog.maps", [[]]), "prog.maps is not empty", "prog.maps is empty"],
    [{ kind: "type", of: "m", among: ["null", "array"] }, "m is null or an array", "m is not null or an array"],
    [number(-1000, [["1", "current.uid"]], "= 0"), "current.uid = 1000", "current.uid ≠ 1000"],
    [number(-4096, [["1", "prog.insn_cnt"]], "<= 0"), "prog.insn_cnt ≤ 4096", "prog.insn_cnt > 4096"],
    [number(4097, [["-1", "prog.insn_cnt"]], "<= 0"), "prog.insn_cnt ≥ 4097", "prog.insn_cnt < 4097"],
    [
      number(61, [["1", 'verify_program("p")']], "= 0"),
      'verify_program("p") = -ENODATA',
      'verify_program("p") ≠ -ENODATA',
    ],
    [
      number(
        2,
        [
          ["1", "a"],
          ["-3", "b"],
        ],
        "< 0",
      ),
      "a + 2 < 3 × b",
      "a + 2 ≥ 3 × b",
    ],
  ])("%j", (atom, isTrue, isFalse) => {
    expect(conditionWords({ atom, is: true })).toBe(isTrue);
    expect(conditionWords({ atom, is: false })).toBe(isFalse);
  });

  it("name a verdict by its errno, or by the helper that gives it", () => {
    expect(verdictWords(-1)).toBe("-EPERM");
    expect(verdictWords({ constant: "0", of: [["1", 'verify_program("p")']] })).toBe('verify_program("p")');
  });

  it("say of a value on the left of `??` what is replaced", () => {
    const atom = nullOrAbsent('map_lookup("m","k")');
    expect(conditionWords({ atom, is: true })).toBe('map_lookup("m","k") is null or absent');
    expect(conditionWords({ atom, is: false })).toBe('map_lookup("m","k") is neither null nor absent');
  });

  it("name alternatives, and the texts that are there", () => {
    const flag = (of: string) => [{ atom: { kind: "flag", of }, is: true }] as const;
    const atom = { kind: "any", where: [flag("a"), [...flag("b"), ...flag("c")]] } as const;
    expect(conditionWords({ atom, is: true })).toBe("one of these holds: a, or b and c");
    expect(conditionWords({ atom, is: false })).toBe("none of these holds: a, or b and c");
    const parts = [
      { where: [flag("a")], text: ["a"] },
      { where: [flag("b")], text: ["b"] },
    ];
    expect(reasonWords([{ each: { separator: ", ", parts } }])).toBe(
      '{those of "a", "b" that are there, separated by ", "}',
    );
    const list = { list: "prog.maps", cases: [{ where: [], text: [{ text: "prog.maps[*].name" }] }] };
    expect(reasonWords([{ each: { separator: ", ", parts: [list, parts[0]!] } }])).toBe(
      '{prog.maps, each as "{name}" and "a" if it is there, separated by ", "}',
    );
  });

  it("have the names of facts in a reason", () => {
    const uid = { number: { constant: "0", of: [["1", "current.uid"]] } } as const;
    expect(reasonWords(["uid ", uid, " of ", { text: "prog.name" }])).toBe("uid {current.uid} of {prog.name}");
  });
});
