import { STEPS } from "../../sandbox/shared/buffer-layout.js";
import { LINK } from "../../sandbox/shared/link.js";
import type { DenialMarks } from "../checks/denials.js";
import { ANONYMOUS, type Export } from "../units/bindings.js";
import type { Unit } from "../units/units.js";
import type { Marks } from "./meter.js";
import type { PointMarks } from "./points.js";

const USUAL = "$c";

/**
 * Names for the linker that no file contains. They begin with `$c`, or else with the first of `$c0`, `$c1`, … that is
 * in no file.
 */
export function namesFor(units: readonly Unit[], usesLibrary: boolean): GeneratedNames {
  if (units.every(({ source }) => !source.text.includes(USUAL))) return new GeneratedNames(USUAL, usesLibrary);
  const spelt = new Set<string>();
  for (const { source } of units)
    for (const [name] of source.text.matchAll(/\$c\d{0,6}/g))
      for (let end = USUAL.length; end <= name.length; end++) spelt.add(name.slice(0, end));
  let number = 0;
  while (spelt.has(`${USUAL}${number}`)) number++;
  return new GeneratedNames(`${USUAL}${number}`, usesLibrary);
}

/** Names in the linked text that occur in no file of the policy. */
export class GeneratedNames implements Marks, DenialMarks, PointMarks {
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

  /** A text with a library counts steps in the shared buffer, as that does. */
  constructor(
    readonly prefix: string,
    private readonly usesLibrary: boolean,
  ) {
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
    this.steps = usesLibrary ? `${this.integers}[${STEPS}]` : this.own("steps");
    this.opening = this.#openingWith(usesLibrary ? LINK : LINK.slice(0, -2));
  }

  /** The same with the argument `reached`, which only text with marked points uses. */
  get markedOpening(): string {
    return this.#openingWith(LINK.slice(0, -1));
  }

  /** The declaration of the linker's variables: its own, and others. */
  declared(variables: readonly string[]): string {
    const all = this.usesLibrary ? variables : [`${this.steps}=0`, ...variables];
    return all.length === 0 ? "" : `let ${all.join()};`;
  }

  /** Code at the beginning of each decision. */
  get begun(): string {
    return this.usesLibrary ? "" : `${this.steps}=${this.integers}[${STEPS}];`;
  }

  #openingWith(names: readonly string[]): string {
    // Not an arrow function: in it, `this` of the policy would be the engine's global object.
    return `(function(${names.map(this.own).join()}){"use strict";`;
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

/** Names of a file for the names of the virtual module that it imports. */
export function guestNames({ own }: GeneratedNames, { bindings }: Unit): string[] {
  return [...bindings.guest].map(([local, name]) => `${local}=${own("guest")}${name === "*" ? "" : `.${name}`}`);
}

/** A declaration of constants, each with its value. */
export function declare(constants: readonly string[]): string {
  return constants.length === 0 ? "" : `const ${constants.join()};`;
}

/** The frozen object of a file's exports. */
export function exportsOf(names: GeneratedNames, unit: Unit): string {
  const fields = [...unit.exports].map(([name, one]) => `[${JSON.stringify(name)}]:${names.meant(unit, one)}`);
  return `${names.own("freeze")}({__proto__:null,${fields.join()}})`;
}
