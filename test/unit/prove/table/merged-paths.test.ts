import { describe, expect, it } from "vitest";
import { conditionWords } from "../../../../src/prove/table/condition-words.js";
import { mergedPaths } from "../../../../src/prove/table/merged-paths.js";
import { ExploredPolicy } from "../../../support/prove.js";

function rowsOf(body: string): readonly string[] {
  const policy = ExploredPolicy.of(
    `import { map_lookup, verify_program } from "countersign";\nexport const bpf_prog_load = (prog, current) => ${body};`,
  );
  const exploration = policy.explore("bpf_prog_load");
  policy.close();
  const sameEnd = ({ end }: (typeof exploration.paths)[number]) => JSON.stringify({ ...end, place: 0 });
  return mergedPaths(exploration, sameEnd).map(({ path, conditions }) => {
    const end = path.end.kind === "verdict" ? JSON.stringify(path.end.verdict) : path.end.kind;
    return `${conditions.map(conditionWords).join(", ")}: ${end}`;
  });
}

describe("paths that are merged", () => {
  it("differ only in a condition that does not matter", { tags: ["deep"] }, () => {
    expect(rowsOf('prog.rewritten || prog.type === "xdp" || prog.type === "lsm" ? -1 : -1')).toEqual([": -1"]);
    expect(rowsOf("prog.effects.redirects ? (prog.gpl_compatible ? 0 : 0) : -1")).toEqual([
      "prog.effects.redirects: 0",
      "not prog.effects.redirects: -1",
    ]);
  });

  it("keep a condition that another outcome depends on", () => {
    expect(rowsOf("prog.gpl_compatible && prog.effects.redirects ? 0 : -1")).toHaveLength(3);
  });

  it("leave out what follows from the other conditions", () => {
    expect(rowsOf('prog.type === "xdp" ? 0 : prog.type === "lsm" ? -1 : -2')).toEqual([
      'prog.type is "xdp": 0',
      'prog.type is "lsm": -1',
      'prog.type is not "xdp", prog.type is not "lsm": -2',
    ]);
    expect(rowsOf("prog.effects.redirects ? (prog.effects.read_only ? -9 : 0) : -1")).toEqual([
      "prog.effects.redirects: 0",
      "not prog.effects.redirects: -1",
    ]);
  });

  it("say that a value is there unless another condition is false without it", () => {
    expect(rowsOf('current.container?.labels?.tier === "edge" ? -1 : 0')).toEqual([
      "current.container is null: 0",
      "current.container.labels is null: 0",
      'current.container.labels["tier"] is "edge": -1',
      'current.container.labels["tier"] is present, current.container.labels["tier"] is not "edge": 0',
      'current.container.labels is not null, current.container.labels["tier"] is absent: 0',
    ]);
  });

  it("leave out the type of a value that another condition is about, unless that also holds of other types", () => {
    expect(rowsOf('map_lookup("program_budget", "a") === "x" ? -1 : 0')).toEqual([
      'map_lookup("program_budget","a") is "x": -1',
      'map_lookup("program_budget","a") is a string, map_lookup("program_budget","a") is not "x": 0',
      'map_lookup("program_budget","a") is present, map_lookup("program_budget","a") is not a string: 0',
      'map_lookup("program_budget","a") is absent: 0',
    ]);
    const limit = 'typeof map_lookup("program_budget", "a") === "number" && ';
    expect(rowsOf(`${limit} prog.insn_cnt > map_lookup("program_budget", "a") ? -1 : 0`)).toContain(
      'map_lookup("program_budget","a") < prog.insn_cnt: -1',
    );
    expect(rowsOf(`${limit} prog.insn_cnt === map_lookup("program_budget", "a") ? -1 : 0`)).toContain(
      'map_lookup("program_budget","a") is a number, prog.insn_cnt ≠ map_lookup("program_budget","a"): 0',
    );
  });
});
