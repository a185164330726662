import { createHash } from "node:crypto";
import { posix } from "node:path";
import type { AnyNode, CallExpression, Literal } from "acorn";
import { simple } from "acorn-walk";
import MagicString from "magic-string";
import { CountersignError } from "../error.js";
import { ANSWERED, FUEL, HOOK, STATUS, SUBJECT, VERDICT, ZERO } from "../sandbox/slots.js";
import { refusedByEngine } from "../sandbox/syntax.js";
import { type Bindings, type Export, refuseChanging, takeBindings } from "./bindings.js";
import { refuseForbidden } from "./forbidden.js";
import { type Marks, meter } from "./fuel.js";
import { GUEST_FUNCTIONS, GUEST_MODULE } from "./guest.js";
import { lighten } from "./lighten.js";
import { didYouMean } from "./nearest.js";
import { Places } from "./places.js";
import { forbidden, placeIn, readSource, type Source } from "./source.js";

/** A policy and the files that it imports, made into the one function that the sandbox runs. */
export interface LinkedPolicy {
  readonly file: string;
  /** The text that runs: an expression whose value sandbox/guest/main.ts calls once for each runtime. */
  readonly source: string;
  /** SHA-256 of `source`, lower-case hex. */
  readonly digest: string;
  /** The hooks that the policy exports, in the order of their numbers in `source`. */
  readonly hooks: readonly string[];
  /** Literal names that the policy asks the configuration for. */
  readonly names: readonly { readonly kind: "keyring" | "map"; readonly name: string; readonly place: string }[];
  /** The place in the policy's own files, `policies/tc.js:4:11`, of a place in `source`; both count from 1. */
  locate(line: number, column: number): string;
}

export interface LinkOptions {
  /** A file's text. What it throws is given on. */
  read(path: string): string;
  readonly hookNames: readonly string[];
  /** The folder of the domain's files: a policy imports from nowhere else. */
  readonly root: string;
}

/** The most files that a policy may be made of. */
const MAX_FILES = 64;

/**
 * Links a policy. Throws POLICY_SYNTAX, POLICY_FORBIDDEN, POLICY_UNKNOWN_HOOK or POLICY_NO_HOOK with the place, and what
 * `read` throws.
 */
export function linkPolicy(file: string, options: LinkOptions): LinkedPolicy {
  const units = readUnits(file, options);
  const entry = units.at(-1)!;
  const hooks = hooksOf(entry, options.hookNames);
  const prefix = unspelt(units);
  const { text, starts } = assemble(units, hooks, prefix);
  const places = new Places(units, starts);
  const locate = (line: number, column: number) => places.locate(line, column) ?? file;
  const refusal = refusedByEngine(text);
  if (refusal !== null) {
    throw new CountersignError("POLICY_SYNTAX", `is not JavaScript to QuickJS: ${refusal.message}`, {
      place: locate(refusal.line, refusal.column),
      remedy: "write it in a simpler way",
    });
  }
  return {
    file,
    source: text,
    digest: createHash("sha256").update(text).digest("hex"),
    hooks,
    names: units.flatMap(literalNames),
    locate,
  };
}

/** One file, ready to be put into the linked text. */
interface Unit {
  readonly source: Source;
  readonly text: MagicString;
  readonly bindings: Bindings;
  /** Import specifier to the index of its unit. */
  readonly targets: ReadonlyMap<string, number>;
  /** Every name that the file exports, with those that it exports again. */
  readonly exports: ReadonlyMap<string, Export>;
}

/** A placeholder for the prefix while it is not yet known; no file may spell it. */
const ANONYMOUS = "$default";

/** The files in an order in which each stands behind those that it imports; the policy itself is the last. */
function readUnits(entry: string, options: LinkOptions): Unit[] {
  const units: Unit[] = [];
  const indices = new Map<string, number>();
  const open = new Set<string>();

  const visit = (file: string): number => {
    const known = indices.get(file);
    if (known !== undefined) return known;
    open.add(file);
    const source = readSource(file, options.read(file));
    refuseForbidden(source);
    if (source.text.includes(ANONYMOUS))
      throw forbidden(source, { start: source.text.indexOf(ANONYMOUS) }, `spells \`${ANONYMOUS}\``, "use another name");
    const text = new MagicString(source.text);
    const bindings = takeBindings(source, text, { anonymous: ANONYMOUS });
    const targets = new Map<string, number>();
    for (const { from, node } of bindings.files) {
      const path = resolve(source, node, from, options.root);
      if (open.has(path))
        throw forbidden(
          source,
          node,
          `imports \`${from}\`, which imports it again`,
          "move what both need into a third file",
        );
      if (indices.size + open.size >= MAX_FILES)
        throw forbidden(source, node, `is made of more than ${MAX_FILES} files`, "put them together");
      targets.set(from, visit(path));
    }
    open.delete(file);
    if (open.size > 0) refuseChanging(source, bindings);
    const exports = allExports(source, bindings, targets, units);
    units.push({ source, text, bindings, targets, exports });
    indices.set(file, units.length - 1);
    return units.length - 1;
  };
  visit(entry);
  return units;
}

