import { describe, expect, it } from "vitest";
import { MAP_FIELDS } from "../../../../src/bpf/model/program-fields.js";
import { domainsOf } from "../../../../src/fact-type.js";
import { defaultFacts } from "../../../../src/prove/witness/default-facts.js";
import { numbers, seedOf } from "../../../support/damage.js";
import { ExploredPolicy, randomInput } from "../../../support/prove.js";

const seed = seedOf();
const MAP = defaultFacts(domainsOf(MAP_FIELDS));
/** Every element that the policies below tell apart. */
const MAPS = [
  { ...MAP, type: "hash", name: "a", key_size: 4 },
  { ...MAP, type: "hash", name: "b", key_size: 8 },
  { ...MAP, type: "array", name: "a", key_size: 8 },
  { ...MAP, type: "ringbuf", name: "xdp", key_size: 0 },
];
const HELPERS = ["bpf_probe_read", "bpf_redirect", "a"];

/** All lists of up to 3 of some elements. */
function lists<T>(elements: readonly T[]): readonly (readonly T[])[] {
  const all: (readonly T[])[] = [[]];
  for (let from = 0, length = 1; length <= 3; length++) {
    const longest = all.slice(from);
    from = all.length;
    all.push(...longest.flatMap((list) => elements.map((one) => [...list, one])));
  }
  return all;
}

