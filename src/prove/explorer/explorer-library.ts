import { LinkTime } from "../../policy/syntax/link-time.js";
import { readUnits, type Unit } from "../../policy/units/units.js";
import { EXPORTS } from "./explorer.gen.js";

/** The linked text of the explorer, which is the same for all policies. */
export { EXPLORER as EXPLORER_LIBRARY } from "./explorer.gen.js";

/** The folder of the files of rewritten policies, and the explorer's file in it. */
export const FOLDER = "explored";
export const EXPLORER_FILE = `${FOLDER}/explorer.js`;

let names: Unit | undefined;

/** A file with the names of the explorer's exports, in place of it. */
export function explorerNames(): Unit {
  const read = () => EXPORTS.map((name) => `export const ${name} = 0;`).join("\n");
  names ??= readUnits(EXPLORER_FILE, { read, root: FOLDER }, new LinkTime(EXPLORER_FILE))[0]!;
  return names;
}
