// Generates src/policy/model/facts.gen.ts, the table of facts that the linker checks policies against, from the
// interfaces of types/countersign.d.ts. With --check it only reports whether the file is current.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

const declarations = readFileSync(path("types/countersign.d.ts"), "utf8").replace(/\/\*[\s\S]*?\*\//g, "");
const interfaces = new Map(
  [...declarations.matchAll(/^export interface (\w+)(?: extends ([\w, ]+))? \{\n([\s\S]*?)^\}/gm)].map(
    ([, name, bases, body]) => [name, { bases: bases?.split(", ") ?? [], body }],
  ),
);
const aliases = new Map(
  [...declarations.matchAll(/^export type (\w+) =([^;]+);/gm)].map(([, name, type]) => [name, type.trim()]),
);

/**
 * A type in the notation of src/policy/model/fact-kinds.ts: `Effects`, `string[]`, `record`; with `?` at the end if it
 * can be null.
 */
function kindOf(type) {
  const bare = type.replace(/\s+/g, " ").replace(/^\| /, "").trim();
  if (/ \| null$/.test(bare)) return `${kindOf(bare.slice(0, -" | null".length))}?`;
  const list = /^readonly (.+)\[\]$/.exec(bare)?.[1];
  if (list !== undefined) return `${kindOf(list.replace(/^\((.*)\)$/, "$1"))}[]`;
  if (/^Readonly<Record<string, \w+>>$/.test(bare)) return "record";
  if (interfaces.has(bare)) return bare;
  if (aliases.has(bare)) return kindOf(aliases.get(bare));
  const primitives = new Set(
    bare.split(" | ").map((one) => {
      if (/^(string|number|boolean)$/.test(one)) return one;
      if (/^"[^"]*"$|^\(string & (\{\}|Record<never, never>)\)$/.test(one)) return "string";
      if (aliases.has(one)) return kindOf(aliases.get(one));
      throw new Error(`types/countersign.d.ts: no fact can have the type \`${bare}\``);
    }),
  );
  if (primitives.size === 2 && primitives.has("number") && primitives.has("string")) return "scalar";
  if (primitives.size !== 1) throw new Error(`types/countersign.d.ts: a fact has more than one type: \`${bare}\``);
  return [...primitives][0];
}

function factsOf(name) {
  const { bases, body } = interfaces.get(name);
  const own = {};
  for (const member of body.split(";").map((one) => one.trim())) {
    if (member === "" || member.startsWith("readonly [")) continue;
    const [, key, type] = /^readonly (\w+)\??: ([\s\S]+)$/.exec(member) ?? [];
    if (key === undefined) throw new Error(`types/countersign.d.ts: ${name} has the member \`${member}\``);
    own[key] = kindOf(type);
  }
  return Object.assign({}, ...bases.map(factsOf), own);
}

const subjects = {};
for (const [, hook, subject] of interfaces
  .get("Hooks")
  .body.matchAll(/^ {2}(\w+)\(\w+: (\w+), current: Current\): number;$/gm))
  subjects[hook] = subject;

/** The functions of the module that return facts. */
const results = {};
for (const [, name, type] of declarations.matchAll(/^export declare function (\w+)\([^)]*\): (\w+) \| null;$/gm))
  if (interfaces.has(type)) results[name] = type;

const facts = {};
const open = [...new Set([...Object.values(subjects), "Current", ...Object.values(results)])];
while (open.length > 0) {
  const name = open.shift();
  if (name in facts) continue;
  facts[name] = factsOf(name);
  for (const kind of Object.values(facts[name])) {
    const inner = kind.replace(/(\[\]|\?)+$/, "");
    if (interfaces.has(inner)) open.push(inner);
  }
}

/** A type whose values are names; see the end of types/countersign.d.ts. */
const isNames = (name) => /^(?:\| )?"[^"]*" \|/.test(aliases.get(name)?.replace(/\s+/g, " ") ?? "");
const leads = new Map([["Effects", true]]);
/** Whether an interface has facts that are names, or that lead to names. */
function leadsToNames(name) {
  if (!leads.has(name)) {
    leads.set(name, false);
    leads.set(name, Object.keys(namesOf(name)).length > 0);
  }
  return leads.get(name);
}

/** The facts of an interface that are names or lead to names. */
function namesOf(name) {
  const { bases, body } = interfaces.get(name);
  const own = {};
  for (const [, key, type] of body.matchAll(/^ {2}readonly (\w+): ([^;]+);/gm)) {
    const [, list, inner] = /^(readonly )?(\w+)(?:\[\])?(?: \| null)?$/.exec(type) ?? [];
    if (isNames(inner) || (interfaces.has(inner) && leadsToNames(inner))) own[key] = `${inner}${list ? "[]" : ""}`;
  }
  return Object.assign({}, ...bases.map(namesOf), own);
}

const named = Object.fromEntries(
  Object.keys(facts)
    .filter((name) => name !== "Effects" && leadsToNames(name))
    .map((name) => [name, namesOf(name)]),
);

const object = (entries, indent) =>
  `{\n${Object.entries(entries)
    .map(
      ([key, value]) =>
        `${indent}  ${key}: ${typeof value === "string" ? `"${value}"` : object(value, `${indent}  `)},`,
    )
    .join("\n")}\n${indent}}`;
const made = `// Generated from types/countersign.d.ts by scripts/facts.mjs

/** The interface of each hook's subject. */
export const SUBJECTS = ${object(subjects, "")} as const;

/** The interface of what helpers return, by the helper. */
export const RESULTS: Readonly<Record<string, string>> = ${object(results, "")};

/** The kind of each fact, by interface: see fact-kinds.ts. \`?\` marks a fact that can be null, \`[]\` an array. */
export const FACTS = ${object(facts, "")} as const;

/** By interface: the facts that are names or lead to names; \`[]\` marks an array. */
export const NAMED_FACTS: Readonly<Record<string, Readonly<Record<string, string>>>> = ${object(named, "")};
`;

const file = path("src/policy/model/facts.gen.ts");
if (process.argv.includes("--check")) {
  const current = readFileSync(file, "utf8") === made;
  if (!current) console.error("src/policy/model/facts.gen.ts is not current: run node scripts/facts.mjs");
  process.exitCode = current ? 0 : 1;
} else writeFileSync(file, made);