/** Bodies of hooks about `prog.maps`, and how many of their paths are not decided. */
const OF_MAPS: Readonly<Record<string, readonly [body: string, undecided: number]>> = {
  "a loop that returns": [`for (const m of prog.maps) if (m.type === "hash") return deny(m.name); return 0`, 0],
  "two conditions in a loop": [
    `for (const { type, key_size } of prog.maps) { if (type !== "hash") continue; if (key_size > 4) return -1; } return 0`,
    0,
  ],
  "a loop with break": [
    `for (const m of prog.maps) { if (m.key_size === 0) break; if (m.name === "a") return -2; } return 0`,
    0,
  ],
  "a loop that throws": [
    `try { for (const m of prog.maps) if (m.type === "array") throw m.name } catch (e) { return e === "a" ? -1 : -2 } return 0`,
    0,
  ],
  "a fault in a loop": [`for (const m of prog.maps) if (m.type === "array") return m["na" + "mes"]; return 0`, 0],
  "an error that the body catches": [
    `for (const m of prog.maps) { try { if (m.type === "array") throw 1 } catch { continue } if (m.name === "xdp") return -1 } return 0`,
    0,
  ],
  some: [`return prog.maps.some(({ type }) => type === prog.name) ? -1 : 0`, 0],
  every: [`return prog.maps.every((m) => m.type === "hash" || m.name === "xdp") ? 0 : -1`, 0],
  "some of the same element": [
    `return prog.maps.some((m) => m.type === "hash" && m.key_size === 8) && !prog.maps.every((m) => m.name === "b") ? 0 : -1`,
    0,
  ],
  find: [`const m = prog.maps.find((one) => one.type !== "hash"); return m ? deny(m.name, m.key_size) : 0`, 0],
  "find after find": [
    `const a = prog.maps.find((one) => one.type === "hash"); const b = prog.maps.find((one) => one.key_size === 8); return a?.name === "a" && b?.type === "array" ? 0 : -1`,
    0,
  ],
  "the length of filter": [`return prog.maps.filter(({ type }) => type === "hash").length > 1 ? deny("two") : 0`, 0],
  "a sum with the length of filter": [
    `return 2 * prog.maps.filter((m) => m.key_size > 4).length - prog.maps.length >= 0 ? 0 : -1`,
    0,
  ],
  "the length of a list": [`return prog.maps.length === 2 && prog.maps.every((m) => m.name === "a") ? 0 : -1`, 0],
  "every of none": [`return prog.maps.every((m) => m.name === "a" && m.name === "b") ? 0 : -1`, 0],
  "a function of the policy": [
    `const is = (m, t) => m.type === t; return prog.maps.some((m) => is(m, "hash") || is(m, prog.name)) ? -1 : 0`,
    0,
  ],
  forEach: [`let n = 0; prog.maps.forEach((m) => { if (m.type === "hash") n = 1; }); return -n`, 1],
  "a local variable": [
    `for (const m of prog.maps) { let bad = false; if (m.type === "hash") bad = true; if (bad) return -1; } return 0`,
    0,
  ],
  "a local variable that a closure changes": [
    `return prog.maps.some((m) => { let n = 0; const f = () => { n = n + 1 }; if (m.type === "hash") f(); return n === 1 }) ? -1 : 0`,
    0,
  ],
  "another variable of the same name": [
    `let n = 0; for (const m of prog.maps) { { let n = 5; n = 6; } if (m.type === "hash") n = 1; } return -n`,
    2,
  ],
  "a variable outside": [
    `let found = false; for (const m of prog.maps) if (m.type === "hash") found = true; return found ? -1 : 0`,
    0,
  ],
  "a variable that a closure changes": [
    `let n = 0; const f = () => { n = 1; return false }; return prog.maps.some(f) ? 0 : -n`,
    1,
  ],
  "a variable that several functions change": [
    `let n = 0; const f = () => { n ||= 1 }; const g = () => f(); for (const m of prog.maps) if (m.type === "hash") g(); return -n`,
    1,
  ],
  var: [`for (const m of prog.maps) { var t = m.type; } return t === "hash" ? -1 : 0`, 1],
  "var with a pattern": [`for (const m of prog.maps) { var { type } = m; } return type === "hash" ? -1 : 0`, 1],
  "an array": [
    `const names = []; for (const m of prog.maps) names.push(m.name); return names.length === 0 ? 0 : -1`,
    1,
  ],
  "an object": [`const o = { x: 0 }; for (const m of prog.maps) if (m.type === "hash") o.x = 1; return -o.x`, 1],
  "a denial in a loop": [
    `const of = (m) => (m.type === "hash" ? deny(m.name) : 0); return prog.maps.some((m) => of(m) !== 0) ? -1 : 0`,
    0,
  ],
  "a denial that is not taken": [
    `for (const m of prog.maps) { if (m.type === "hash" && deny(m.name) === 0) return -5; } return -1`,
    1,
  ],
  "a dropped denial": [`const f = (m) => (m.type === "hash" ? deny("x") : 0); prog.maps.forEach(f); return 0`, 0],
  "a callback with an index": [`return prog.maps.some((m, index) => index === 1) ? -1 : 0`, 1],
  "a callback with a default value": [`return prog.maps.some((m, index = 0) => index === 1) ? -1 : 0`, 1],
  "a callback with a rest": [`return prog.maps.some((...all) => all[1] === 1) ? -1 : 0`, 1],
  "deny as a callback": [`try { return prog.maps.map((m) => m.name).some(deny) ? 0 : -1 } catch { return -2 }`, 1],
  "the first element": [`const [m] = prog.maps; return m === undefined ? 0 : deny(m.name)`, 0],
  "the first element by its index": [`return prog.maps[0]?.type === "hash" ? -1 : 0`, 0],
  "the first element with a default value": [
    `const [{ name: own } = { name: "none" }] = prog.maps; return own === "none" ? 0 : deny(own)`,
    0,
  ],
  "at(0) after a loop": [
    `if (!prog.maps.every((m) => m.key_size > 4)) return -1; const m = prog.maps.at(0); return m && m.name === "b" ? -2 : 0`,
    0,
  ],
  "the first element and the first in a case": [
    `const [m] = prog.maps; const h = prog.maps.find(({ type }) => type === "hash"); return m?.type === "hash" && m.name !== h.name ? -1 : h ? deny(h.name) : 0`,
    0,
  ],
  "the first element and all": [
    `return prog.maps[0]?.type === "hash" && prog.maps.every((m) => m.type !== "hash") ? -1 : 0`,
    0,
  ],
  "the first element and the length": [`return prog.maps.length === 1 && prog.maps[0].name === "b" ? -1 : 0`, 0],
  "the second element": [`const [, m] = prog.maps; return m ? -1 : 0`, 1],
  "the last element": [`return prog.maps.at(-1) ? -1 : 0`, 1],
  "the rest of a list": [`const [m, ...others] = prog.maps; return m && others.length > 0 ? -1 : 0`, 0],
  "a frozen object": [
    `const o = { x: 0 }; for (const m of prog.maps) if (m.type === "hash") Object.freeze(o); o.x = 1; return -o.x`,
    1,
  ],
  "the rest after two": [`const [a, b, ...others] = prog.maps; return a && b && others.length > 0 ? -1 : 0`, 2],
  "the rest from an index": [`return prog.maps.slice(2).length > 0 ? deny(String(prog.maps.slice(1).length)) : 0`, 0],
  "names of all that filter keeps": [
    `const bad = prog.maps.filter((m) => m.key_size > 4); return bad.length > 0 ? deny(bad.map((m) => m.name).join("; ")) : 0`,
    0,
  ],
  "filter after map": [
    `const bad = prog.maps.map(({ name, type }) => (type === "hash" ? \`\${name} is a hash\` : null)).filter((t) => t !== null); return bad.length === 0 ? 0 : deny(bad.join())`,
    0,
  ],
  "filter after filter": [
    `const is = prog.maps.filter((m) => m.type === "hash").filter((m) => m.key_size === 8); return is.length === 0 ? 0 : deny(is[0].name)`,
    0,
  ],
  "a filter that uses a variable that changes later": [
    `let t = "hash"; const kept = prog.maps.filter((m) => m.type === t); t = "array"; return kept.length > 0 ? deny(kept.map((m) => m.name + t).join()) : 0`,
    0,
  ],
  "some, every and find of what filter keeps": [
    `const h = prog.maps.filter((m) => m.type === "hash"); const b = h.find((m) => m.name === "b"); return h.some((m) => m.key_size > 4) && !h.every((m) => m.name === "b") ? deny(b.name) : 0`,
    0,
  ],
  "a loop over what filter keeps": [
    `for (const { name } of prog.maps.filter((m) => m.key_size > 4)) if (name === "a") return -1; return 0`,
    0,
  ],
  "a text of what filter keeps, or another one": [
    `const bad = prog.maps.filter((m) => m.type === "hash").map((m) => m.type); return deny(bad.join() || "none")`,
    0,
  ],
  "a text that may be empty": [
    `const bad = prog.maps.filter((m) => m.type === "hash").map((m) => m.name); return deny(bad.join() || "none")`,
    1,
  ],
  "two lists after each other": [
    `const all = [...prog.maps.filter((m) => m.type === "hash").map((m) => m.name), "end", ...prog.maps.map((m) => m.type)]; return all.length === 2 ? -1 : deny(all.join())`,
    0,
  ],
  "the first of two lists": [
    `const [one, ...others] = [...prog.maps.filter((m) => m.key_size === 0), ...prog.maps.filter((m) => m.key_size === 4)]; return one ? deny(\`\${one.name} \${others.length}\`) : 0`,
    0,
  ],
  "concat of lists": [
    `const all = ["x"].concat(prog.maps.map((m) => m.name), prog.maps.map((m) => m.type)); return all.includes("xdp") ? -1 : deny(all.join())`,
    0,
  ],
  "map to objects": [`return prog.maps.map((m) => ({ m })).length === 1 ? -1 : 0`, 1],
  "map to nothing": [`return prog.maps.map(() => undefined).length === 1 ? -1 : 0`, 1],
  "join of null": [`return deny(prog.maps.map((m) => (m.type === "hash" ? null : m.name)).join("-"))`, 0],
  "join of objects": [`return deny(prog.maps.join())`, 1],
  "push to what filter keeps": [
    `const bad = prog.maps.filter((m) => m.type === "hash"); bad.push(1); return bad.length > 1 ? -1 : 0`,
    1,
  ],
  "an assignment to what filter keeps": [
    `const bad = prog.maps.filter((m) => m.type === "hash"); bad[0] = 1; return bad.length > 1 ? -1 : 0`,
    1,
  ],
  "sort of what map gives": [`return deny(prog.maps.map((m) => m.name).sort().join())`, 1],
  "reverse of what map gives": [`return deny(prog.maps.map((m) => m.name).reverse().join())`, 1],
  "Array.isArray of what filter keeps": [
    `const bad = prog.maps.filter((m) => m.type === "hash"); return Array.isArray(bad) && typeof bad === "object" && bad ? 0 : -1`,
    0,
  ],
  "an error of a callback of map": [
    `try { return prog.maps.map((m) => (m.type === "hash" ? m.name : null.x)).length > 1 ? -1 : 0 } catch { return -2 }`,
    0,
  ],
  "a variable that a callback of map changes": [
    `let n = 0; const all = prog.maps.map((m) => { n = n + 1; return m.name }); return all.length === 1 ? -n : 0`,
    1,
  ],
  "two passes over one list": [
    `const a = prog.maps.filter((m) => m.type === "hash"); const b = prog.maps.filter((m) => m.type !== "hash"); return a.length > 1 && b.length === 0 ? deny(a.map((m) => m.name).join()) : 0`,
    0,
  ],
  "a loop in a loop": [
    `for (const m of prog.maps) for (const h of prog.helpers) if (m.name === h) return -1; return 0`,
    1,
  ],
};

