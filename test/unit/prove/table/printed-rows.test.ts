// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the strings are policies with templates
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { numbers, seedOf } from "../../../support/damage.js";
import { PrintedRows } from "../../../support/printed-rows.js";
import { constantsIn, ExploredPolicy, randomInput } from "../../../support/prove.js";

const FOLDER = join(import.meta.dirname, "../../../../policies");
const SHIPPED = readdirSync(FOLDER).filter((name) => /^[\w-]+\.(js|ts)$/.test(name) && !name.includes(".test."));
const INPUTS = Number(process.env.INPUTS ?? (process.env.COUNTERSIGN_NIGHTLY === "1" ? 100_000 : 300));
const seed = seedOf();

/** Policies whose rows once overlapped or left something out, or that need each form of a condition. */
const BODIES: Readonly<Record<string, string>> = {
  "two labels that are compared": `const labels = current.container?.labels;
    if (labels?.tier !== labels?.app) return 0;
    return labels?.tier === undefined ? 0 : -1;`,
  "a limit that may be no number": `const max = map_lookup("limits", "max");
    if (max > 4096) return -1;
    return max === undefined ? -7 : 0;`,
  "a key with a number": 'return map_lookup("limits", `uid ${current.uid}`) == null ? 0 : -1;',
  "an entry for a label or a default": `const rule = map_lookup("limits", current.container?.labels?.tier ?? "");
    return rule?.type === false ? 0 : verify_program(prog, "platform");`,
  "a value that is absent or null": `const one = map_lookup("limits", "a") ?? 5;
    return one === 5 || one === "edge" ? -1 : prog.insn_cnt > (map_lookup("limits", "b") ?? 100) ? -7 : 0;`,
  "texts of values": 'const one = map_lookup("limits", "a"); return `${one?.type} ${one?.name}` === "a b" ? -1 : 0;',
  "several questions with one answer": `if (prog.type === "xdp" && current.uid === 0) return 0;
    if (["lsm", "xdp", "kprobe"].includes(prog.type)) return prog.effects.redirects ? -1 : 0;
    return prog.object === null || prog.object.path.startsWith("/a/") ? 0 : -1;`,
};

const bodies = Object.entries(BODIES).map(([name, body]) => {
  const text = `import { map_lookup, verify_program } from "countersign";
    export function bpf_prog_load(prog, current) { ${body} }`;
  return [name, ExploredPolicy.of(text.replaceAll('"limits"', '"program_budget"')), text] as const;
});
const shipped = SHIPPED.map((name) => {
  return [name, ExploredPolicy.shipped(name), readFileSync(join(FOLDER, name), "utf8")] as const;
});

describe.each([...shipped, ...bodies])("the rows that are printed for %s", (_, policy, text) => {
  it.each(policy.hooks)(`at %s are disjoint and complete (seed ${seed})`, (hook) => {
    const exploration = policy.explore(hook);
    const printed = new PrintedRows(exploration);
    const next = numbers(seed);
    const constants = constantsIn(text);
    for (let round = 0; round < INPUTS; round++) {
      const flaw = printed.flaw(randomInput(exploration, next, constants));
      if (flaw !== null) expect(`${flaw} (round ${round}, seed ${seed})`).toBeNull();
    }
    for (const { conditions } of printed.made.rows) expect(conditions.join(" and ").length).toBeLessThanOrEqual(200);
  });
});
