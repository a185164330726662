import { CountersignError } from "../../error.js";
import type { ObjectName } from "../../loaded/model/references.js";

/** An object by its kind and id, such as `program:72`. Throws USAGE for any other text. */
export function objectNamed(name: string): ObjectName {
  const [, kind, id] = /^(program|map|link):([1-9]\d{0,9})$/.exec(name) ?? [];
  if (kind === undefined || id === undefined || Number(id) > 0xffffffff)
    throw new CountersignError("USAGE", `\`${name}\` names no object`, {
      remedy: "write KIND:ID with KIND program, map or link, such as `program:72`",
    });
  return { kind: kind as ObjectName["kind"], id: Number(id) };
}
