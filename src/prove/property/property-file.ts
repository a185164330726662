import { basename, dirname, join } from "node:path";
import { CountersignError } from "../../error.js";
import { readText } from "../../input.js";
import { LinkTime } from "../../policy/syntax/link-time.js";
import { type Files, readUnits } from "../../policy/units/units.js";
import type { PropertySource } from "../explorer/rewritten-policy.js";

/** Maximum size of a file in bytes. */
const MAX_BYTES = 2 ** 20;

/**
 * The properties that a file exports, in order. Throws what linking a policy throws about its text, FILE_UNREADABLE,
 * and PROPERTY_INVALID if it exports nothing.
 */
export function propertiesOf(path: string): readonly PropertySource[] {
  const file = basename(path);
  const folder = join(dirname(path), "/").replace(/^\.\/$/, "");
  const texts = new Map<string, string>();
  const read = (name: string) => {
    const text = texts.get(name) ?? readText(`${folder}${name}`, MAX_BYTES);
    texts.set(name, text);
    return text;
  };
  const files: Files = { read, root: "." };
  const exported = exportsOf(file, files, folder);
  if (exported.length > 0) return exported.map((name) => ({ file, files, folder, name }));
  throw new CountersignError("PROPERTY_INVALID", "exports no property", {
    place: path,
    remedy: "export a function: export const name = (prog, current, decision) => decision.verdict === 0",
  });
}

/** The names that a file exports. Errors have their places with the folder in front. */
function exportsOf(file: string, files: Files, folder: string): readonly string[] {
  try {
    return [...readUnits(file, files, new LinkTime(file)).at(-1)!.exports.keys()];
  } catch (error) {
    if (!(error instanceof CountersignError) || error.place?.startsWith(folder) !== false) throw error;
    const { code, message, place, remedy, cause } = error;
    throw new CountersignError(code, message, { place: `${folder}${place}`, remedy, cause });
  }
}
