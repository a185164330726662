// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the strings are policies with templates
import { describe, expect, it } from "vitest";
import { EFFECT_FIELDS } from "../../../../src/bpf/model/program-fields.js";
import { numbers, seedOf } from "../../../support/damage.js";
import { ExploredPolicy, randomInput } from "../../../support/prove.js";

const seed = seedOf();
const INPUTS = process.env.COUNTERSIGN_NIGHTLY === "1" ? 2_000 : 12;
const NAMES = Object.keys(EFFECT_FIELDS);

/** Bodies of hooks about the effects of a program, and whether anything is not decided. */
const BODIES: Readonly<Record<string, readonly [body: string, isDecided: boolean]>> = {
  "names that a filter keeps": [
    `const more = Object.keys(prog.effects).filter((name) => prog.effects[name] && name !== "read_only"); return more.length !== 0 ? deny(more.join(" and ")) : 0`,
    true,
  ],
  "entries that a filter keeps": [
    `const more = Object.entries(prog.effects).filter(([name, may]) => may && !prog.helpers.includes(name)).map(([name]) => name); return more.length === 0 ? 0 : deny(more.join())`,
    true,
  ],
  "a text of entries": [
    `return deny(Object.entries(prog.effects).filter(([, may]) => may).map(([name, may]) => \`\${name}=\${may}\`).join("; ") || "none")`,
    true,
  ],
  "the names in their order": [`return deny(Object.keys(prog.effects).join())`, true],
  "the number of entries": [`return Object.entries(prog.effects).length === ${NAMES.length} ? 0 : -1`, true],
  "for … in": [
    `for (const name in prog.effects) if (prog.effects[name] && name !== "read_only") return deny(name); return 0`,
    true,
  ],
  "values by their number": [
    `const [a, b, , c] = Object.values(prog.effects); return a === true && typeof b === "boolean" && !c ? deny(\`\${b}\`) : c ? 0 : -1`,
    true,
  ],
  "some and every value": [
    `const may = Object.values(prog.effects).slice(0, 4); return may.some(Boolean) && !may.every((one) => one) ? -1 : 0`,
    true,
  ],
  "an entry that is changed after the filter": [
    `const all = Object.entries(prog.effects); const kept = all.filter(([, may]) => may); all[0][0] = "first"; return kept.length > 0 ? deny(kept.map(([name]) => name).join()) : 0`,
    true,
  ],
  "an entry that is changed after map": [
    `const all = Object.entries(prog.effects); const kept = all.filter(([, may]) => may).map(([name]) => name); all[0][0] = "first"; return kept.length > 0 ? deny(kept.join()) : 0`,
    true,
  ],
  "a variable that changes after the filter": [
    `let is = true; const kept = Object.keys(prog.effects).filter((name) => prog.effects[name] === is); is = false; return kept.length > 0 ? deny(kept.join()) : 0`,
    true,
  ],
  "a filter by the index": [
    `const kept = Object.keys(prog.effects).filter((name, index, all) => index > all.length - 5 && prog.effects[name]); return kept.length > 0 ? deny(kept.join()) : 0`,
    true,
  ],
  "filter after filter": [
    `const kept = Object.keys(prog.effects).filter((name) => prog.effects[name]).filter((name) => name.startsWith("reads")); return kept.length === 0 ? 0 : deny(kept[0])`,
    true,
  ],
  "push to what a filter keeps": [
    `const kept = Object.keys(prog.effects).slice(0, 5).filter((name) => prog.effects[name]); kept.push("x"); return deny(\`\${kept.length} \${kept.join()}\`)`,
    true,
  ],
  "an assignment to what a filter keeps": [
    `const kept = Object.keys(prog.effects).slice(0, 4).filter((name) => prog.effects[name]); kept[0] = "x"; return deny(kept.join())`,
    true,
  ],
  "a copy of what a filter keeps": [
    `const kept = Object.keys(prog.effects).slice(0, 5).filter((name) => prog.effects[name]); const all = [...kept, "end"]; return all.length > 1 ? deny(all.join()) : 0`,
    true,
  ],
  "a loop over what a filter keeps": [
    `let text = ""; for (const name of Object.keys(prog.effects).slice(0, 5).filter((name) => prog.effects[name])) text = text + name; return deny(text)`,
    true,
  ],
  "a filter that changes a variable": [
    `let n = 0; Object.keys(prog.effects).slice(0, 5).filter((name) => { if (prog.effects[name]) n = n + 1; return true }); return -n`,
    true,
  ],
  "a filter that throws": [
    `try { return -["a", "b", "redirects", "c"].filter((name) => { if (name === "redirects" && prog.effects[name]) throw 1; return true }).length } catch { return -9 }`,
    true,
  ],
  "a filter that reads what is not there": [
    `return -["decides", "redirects", "reads", "tail_calls"].filter((name) => prog.effects[name]).length`,
    true,
  ],
  "a filter of constants": [`return -["a", "b", "c", "d", "e"].filter((one) => one > "b").length`, true],
  "a filter with conditions that are not about the values": [
    `const kept = ["a", "b", "c", "d"].filter((one) => prog.type === "xdp" || prog.name === one); return kept.length === 0 ? 0 : deny(kept.join())`,
    true,
  ],
  "a filter in a loop": [
    `return prog.maps.some((map) => ["a", "b", "c", "d"].filter((one) => map.name !== one).length < 4) ? -1 : 0`,
    true,
  ],
  "map of what a filter keeps to objects": [
    `const kept = Object.keys(prog.effects).slice(0, 5).filter((name) => prog.effects[name]).map((name) => ({ name })); return kept.length > 0 ? deny(kept[0].name) : 0`,
    true,
  ],
  "a map with a fact": [
    `const kept = Object.keys(prog.effects).filter((name) => prog.effects[name]).map((name) => \`\${name} of \${prog.name}\`); return kept.length > 0 ? deny(kept.join()) : 0`,
    true,
  ],
  "the names of the caller": ["return Object.keys(current).length > 5 ? 0 : -1", false],
  "the names of labels": ["return Object.keys(current.container?.labels ?? {}).length > 1 ? 0 : -1", false],
  "the names of a map": ["return Object.keys(prog.maps[0] ?? {}).length > 1 ? 0 : -1", false],
  "sorted names": ["return deny(Object.keys(prog.effects).sort().join())", false],
  "a setting's value": [
    `const [s] = prog.statements; const [one] = s?.settings ?? []; return one && typeof one.value === "number" && one.value >= 1 && one.value <= 1000 ? 0 : deny(\`\${one?.value}\`)`,
    true,
  ],
  "a setting as it was declared": [
    "return prog.statements[0]?.settings.every(({ value, declared }) => value === declared) ? 0 : -1",
    false,
  ],
  "a setting that is a text": [
    `return prog.statements[0]?.settings.some(({ value }) => value === "a" || value === true || value === null) ? 0 : -1`,
    true,
  ],
};

