import { basename, dirname, resolve } from "node:path";
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
  const folder = dirname(resolve(path));
  const texts = new Map<string, string>();
  const read = (name: string) => {
    const text = texts.get(name) ?? readText(resolve(folder, name), MAX_BYTES);
    texts.set(name, text);
    return text;
  };
  const files: Files = { read, root: "." };
  const exported = [...readUnits(file, files, new LinkTime(file)).at(-1)!.exports.keys()];
  if (exported.length > 0) return exported.map((name) => ({ file, files, name }));
  throw new CountersignError("PROPERTY_INVALID", "exports no property", {
    place: path,
    remedy: "export a function: export const name = (prog, current, decision) => decision.verdict === 0",
  });
}
