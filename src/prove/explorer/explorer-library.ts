import { assembleLibrary } from "../../policy/linker/library.js";
import { LinkTime } from "../../policy/syntax/link-time.js";
import { readUnits, type Unit } from "../../policy/units/units.js";
import { EXPLORER } from "./explorer.gen.js";

/** The folder of the files of rewritten policies, and the explorer's file in it. */
export const FOLDER = "explored";
export const EXPLORER_FILE = `${FOLDER}/explorer.js`;

let library: { readonly text: string; readonly names: Unit } | undefined;

/** The linked text of the explorer, which is the same for all policies. */
export function explorerLibrary(): string {
  return prepared().text;
}

/** A file with the names of the explorer's exports, in place of it. */
export function explorerNames(): Unit {
  return prepared().names;
}

function prepared() {
  if (library === undefined) {
    const unit = unitOf(EXPLORER);
    const names = unitOf([...unit.exports.keys()].map((name) => `export const ${name} = 0;`).join("\n"));
    library = { text: assembleLibrary(unit), names };
  }
  return library;
}

function unitOf(text: string): Unit {
  return readUnits(EXPLORER_FILE, { read: () => text, root: FOLDER }, new LinkTime(EXPLORER_FILE))[0]!;
}
