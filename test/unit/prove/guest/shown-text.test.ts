// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the strings are expressions of policies
import { describe, expect, it } from "vitest";
import { numbers, seedOf } from "../../../support/damage.js";
import { ExploredPolicy, randomInput } from "../../../support/prove.js";

const seed = seedOf();

function explored(reason: string, condition = "prog.insn_cnt > 5") {
  return ExploredPolicy.of(`import { deny, note, map_lookup } from "countersign";
export function bpf_prog_load(prog, current) {
  if (${condition}) return deny(${reason});
  note(${reason});
  return 0;
}`);
}

describe(`texts that only reasons and notes get (seed ${seed})`, () => {
  const REASONS = [
    "`a ${(prog.insn_cnt / 3).toFixed(1)} MiB`",
    "`${prog.insn_cnt.toString(16)} and ${prog.maps.length.toPrecision(3)}${prog.name}`",
    "(12.345).toFixed(1)",
    "`${prog.name.padStart(20, '.')}|${prog.name.padEnd(3)}`",
    "prog.name.repeat(3) + '!'",
    "'a'.concat(prog.name, prog.insn_cnt)",
    "prog.name.replace('a', 'b').replaceAll('.', '-').trim().toUpperCase().slice(1)",
    "`${prog.name}/${prog.license}`.toLowerCase()",
    "JSON.stringify(prog.effects)",
    "JSON.stringify({ name: prog.name, effects: prog.effects, maps: prog.maps.length }, null, 2)",
    "`x ${JSON.stringify(current.container)} y`",
    "prog.maps.map((map) => map.name.padEnd(9)).join()",
  ];
  it.each(REASONS)("%s is no cause of a path that is not decided", (reason) => {
    const policy = explored(reason);
    const exploration = policy.explore("bpf_prog_load", 100);
    for (const { path, status, ...rest } of policy.confirmations(exploration))
      expect({ rest, status, end: path.end.kind }).toMatchObject({ status: "confirmed", end: "verdict" });
    const next = numbers(seed);
    for (let drawn = 0; drawn < 40; drawn++)
      expect(policy.flaw(exploration, randomInput(exploration, next))).toBeNull();
    policy.close();
  });

  it.each([
    "prog.name.padStart(9) === 'a'",
    "prog.insn_cnt.toString(16) === 'a'",
    "`x${prog.name.repeat(2)}`.startsWith('y')",
    "prog.insn_cnt.toFixed(1) === prog.insn_cnt.toFixed(1)",
    "map_lookup('program_budget', prog.name.padStart(9)) === 1",
    "[prog.name.padStart(9)].includes(prog.name.padStart(8))",
    "prog.name.replace('a', '')",
    "({ a: 1 })[prog.name.padStart(9)]",
    "prog.maps.map((map) => map.name.padEnd(9)).includes('a')",
    "JSON.stringify(prog.effects) === '{}'",
    "prog.insn_cnt.toFixed(prog.maps.length) === 'a'",
    "prog.name.repeat(1001) === 'a'",
  ])("%s is not decided", (condition) => {
    const policy = explored('"no"', condition);
    expect(policy.explore("bpf_prog_load", 100).paths.map(({ end }) => end.kind)).toContain("not decided");
    policy.close();
  });
});
