import type { AnyNode } from "acorn";
import { HOOK, STATUS, STEPS, SUBJECT, ZERO } from "../../sandbox/shared/buffer-layout.js";
import { LINK } from "../../sandbox/shared/link.js";
import { type DenialMarks, denialWraps, droppedCalls } from "../checks/denials.js";
import { ANONYMOUS, type Export, takeOut } from "../units/bindings.js";
import { Edits } from "../units/edits.js";
import type { Unit } from "../units/units.js";
import { toArrowFunctions } from "./arrow-functions.js";
import { type Marks, meter } from "./meter.js";
import type { Part } from "./places.js";
import { type MarksFor, type Point, PointMarker, type PointMarks } from "./points.js";
import { isStateless } from "./stateless.js";

export interface Assembled {
  /** The text that QuickJS runs. */
  readonly text: string;
  /**
   * The same without the code that the linker adds around the files of each policy, to find out whether QuickJS
   * compiles it: that code is larger than most policies. Names of the virtual module are global in it. Each line of a
   * file has the same number as in `text`.
   */
  readonly trial: string;
  readonly parts: readonly Part[];
  /** Empty unless points are marked. */
  readonly points: readonly Point[];
}

/**
 * Assembles a policy's files into one function. Each file becomes a function of its own. Names of the virtual module
 * are declared outside the part that runs anew for each decision. The lines of a file stay consecutive, and the first
 * one begins a line. QuickJS compiles the added code again for every policy, so it is kept short. `arrows` are the
 * functions of the policy's own file that become arrow functions. With `marksFor`, the text tells the host which
 * points it reaches; all of it then runs anew for each decision.
 */
export function assemble(
  units: readonly Unit[],
  hooks: readonly string[],
  arrows: ReadonlySet<AnyNode>,
  marksFor: MarksFor | null = null,
): Assembled {
  const names = namesFor(units);
  const marker = marksFor === null ? null : new PointMarker(names, marksFor);
  const { own, anonymous } = names;
  const values = units.slice(0, -1).map((_, index) => `,${own(`value${index}`)}`);
  const parts: Part[] = [];
  const dropped = droppedCalls(units);
  let text = `${marker === null ? names.opening : names.markedOpening}${values.join("")};${own("metered")}(()=>${own("steps")});`;
  if (marker !== null) text += marker.declarations(own("reached"));
  let trial = `(function(){"use strict";`;
  let line = 1;
  units.forEach((unit, index) => {
    const { source, bindings } = unit;
    const edits = new Edits(source.text);
    const last = index === units.length - 1;
    // Inner edits first; see Edits.
    edits.wrapAll([...denialWraps(dropped[index]!, names), ...(marker?.expressions(source) ?? [])]);
    meter(source, edits, names);
    marker?.statements(source, edits);
    if (last) toArrowFunctions(source, edits, arrows);
    takeOut(source, edits, anonymous);
    parts.push({ file: source.file, edits, start: line + 1 });
    const guest = [...bindings.guest].map(
      ([local, name]) => `${local}=${own("guest")}${name === "*" ? "" : `.${name}`}`,
    );
    const imports = bindings.imports.map(({ local, from, name }) => `${local}=${names.imported(unit, from, name)}`);
    const body = `${declare(imports)}\n${edits}\n;`;
    const fresh = marker?.beginning ?? "";
    const begin = `return()=>{${own("steps")}=${own("integers")}[${STEPS}];${fresh}try{`;
    trial += `{()=>{${body}${last ? "" : exportsOf(names, unit)}}}${last ? "})" : ""}`;
    if (!last)
      text += `const ${own(`file${index}`)}=(()=>{${declare(guest)}return()=>{${body}${exportsOf(names, unit)}}})();`;
    else if (index === 0 && marker === null && isStateless(source, arrows))
      text += `{${declare(guest)}${body}${begin}${ending(names, unit, hooks, marker)}}}})`;
    else text += `{${declare(guest)}${begin}${run(names, index)}${body}${ending(names, unit, hooks, marker)}}}})`;
    line += linesOf(source.text) + 1;
  });
  return { text, trial, parts, points: marker?.points ?? [] };
}

/**
 * Names for the linker that no file contains. They begin with `$c`, or else with the first of `$c0`, `$c1`, … that is
 * in no file.
 */