const OF_HELPERS: Readonly<Record<string, readonly [body: string, undecided: number]>> = {
  "includes of a constant": [`return prog.helpers.includes("bpf_redirect") && !prog.helpers.includes("a") ? -1 : 0`, 0],
  "includes of a fact": [`return prog.helpers.includes(prog.name) ? -1 : 0`, 0],
  "includes of no text": [`return prog.helpers.includes(1) || prog.helpers.includes(null) ? -1 : 0`, 0],
  "an allow list": [
    `const ALLOWED = new Set(["a", "bpf_redirect"]); const bad = prog.helpers.find((h) => !ALLOWED.has(h)); return bad === undefined ? 0 : deny(bad)`,
    0,
  ],
  beginnings: [
    `for (const h of prog.helpers) if (h.startsWith("bpf_probe_")) return deny(\`\${h} reads\`); return 0`,
    0,
  ],
  "Boolean as a callback": [`return prog.helpers.every(Boolean) ? 0 : -1`, 0],
  "deny as a callback": [`try { return prog.helpers.some(deny) ? 0 : -1 } catch { return -2 }`, 1],
  "an object as a key": [
    `const COST = { __proto__: null, a: 1, bpf_redirect: 2 }; return prog.helpers.some((h) => COST[h] > 1) ? -1 : 0`,
    0,
  ],
};

