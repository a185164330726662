import { describe, expect, it } from "vitest";
import { mutantsOf } from "../../../../src/workbench/mutation/mutants.js";

const changes = (body: string) =>
  mutantsOf("p.ts", `export function bpf_prog_load(a: any, b: any) {\n${body}\n}`).map(
    ({ from, to }) => `${from} -> ${to}`,
  );

describe("the mutants of", () => {
  it.each([
    ["a === b;", ["a === b; -> (removed)", "a === b -> a !== b"]],
    ["f(a < b);", ["f(a < b); -> (removed)", "a < b -> a <= b", "a < b -> a >= b"]],
    ["f((a) /* x */ >= (b));", ["f((a) /* x */ >= (b)); -> (removed)"]],
    ["return a && b;", ["a && b -> 0", "a && b -> -1", "a && b -> a || b"]],
    [
      "return a as number ?? b;",
      ["a as number ?? b -> 0", "a as number ?? b -> -1", "a as number ?? b -> a as number && b"],
    ],
    [
      "if (!(a || b)) return;",
      ["!(a || b) -> true", "!(a || b) -> false", "!(a || b) -> (a || b)", "a || b -> a && b"],
    ],
    ["const c = a ? 1 : 0;", ["a -> true", "a -> false", "1 -> 0", "1 -> 2", "0 -> 1"]],
    ["for (;;) break;", ["break; -> (removed)"]],
    ["while (a) continue;", ["a -> true", "a -> false", "continue; -> (removed)"]],
    ["throw a;", ["throw a; -> (removed)"]],
    ["a++;", ["a++; -> (removed)", "a++ -> a--"]],
    ["--a;", ["--a; -> (removed)", "--a -> ++a"]],
    ["a += -b;", ["a += -b; -> (removed)", "a += -b -> a -= -b", "-b -> b"]],
    ["a ??= b;", ["a ??= b; -> (removed)", "a ??= b -> a = b"]],
    ['const s = "x", t = "", u = `v`, w = true;', ['"x" -> ""', '"" -> "mutant"', "`v` -> ``", "true -> false"]],
    ["const l = [a, b], m = [];", ["[a, b] -> []"]],
    ["const c = a?.b, d = a?.[b];", ["a?.b -> a.b", "a?.[b] -> a[b]"]],
    ["const c = a.some(b);", ["a.some -> a.every"]],
    ["const c = a in b;", ["a in b -> !(a in b)"]],
    ["const f = (c: number): number => c;", ["c -> 0", "c -> -1"]],
    ["return 0;", ["0 -> -1", "0 -> 1"]],
  ])("%j", (body, expected) => {
    expect(changes(body).toSorted()).toEqual(expected.toSorted());
  });

  it("a file leave imports, types and everything else as they are", () => {
    const text =
      'import { deny } from "countersign";\r\ntype T = "a" | 1;\r\nexport const bpf_prog_load = () => deny("b" as T);\r\n';
    const mutants = mutantsOf("p.ts", text);
    expect(mutants.map(({ place, from, to }) => [place, from, to])).toEqual([
      ["p.ts:3:36", 'deny("b" as T)', "0"],
      ["p.ts:3:36", 'deny("b" as T)', "-1"],
      ["p.ts:3:41", '"b"', '""'],
    ]);
    expect(mutants[2]!.text).toBe(text.replaceAll("\r\n", "\n").replace('"b"', '""'));
  });

  it("a file are in the order of its text", () => {
    const text = "export const bpf_prog_load = (p) => (p.a === 1 ? 2 : 3);";
    const columns = mutantsOf("p.js", text).map(({ place }) => Number(place.split(":")[2]));
    expect(columns[0]).toBe(38);
    expect(columns.at(-1)).toBe(54);
  });

  it("a file are the same each time, and no two are alike", () => {
    const text = "export const bpf_prog_load = (p) => (p.type === 'xdp' ? 1 + 2 : [3].some(() => 4)) || 0;";
    const texts = mutantsOf("p.js", text).map((mutant) => mutant.text);
    expect(new Set(texts).size).toBe(texts.length);
    expect(mutantsOf("p.js", text).map((mutant) => mutant.text)).toEqual(texts);
  });

  it("a file that is no policy are an error", () => {
    expect(() => mutantsOf("p.js", "export const = 1")).toThrow(expect.objectContaining({ code: "POLICY_SYNTAX" }));
  });
});
