import type { AnyNode } from "acorn";
import { HOOK, STATUS, STEPS, SUBJECT, ZERO } from "../../sandbox/shared/buffer-layout.js";
import { denialWraps, droppedCalls } from "../checks/denials.js";
import { takeOut } from "../units/bindings.js";
import { Edits } from "../units/edits.js";
import type { Unit } from "../units/units.js";
import { toArrowFunctions } from "./arrow-functions.js";
import { declare, exportsOf, type GeneratedNames, guestNames, namesFor } from "./generated-names.js";
import { meter } from "./meter.js";
import type { Part } from "./places.js";
import { type MarksFor, type Point, PointMarker } from "./points.js";
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
 * points it reaches; all of it then runs anew for each decision. `library` is the name of the first file if that is a
 * library (library.ts), which is not in the text.
 */
export function assemble(
  units: readonly Unit[],
  hooks: readonly string[],
  arrows: ReadonlySet<AnyNode>,
  marksFor: MarksFor | null = null,
  library: string | null = null,
): Assembled {
  const names = namesFor(units, library !== null);
  const marker = marksFor === null ? null : new PointMarker(names, marksFor);
  const { own, anonymous } = names;
  const values = units.slice(0, -1).map((_, index) => own(`value${index}`));
  if (library !== null) values[0] += `=${own("library")}.exports`;
  const parts: Part[] = [];
  const dropped = droppedCalls(units);
  const opening = marker === null ? names.opening : names.markedOpening;
  let text = `${opening}${names.declared(values)}${own("metered")}(()=>${names.steps});`;
  if (marker !== null) text += marker.declarations(own("reached"));
  let trial = `(function(){"use strict";`;
  let line = 1;
  units.forEach((unit, index) => {
    const { source, bindings } = unit;
    if (source.file === library) return;
    const edits = new Edits(source.text);
    const last = index === units.length - 1;
    // Inner edits first; see Edits.
    edits.wrapAll([...denialWraps(dropped[index]!, names), ...(marker?.expressions(source) ?? [])]);
    meter(source, edits, names);
    marker?.statements(source, edits);
    if (last) toArrowFunctions(source, edits, arrows);
    takeOut(source, edits, anonymous);
    parts.push({ file: source.file, edits, start: line + 1 });
    const guest = guestNames(names, unit);
    const imports = bindings.imports.map(({ local, from, name }) => `${local}=${names.imported(unit, from, name)}`);
    const body = `${declare(imports)}\n${edits}\n;`;
    const fresh = marker?.beginning ?? "";
    const begin = `return()=>{${names.begun}${fresh}try{`;
    const exporting = last ? body : `${body}return ${exportsOf(names, unit)}`;
    trial += `{()=>{${exporting}}}${last ? "})" : ""}`;
    if (!last) text += `const ${own(`file${index}`)}=(()=>{${declare(guest)}return()=>{${exporting}}})();`;
    else if (index === 0 && marker === null && isStateless(source, arrows))
      text += `{${declare(guest)}${body}${begin}${ending(names, unit, hooks, marker)}}}})`;
    else {
      const imported = run(names, library === null ? 0 : 1, index);
      text += `{${declare(guest)}${begin}${imported}${body}${ending(names, unit, hooks, marker)}}}})`;
    }
    line += linesOf(source.text) + 1;
  });
  return { text, trial, parts, points: marker?.points ?? [] };
}

function linesOf(text: string): number {
  let lines = 1;
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) lines += 1;
  return lines;
}

/** Code that runs the imported files anew for each decision, from a number on. */
function run({ own }: GeneratedNames, first: number, end: number): string {
  let text = "";
  for (let index = first; index < end; index++) text += `${own(`value${index}`)}=${own(`file${index}`)}();`;
  return text;
}

/**
 * Code that calls the hook and stores the result in the shared buffer. Verdict 0, the most frequent result, is stored
 * here; the guest handles all others.
 */
function ending(names: GeneratedNames, unit: Unit, hooks: readonly string[], marker: PointMarker | null): string {
  const { own, steps, error, integers } = names;
  const verdict = own("verdict");
  return (
    `const ${verdict}=${callHook(names, unit, hooks)};${integers}[${STEPS}]=${steps};` +
    `${marker?.ending(own("reached")) ?? ""}` +
    `if(${verdict}===0)${integers}[${STATUS}]=${ZERO};else ${own("answered")}(${verdict})` +
    `}catch(${error}){${integers}[${STEPS}]=${steps};${own("threw")}(${error})}`
  );
}

function callHook(names: GeneratedNames, unit: Unit, hooks: readonly string[]): string {
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