const LISTS = [
  undefined,
  null,
  1,
  "a",
  {},
  [],
  ["a"],
  ["a", "b"],
  [{ type: "xdp" }],
  [{ type: "a", name: "n" }, { type: "xdp" }],
];
const VALUES = [
  ...LISTS,
  [null],
  [{ type: null, name: [1, null, ["x"]] }],
  [{ type: {} }],
  [{ type: { toString: 1 } }],
];

/** Bodies of hooks about `value`, which is any value of a map, and how many of their paths are not decided. */
const OF_ARRAYS: Readonly<Record<string, readonly [body: string, undecided: number]>> = {
  "Array.isArray and some": [`return Array.isArray(value) && value.some((one) => one === prog.name) ? 0 : -1`, 0],
  includes: [`return Array.isArray(value) && value.includes(prog.name) ? 0 : -1`, 0],
  "includes of other types": [`return Array.isArray(value) && (value.includes(1) || value.includes(null)) ? 0 : -1`, 0],
  length: [`return Array.isArray(value) && value.length > 1 ? deny("two") : 0`, 0],
  "a length of any value": [`return value?.length > 1 ? deny("two") : 0`, 3],
  "members of members": [
    `return Array.isArray(value) && value.every((one) => one?.name === undefined || one.name === prog.name) ? 0 : -1`,
    0,
  ],
  "a loop": [
    `if (!Array.isArray(value)) return -1; for (const { type } of value) if (type === prog.name) return 0; return -2`,
    0,
  ],
  "texts of all elements": [
    `return Array.isArray(value) ? deny(value.map(({ type, name }) => \`\${name} is \${type}\`).join(", ")) : 0`,
    0,
  ],
  "the first element": [`return Array.isArray(value) ? (value[0] === prog.name ? 0 : -1) : -2`, 0],
  "the first element of any value": [`return value?.[0] === prog.name ? 0 : -1`, 3],
  "a pattern": [`if (!Array.isArray(value)) return 0; const [one] = value; return one?.type === "xdp" ? -1 : 0`, 0],
  "join of an array": [`return Array.isArray(value) ? deny(value.join()) : 0`, 1],
  "filter, map and join": [
    `if (!Array.isArray(value)) return 0; const all = value.filter((one) => typeof one === "string").map((one) => \`<\${one}>\`); return all.length > 0 ? deny(all.join()) : -1`,
    0,
  ],
  "a loop over the names of a value": [`for (const key in value) return -1; return 0`, 4],
  "any value as text": [`return deny(\`\${value}!\`)`, 0],
  "any value as text by itself": [`return deny(String(value))`, 0],
  "a text that may be empty": [`return \`\${value}\${prog.name}\` ? 0 : -1`, 0],
};