function resolve(source: Source, node: AnyNode, from: string, root: string): string {
  if (!from.startsWith("./") && !from.startsWith("../"))
    throw forbidden(source, node, `imports \`${from}\``, `import \`${GUEST_MODULE}\`, or a file as "./name.js"`);
  const path = posix.join(posix.dirname(source.file), from);
  const inside = posix.relative(root === "" ? "." : root, path);
  if (inside.startsWith("..") || posix.isAbsolute(inside))
    throw forbidden(
      source,
      node,
      `imports \`${from}\`, which is outside of \`${root}\``,
      "keep a policy's files in the folder of its domain",
    );
  if (!/\.(js|mjs|ts)$/.test(path))
    throw forbidden(source, node, `imports \`${from}\`, which is no .js or .ts file`, "name the file with its ending");
  return path;
}

function allExports(
  source: Source,
  bindings: Bindings,
  targets: ReadonlyMap<string, number>,
  units: readonly Unit[],
): Map<string, Export> {
  const all = new Map(bindings.exports);
  for (const { from, node } of bindings.stars) {
    for (const name of units[targets.get(from)!]!.exports.keys()) {
      if (name === "default" || bindings.exports.has(name)) continue;
      if (all.has(name)) throw forbidden(source, node, `exports \`${name}\` from two files`, "export it by name");
      all.set(name, { node, local: null, from, name });
    }
  }
  for (const { from, name, node } of [...all.values(), ...bindings.imports.map((one) => ({ ...one, node: null }))]) {
    if (from === null || name === "*") continue;
    const exported = units[targets.get(from)!]!.exports;
    if (exported.has(name)) continue;
    const place = node ?? bindings.files.find((file) => file.from === from)!.node;
    throw new CountersignError(
      "POLICY_SYNTAX",
      `imports \`${name}\`, which \`${from}\` does not export${didYouMean(name, exported.keys())}`,
      {
        place: placeIn(source, place),
        remedy: "export it there, or mend the name",
      },
    );
  }
  return all;
}

function hooksOf({ source, exports }: Unit, known: readonly string[]): string[] {
  for (const [name, { node }] of exports) {
    if (known.includes(name)) continue;
    throw new CountersignError(
      "POLICY_UNKNOWN_HOOK",
      `exports \`${name}\`, which is no hook${didYouMean(name, known)}`,
      {
        place: placeIn(source, node),
        remedy: `export hooks only: ${known.join(", ")}`,
      },
    );
  }
  if (exports.size > 0) return [...exports.keys()];
  throw new CountersignError("POLICY_NO_HOOK", "exports no hook", {
    place: source.file,
    remedy: `export a function named as a hook: ${known.join(", ")}`,
  });
}

/** The shortest `$c`, `$cc` … that no file spells anywhere: what begins with it is the linker's alone. */
function unspelt(units: readonly Unit[]): string {
  let prefix = "$c";
  while (units.some(({ source }) => source.text.includes(prefix))) prefix += "c";
  return prefix;
}

/**
 * Puts the files together. Each is a function of its own, in which the names of the virtual module stand outside of what
 * runs anew for each decision; a file's own lines follow each other undisturbed from a line of their own.
 */
function assemble(
  units: readonly Unit[],
  hooks: readonly string[],
  prefix: string,
): { text: string; starts: number[] } {
  const my = (name: string) => `${prefix}_${name}`;
  const marks: Marks = { fuel: my("fuel"), exhausted: my("exhausted"), caught: my("caught"), error: my("error") };
  const host = my("host");
  const value = (unit: Unit, from: string) => my(`value${unit.targets.get(from)}`);
  const parts: string[] = [
    // a function, where an arrow would have the engine's global object as `this` of the policy
    `(function(${host}){"use strict";let ${marks.fuel}=0${units.map((_, index) => `,${my(`value${index}`)}`).join("")};` +
      `const ${my("current")}=${host}.current,${my("box")}=${host}.box,${my("doubles")}=${host}.doubles,${my("subjects")}=${host}.subjects,` +
      `${marks.exhausted}=${host}.exhausted,${marks.caught}=(e)=>{if(${marks.fuel}<0)throw e;${host}.caught(e)};`,
  ];
  const starts: number[] = [];
  let line = 1;
  units.forEach((unit, index) => {
    const last = index === units.length - 1;
    if (last) lighten(unit.source, unit.text, new Set(hooks));
    meter(unit.source, unit.text, marks);
    const guest = [...unit.bindings.guest].map(
      ([local, name]) => `${local}=${host}.guest${name === "*" ? "" : `.${name}`}`,
    );
    const imports = unit.bindings.imports.map(({ local, from, name }) => `${local}=${member(value(unit, from), name)}`);
    const opened = `(()=>{${declare(guest)}return()=>{`;
    const run = units.slice(0, -1).map((_, earlier) => `${my(`value${earlier}`)}=${my(`file${earlier}`)}();`);
    parts.push(
      last
        ? `return${opened}${marks.fuel}=${my("box")}[${FUEL}];try{${run.join("")}${declare(imports)}\n`
        : `const ${my(`file${index}`)}=${opened}${declare(imports)}\n`,
    );
    starts.push(line + 1);
    const body = unit.text.toString();
    const tail = last ? ending(callHook(unit, hooks, my, value), my, marks) : exportsOf(unit, host, value);
    parts.push(body, `\n;${tail}}})()${last ? "})" : ";"}`);
    line += 1 + (body.match(/\n/g)?.length ?? 0) + 1;
  });
  return { text: parts.join("").replaceAll(ANONYMOUS, my("default")), starts };
}