describe(`arrays whose elements are not known (seed ${seed})`, () => {
  it.each(Object.entries(BODIES))(
    "%s: the engine decides as explored",
    { timeout: 120_000 },
    (_, [body, isDecided]) => {
      const text = `import { deny } from "countersign";\nexport function bpf_prog_load(prog, current) { ${body} }`;
      const policy = ExploredPolicy.of(text);
      const exploration = policy.explore("bpf_prog_load");
      expect(exploration.unfinished).toBeNull();
      for (const { path, status, ...rest } of policy.confirmations(exploration))
        if (path.end.kind !== "not decided") expect([status, rest]).toEqual(["confirmed", expect.anything()]);
      expect(exploration.paths.every(({ end }) => end.kind !== "not decided")).toBe(isDecided);
      const next = numbers(seed);
      for (let round = 0; round < INPUTS; round++) {
        const flaw = policy.flaw(exploration, randomInput(exploration, next));
        if (flaw !== null) expect.fail(`${flaw} (round ${round}, seed ${seed})`);
      }
      policy.close();
    },
  );

  it("of effects have the order of their declaration, in objects and in the sandbox", () => {
    const policy = ExploredPolicy.of(
      'import { deny } from "countersign";\nexport const bpf_prog_load = (prog) => deny(Object.keys(prog.effects).join());',
    );
    const exploration = policy.explore("bpf_prog_load");
    expect(policy.ask("bpf_prog_load", randomInput(exploration, numbers(seed))).reason).toBe(NAMES.join());
    policy.close();
  });
});

const ARRAYS = ["[y, 1, 2, 3]", "[1, x ?? 2, y, 3]", "[{ y }, { y: x }, { y: 1 }, { y: 2 }].map((one) => one.y)"];
const KEPT = ["is", "is || one === 1", "one === null", "!Array.isArray(one)"];
const USES = ["kept.join()", "[...kept, 4].join()", "[...kept, 1].slice(1).join('')"];
/** Objects and arrays whose conversion to text throws, and others. */
const JSON_VALUES: readonly unknown[] = [
  ...[undefined, null, 5, "a", {}, { toString: 1 }, [], ["a", 1], [{ toString: null }]],
];

describe("a value that cannot be written", () => {
  const cases = ARRAYS.flatMap((array) => KEPT.flatMap((kept) => USES.map((use) => [array, kept, use] as const)));

  it.each(cases)("in %s, kept if %s: %s fails only if it is kept", (array, kept, use) => {
    const policy = ExploredPolicy.of(
      `import { deny, map_lookup } from "countersign";
      export function bpf_prog_load(prog) {
        const [x, y] = [map_lookup("program_budget", "x"), map_lookup("program_budget", "y")];
        const is = prog.gpl_compatible;
        const kept = ${array}.filter((one) => ${kept});
        return deny(${use});
      }`,
    );
    const exploration = policy.explore("bpf_prog_load");
    expect(exploration.unfinished).toBeNull();
    const next = numbers(seed);
    for (const x of [undefined, { toString: 1 }] as readonly unknown[])
      for (const y of JSON_VALUES) {
        const drawn = randomInput(exploration, next);
        const answer: typeof drawn.answer = (_, key) => (key === "x" ? x : y);
        expect([policy.flaw(exploration, { ...drawn, answer }), x, y]).toEqual([null, x, y]);
      }
    policy.close();
  });
});