describe(`loops over lists that are not known (seed ${seed})`, () => {
  for (const [fact, elements, bodies] of [
    ["maps", MAPS, OF_MAPS],
    ["helpers", HELPERS, OF_HELPERS],
  ] as const)
    it.each(Object.entries(bodies))(`${fact}: %s, for all lists of up to 3`, (_, [body, undecided]) => {
      const text = `import { deny } from "countersign";\nexport function bpf_prog_load(prog) { ${body} }`;
      const policy = ExploredPolicy.of(text);
      const exploration = policy.explore("bpf_prog_load");
      expect(exploration.unfinished).toBeNull();
      for (const { path, status, ...rest } of policy.confirmations(exploration))
        if (path.end.kind !== "not decided") expect([status, rest]).toEqual(["confirmed", expect.anything()]);
      expect(exploration.paths.filter(({ end }) => end.kind === "not decided")).toHaveLength(undecided);
      const next = numbers(seed);
      for (const list of lists<unknown>(elements)) {
        const input = randomInput(exploration, next);
        Object.assign(input.subject, { [fact]: list, name: ["a", "hash", "xdp"][next(3)] });
        const flaw = policy.flaw(exploration, input);
        if (flaw !== null) expect.fail(`${flaw}: ${JSON.stringify(list)}`);
      }
      policy.close();
    });

  it.each(Object.entries(OF_ARRAYS))("a value of a map: %s, for values of each type", (_, [body, undecided]) => {
    const text =
      'import { deny, map_lookup } from "countersign";\nexport function bpf_prog_load(prog) ' +
      `{ const value = map_lookup("allowed_programs", "x"); ${body} }`;
    const policy = ExploredPolicy.of(text);
    const exploration = policy.explore("bpf_prog_load");
    expect(exploration.unfinished).toBeNull();
    for (const { path, status, ...rest } of policy.confirmations(exploration))
      if (path.end.kind !== "not decided") expect([status, rest, path]).toEqual(["confirmed", expect.anything(), path]);
    expect(exploration.paths.filter(({ end }) => end.kind === "not decided")).toHaveLength(undecided);
    const next = numbers(seed);
    for (const value of VALUES)
      for (const name of ["a", "xdp", ""]) {
        const input = { ...randomInput(exploration, next), answer: () => value };
        Object.assign(input.subject, { name });
        const flaw = policy.flaw(exploration, input);
        if (flaw !== null) expect.fail(`${flaw}: ${JSON.stringify([value, name])}`);
      }
    policy.close();
  });
});