type Name = (name: string) => string;

function declare(constants: readonly string[]): string {
  return constants.length === 0 ? "" : `const ${constants.join(",")};`;
}

function member(object: string, name: string): string {
  return name === "*" ? object : `${object}[${quoted(name)}]`;
}

/** An exported name can be any text, and is none of the linker's however it is spelt. */
function quoted(name: string): string {
  return JSON.stringify(name).replaceAll("$", "\\u0024");
}

function reference(unit: Unit, { local, from, name }: Export, value: (unit: Unit, from: string) => string): string {
  return from === null ? local! : member(value(unit, from), name);
}

function exportsOf(unit: Unit, host: string, value: (unit: Unit, from: string) => string): string {
  const fields = [...unit.exports].map(([name, one]) => `[${quoted(name)}]:${reference(unit, one, value)}`);
  return `return ${host}.freeze({__proto__:null,${fields.join(",")}})`;
}

/** Asks the hook, and puts what came of it into the box. */
function ending(call: string, my: Name, marks: Marks): string {
  const [box, verdict, host] = [my("box"), my("verdict"), my("host")];
  return (
    `const ${verdict}=${call};${box}[${FUEL}]=${marks.fuel};` +
    `if(${verdict}===0)${box}[${STATUS}]=${ZERO};else if(typeof ${verdict}==="number"){${my("doubles")}[${VERDICT}]=${verdict};${box}[${STATUS}]=${ANSWERED}}` +
    `else ${host}.answered(${verdict})` +
    `}catch(${marks.error}){${box}[${FUEL}]=${marks.fuel};${host}.threw(${marks.error})}`
  );
}

function callHook(unit: Unit, hooks: readonly string[], my: Name, value: (unit: Unit, from: string) => string): string {
  const subject = `${my("subjects")}[${my("box")}[${SUBJECT}]]`;
  const call = (name: string) => {
    const callee = reference(unit, unit.exports.get(name)!, value);
    // a member would be given its object as `this`
    return `${callee.includes("[") ? `(0,${callee})` : callee}(${subject},${my("current")})`;
  };
  const choices = hooks.slice(0, -1).map((name, index) => `${my("box")}[${HOOK}]===${index}?${call(name)}:`);
  return `${choices.join("")}${call(hooks.at(-1)!)}`;
}

/** The literal names of keyrings and maps that a file gives to the helpers. */
function literalNames({ source, bindings }: Unit): LinkedPolicy["names"] {
  const names: { kind: "keyring" | "map"; name: string; place: string }[] = [];
  simple(source.program, {
    CallExpression({ callee, arguments: given }: CallExpression) {
      const name = calledHelper(callee, bindings);
      const wanted = name === null ? null : (GUEST_FUNCTIONS[name as keyof typeof GUEST_FUNCTIONS] ?? null);
      if (wanted === null) return;
      for (const literal of literalsOf(given[wanted.argument]))
        names.push({ kind: wanted.kind, name: literal.value as string, place: placeIn(source, literal) });
    },
  });
  return names;
}

/** The strings that an expression can come to, as far as they are written there: `a ?? "b"`, `c ? "d" : "e"`. */
function literalsOf(node: AnyNode | undefined): readonly Literal[] {
  switch (node?.type) {
    case "Literal":
      return typeof node.value === "string" ? [node] : [];
    case "LogicalExpression":
      return [...literalsOf(node.left), ...literalsOf(node.right)];
    case "ConditionalExpression":
      return [...literalsOf(node.consequent), ...literalsOf(node.alternate)];
    default:
      return [];
  }
}

function calledHelper(callee: CallExpression["callee"], { guest }: Bindings): string | null {
  if (callee.type === "Identifier") return guest.get(callee.name) ?? null;
  if (callee.type !== "MemberExpression" || callee.computed || callee.object.type !== "Identifier") return null;
  return guest.get(callee.object.name) === "*" && callee.property.type === "Identifier" ? callee.property.name : null;
}