function namesFor(units: readonly Unit[]): Names {
  if (units.every(({ source }) => !source.text.includes(USUAL.prefix))) return USUAL;
  const spelt = new Set<string>();
  for (const { source } of units)
    for (const [name] of source.text.matchAll(/\$c\d{0,6}/g))
      for (let end = USUAL.prefix.length; end <= name.length; end++) spelt.add(name.slice(0, end));
  let number = 0;
  while (spelt.has(`${USUAL.prefix}${number}`)) number++;
  return new Names(`${USUAL.prefix}${number}`);
}

/** Names in the linked text that occur in no file of the policy. */
class Names implements Marks, DenialMarks, PointMarks {
  readonly steps: string;
  readonly moreSteps: string;
  readonly unused: string;
  readonly dropping: string;
  readonly integers: string;
  readonly error: string;
  readonly anonymous: string;
  readonly seen: string;
  readonly reach: string;
  readonly held: string;
  readonly told: string;
  readonly last: string;
  readonly opening: string;

  constructor(readonly prefix: string) {
    this.steps = this.own("steps");
    this.moreSteps = this.own("moreSteps");
    this.unused = this.own("unused");
    this.dropping = this.own("dropping");
    this.integers = this.own("integers");
    this.error = this.own("error");
    this.anonymous = this.own("default");
    this.seen = this.own("seen");
    this.reach = this.own("reach");
    this.held = this.own("held");
    this.told = this.own("told");
    this.last = this.own("last");
    this.opening = this.#openingWith(LINK.slice(0, -1));
  }

  /** The same with the last argument, `reached`, which only text with marked points uses. */
  get markedOpening(): string {
    return this.#openingWith(LINK);
  }

  #openingWith(names: readonly string[]): string {
    // Not an arrow function: in it, `this` of the policy would be the engine's global object.
    return `(function(${names.map(this.own).join()}){"use strict";let ${this.steps}=0`;
  }

  readonly own = (name: string): string => `${this.prefix}_${name}`;

  /** The expression by which another file refers to an export of a file, or to all exports (`*`). */
  imported({ targets }: Unit, from: string, name: string): string {
    const value = this.own(`value${targets.get(from)}`);
    // The name of an export can be any string.
    return name === "*" ? value : `${value}[${JSON.stringify(name)}]`;
  }

  /** The expression that an export stands for. */
  meant(unit: Unit, { local, from, name }: Export): string {
    if (from !== null) return this.imported(unit, from, name);
    return local === ANONYMOUS ? this.anonymous : local!;
  }
}

const USUAL = new Names("$c");

function linesOf(text: string): number {
  let lines = 1;
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) lines += 1;
  return lines;
}

function declare(constants: readonly string[]): string {
  return constants.length === 0 ? "" : `const ${constants.join()};`;
}

/** Code that runs the imported files anew for each decision. */
function run({ own }: Names, files: number): string {
  return Array.from({ length: files }, (_, index) => `${own(`value${index}`)}=${own(`file${index}`)}();`).join("");
}

function exportsOf(names: Names, unit: Unit): string {
  const fields = [...unit.exports].map(([name, one]) => `[${JSON.stringify(name)}]:${names.meant(unit, one)}`);
  return `return ${names.own("freeze")}({__proto__:null,${fields.join()}})`;
}

/**
 * Code that calls the hook and stores the result in the shared buffer. Verdict 0, the most frequent result, is stored
 * here; the guest handles all others.
 */
function ending(names: Names, unit: Unit, hooks: readonly string[], marker: PointMarker | null): string {
  const { own, steps, error, integers } = names;
  const verdict = own("verdict");
  return (
    `const ${verdict}=${callHook(names, unit, hooks)};${integers}[${STEPS}]=${steps};` +
    `${marker?.ending(own("reached")) ?? ""}` +
    `if(${verdict}===0)${integers}[${STATUS}]=${ZERO};else ${own("answered")}(${verdict})` +
    `}catch(${error}){${integers}[${STEPS}]=${steps};${own("threw")}(${error})}`
  );
}

function callHook(names: Names, unit: Unit, hooks: readonly string[]): string {
  const { own, integers } = names;
  const [subjects, current] = [own("subjects"), own("current")];
  const call = (name: string) => {
    const callee = names.meant(unit, unit.exports.get(name)!);
    // The comma operator keeps the object of a member from becoming `this`.
    return `${callee.includes("[") ? `(0,${callee})` : callee}(${subjects}[${integers}[${SUBJECT}]],${current})`;
  };
  const choices = hooks.slice(0, -1).map((name, index) => `${integers}[${HOOK}]===${index}?${call(name)}:`);
  return `${choices.join("")}${call(hooks.at(-1)!)}`;
}
