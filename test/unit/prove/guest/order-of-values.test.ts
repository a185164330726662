import { describe, expect, it } from "vitest";
import { numbers, seedOf } from "../../../support/damage.js";
import { constantsIn, ExploredPolicy, randomInput } from "../../../support/prove.js";

const seed = seedOf();
const ROUNDS = process.env.COUNTERSIGN_NIGHTLY === "1" ? 3_000 : 200;

/** Comparisons of a number that is not known with what is no number, each decided for all inputs. */
const BODIES: Readonly<Record<string, string>> = {
  "a limit for the executable, or a default": "return prog.insn_cnt > (LIMITS[current.exe] ?? 100) ? -1 : 0",
  "a limit for the executable, or none": "return prog.insn_cnt <= LIMITS[current.exe] ? 0 : -1",
  "a limit on the left": "return LIMITS[current.container?.labels?.tier] < prog.insn_cnt ? -1 : 0",
  "a limit by type": "const max = LIMITS[prog.type]; return max >= prog.maps.length ? 0 : -1",
  undefined: "return prog.insn_cnt >= undefined ? -1 : prog.insn_cnt < undefined ? -2 : 0",
  "null and booleans":
    "return prog.insn_cnt > null ? (prog.insn_cnt <= true ? -1 : -2) : false >= prog.insn_cnt ? 0 : -3",
  "a text and null": "return prog.name > null ? -1 : prog.name <= null ? -2 : 0",
};

function policyWith(body: string): ExploredPolicy {
  const limits = '{ "/usr/sbin/tc": 4096, "/usr/bin/bpftrace": 1000, edge: 7, xdp: 5, lsm: null, kprobe: true }';
  return ExploredPolicy.of(`const LIMITS = ${limits};\nexport function bpf_prog_load(prog, current) { ${body} }`);
}

describe(`the order of values (seed ${seed})`, () => {
  it.each(Object.entries(BODIES))("%s", (_, body) => {
    const policy = policyWith(body);
    const exploration = policy.explore("bpf_prog_load");
    for (const { path, status } of policy.confirmations(exploration))
      expect([path.conditions, path.end.kind, status]).toEqual([path.conditions, "verdict", "confirmed"]);
    const next = numbers(seed);
    const constants = constantsIn(`${body} "/usr/sbin/tc" "/usr/bin/bpftrace" "edge" 4096 1000`);
    for (let round = 0; round < ROUNDS; round++)
      expect(policy.flaw(exploration, randomInput(exploration, next, constants))).toBeNull();
    policy.close();
  });
});
