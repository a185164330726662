// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the strings are policies with templates
/** Policies drawn by chance that tell values of a map apart in many ways, and inputs for them. */
import type { Exploration } from "../../src/prove/explorer/exploration.js";
import type { Input } from "../../src/prove/witness/input.js";
import { drawnNumber } from "./drawn-numbers.js";
import { randomInput } from "./prove.js";

type Next = (below: number) => number;

/** In all of these, `@name` stands for one of its texts. */
const TEXTS: Readonly<Record<string, readonly string[]>> = {
  look: [
    ...Array<string>(4).fill('map_lookup("program_budget", "x")'),
    ...['map_lookup("program_budget", "y")', 'map_lookup("program_budget", prog.name)', 'get("x")'],
    'map_lookup("program_budget", @look ?? "y")',
  ],
  default: ["5", "null", "undefined", '"a"', "{ a: 5 }", "[5]", "prog.insn_cnt", "@look", "fail()", "(@look ?? 4)"],
  value: [
    ...["@look", "@look ?? @default", "@look ?? @default", "@look ?? @default", "@look || 3", "@look && 5"],
    ...["(@look ?? { a: 5 }).a", "@look?.a ?? @default", "[@look ?? 5][0]", "({ a: @look ?? 5 }).a"],
  ],
  number: ["prog.insn_cnt", "current.uid", "prog.helpers.length", "(@look ?? 4)", "3"],
  order: ["<", "<=", ">", ">="],
  operator: ["-", "*", "%", "&", "+"],
  condition: [
    ...["v === 5", "v == null", "v === null", "v === undefined", "v", "@look === null", "@look === undefined"],
    ...["v @order @number", "@number @order v", "@number @operator v > 3", "v @operator @number > 3"],
    ...['typeof v === "object"', 'typeof v === "number"', "(@look ?? @default) === v", "Array.isArray(v)"],
    ...["@number @order v && @condition", "@condition || v @order @number", "!(@condition)", "v?.a === 5"],
    ...[
      "prog.maps.some((one) => one.max_entries @order v)",
      "prog.maps.every((one) => one.memory @order (@look ?? v))",
    ],
    ...[
      "prog.maps.reduce((sum, one) => sum + one.memory, 0) @order v",
      "@array.filter((one) => @part).length @order 2",
    ],
    ...["@array.some((one) => @part)", "@array.filter((one) => @part).includes(v)"],
  ],
  array: ["[1, 2, 3, 4]", "[prog.insn_cnt, 1, 2, 3]", "[@look ?? 5, v, 3, 2]", "[v, @look, prog.insn_cnt, 7]"],
  part: ["one @order v", "one === v", "v === null", "(@look ?? one) === one", "one @order (@look ?? 3)"],
  end: [
    ...["v", "deny(`is ${v}`)", "deny(JSON.stringify([v ?? 1]))", "deny(@array.filter((one) => @part).join())"],
    ...["(() => { try { return v @order @number ? 0 : -1 } catch { return -2 } })()", "@condition ? -3 : 0"],
  ],
};

const HEAD = `import { deny, map_lookup } from "countersign";
const fail = () => { throw new Error("none"); };
const get = (key) => map_lookup("program_budget", key);
`;

/** The text of a policy with one hook. */
export function randomMapPolicy(next: Next): string {
  const text = (of: string, depth = 0): string => {
    const among = TEXTS[of]!.filter((one) => depth < 5 || !/@(?:condition|look|default)/.test(one));
    const one = among.length > 0 ? among[next(among.length)]! : TEXTS[of]![0]!;
    return one.replace(/@(\w+)/g, (_, name: string) => text(name, depth + 1));
  };
  const early = next(2) === 0 ? `if (${text("condition")}) return -9;` : "";
  const body = `const v = ${text("value")}; ${early} return ${text("end")};`;
  return `${HEAD}export function bpf_prog_load(prog, current) { ${body} }`;
}

const VALUES: readonly unknown[] = [
  ...[undefined, undefined, null, null, true, false, 0, 5, -1, 2.5, 3, 4, "", "5", "x", "y", [], [5], {}, { a: 5 }],
  ...[{ a: null }, { toString: 1 }, [{ toString: 1 }]],
];

/** An input with small numbers, and values of all types in the map. */
export function randomMapInput(exploration: Exploration, next: Next): Input {
  const drawn = randomInput(exploration, next);
  const [insn_cnt, values] = [next(8), new Map<string | null, unknown>()];
  const bytes = new Uint8Array(8 * insn_cnt);
  const small = { insn_cnt, insns: bytes, raw_insns: bytes, name: ["x", "y", "a", "5"][next(4)] };
  const subject = { ...drawn.subject, ...small };
  const answer: Input["answer"] = (origin, key) => {
    if (origin.kind !== "lookup") return drawn.answer(origin, key);
    if (!values.has(key)) values.set(key, next(5) === 0 ? drawnNumber(next) : VALUES[next(VALUES.length)]);
    return values.get(key);
  };
  return { ...drawn, subject, answer };
}
