import { STATUS, ZERO } from "../../sandbox/shared/buffer-layout.js";
import { takeOut } from "../units/bindings.js";
import { Edits } from "../units/edits.js";
import type { Unit } from "../units/units.js";
import { meter } from "./meter.js";
import { declare, exportsOf, guestNames, namesFor } from "./names-in-text.js";

/**
 * Assembles a file that imports no other one as a library. Its text is taken as that of a policy. Its only decision
 * evaluates the file; texts that are taken after that import its exports ({@link LinkOptions.library}). Whatever they
 * change in its state stays changed, so whoever does not want that restores the runtime. The file must not call `deny`.
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
