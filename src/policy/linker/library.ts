import { STATUS, ZERO } from "../../sandbox/shared/buffer-layout.js";
import { takeOut } from "../units/bindings.js";
import { Edits } from "../units/edits.js";
import type { Unit } from "../units/units.js";
import { declare, exportsOf, guestNames, namesFor } from "./generated-names.js";
import { meter } from "./meter.js";

/**
 * The text of a library: one file without imports of others, which policies that are loaded later import
 * ({@link LinkOptions.library}). A runtime loads the text as it loads a policy, and has to make one
 * decision with it, which executes the file, before it loads a policy that imports it. All of these policies share the
 * library's state; restore the runtime to reset it. The file must not call `deny`.
 */
export function assembleLibrary(unit: Unit): string {
  const names = namesFor([unit], true);
  const { own, steps, error, integers, anonymous } = names;
  const edits = new Edits(unit.source.text);
  meter(unit.source, edits, names);
  takeOut(unit.source, edits, anonymous);
  return (
    `${names.opening}${own("metered")}(()=>${steps});{${declare(guestNames(names, unit))}return()=>{try{\n${edits}\n;` +
    `${own("library")}.exports=${exportsOf(names, unit)};${integers}[${STATUS}]=${ZERO}` +
    `}catch(${error}){${own("threw")}(${error})}}}})`
  );
}
