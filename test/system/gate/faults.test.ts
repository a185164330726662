import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { COMMANDS } from "../../../src/gate/call/command.js";
import { GATE_RULES, type GateRule } from "../../../src/gate/call/rules.js";
import { amount } from "../nightly.js";
import { outputOf, siteForTests } from "./site.js";
import { cgroupForTests } from "./test-cgroup.js";

/** Every hook that the commands of the test ask. `bpf` makes the gate copy commands. */
const HOOKS = ["bpf_prog_load", "bpf_prog", "bpf_map_create", "bpf_map", "bpf_token_create"];
const allow = (...hooks: readonly string[]) => hooks.map((hook) => `export const ${hook} = () => 0;\n`).join("");

/** Calls that a rule of the gate denies (docs/run.md), by their faults. Some fail without a gate by another errno. */
const DENIED: readonly (readonly [rule: GateRule, calls: RegExp])[] = [
  ["too_large", /^BPF_PROG_LOAD .*(_cnt is 0x|by a (large|negative) index|hole 0x97)/],
  ["loader", /^BPF_PROG_LOAD .*prog_type is 0x1f/],
  ["map_memory", /^BPF_MAP_CREATE .*is 0xffffffff/],
  ["unknown_field", /^BPF_(RAW_TRACEPOINT_OPEN|LINK_CREATE) .*with hole/],
];

const SEED = Number(process.env.COUNTERSIGN_SEED ?? Math.floor(Math.random() * 1e9));

describe("calls of bpf(2) that are valid, or have faults", () => {
  const cgroup = cgroupForTests();
  const site = siteForTests(allow(...HOOKS), ["gcc"]);
  beforeEach((context) => cgroup.needed(context));

  it("are of every command that the gate knows", () => {
    const listed = execFileSync(site().attack("faults"), ["list"], { encoding: "utf8" });
    expect([...new Set(listed.trim().split("\n"))].sort()).toEqual(COMMANDS.map(({ name }) => name).sort());
  });

  it.each([
    ["that copies loads and maps", HOOKS],
    ["that copies every command", [...HOOKS, "bpf"]],
  ])("come to the same behind a gate %s as without one", (_, hooks) => {
    site().policy(allow(...hooks));
    const file = site().write("file", readFileSync("/bin/true"));
    const env = ["env", `BPFFS=${site().bpffs}`, `CGROUP=${cgroup.folder}`, `FILE=${file}`];
    const words = [site().attack("faults"), String(SEED), String(amount(12, 1)), String(amount(300, 20_000))];
    const expected = outputOf(site().bare(...env, ...words)).split("\n");
    const found = outputOf(site().run(...env, ...words)).split("\n");
    expect(found).toHaveLength(expected.length);
    const counts: Partial<Record<GateRule, number>> = {};
    const differences = expected.flatMap((line, index) => {
      const gated = found[index]!;
      const [call, , gatedOutcome] = [...line.split(/: (?=[^:]*$)/), gated.split(/: (?=[^:]*$)/).at(-1)];
      const same = call!.includes("(two faults)")
        ? line.includes(": errno ") === gated.includes(": errno ")
        : line === gated;
      if (same) return [];
      const rule = DENIED.find(
        ([name, calls]) => calls.test(line) && gatedOutcome === `errno ${GATE_RULES[name].errno}`,
      )?.[0];
      if (rule === undefined) return [`${line}, and behind the gate ${gatedOutcome}`];
      counts[rule] = (counts[rule] ?? 0) + 1;
      return [];
    });
    expect(differences, `seed ${SEED}`).toEqual([]);
    // each of these is a denial in the log
    for (const [rule, count] of Object.entries(counts))
      expect(site().log.filter(({ denied_by }) => denied_by?.rule === rule).length).toBeGreaterThanOrEqual(count);
  });
});
