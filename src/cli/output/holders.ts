import { keyOf, type ObjectName, type Reference } from "../../loaded/model/references.js";
import type { Scan } from "../../loaded/model/scan.js";
import { visibleText } from "../../visible-text.js";

/** At most this many holders are in one cell. */
const SHOWN = 3;

/**
 * Who keeps an object loaded, in words: processes and pins. What links and programs have is in other columns; without
 * any reference or attachment there is nothing visible.
 *
 * @param isAttached whether a target tells of it
 */
export function holders({ references }: Scan, object: ObjectName, isAttached = false): string {
  const all = references.get(keyOf(object)) ?? [];
  if (all.length === 0 && !isAttached) return "nothing visible";
  const words = wordsOfAll(all);
  const more = words.length - SHOWN;
  return `${words.slice(0, SHOWN).join(", ")}${more > 0 ? ` and ${more} more` : ""}` || "-";
}

/** All processes and pins that keep an object loaded, in words. */
export function allHolders({ references }: Scan, object: ObjectName): readonly string[] {
  return wordsOfAll(references.get(keyOf(object)) ?? []);
}

function wordsOfAll(references: readonly Reference[]): readonly string[] {
  return [...new Set(references.map(wordsOf).filter((text) => text !== null))];
}

function wordsOf(reference: Reference): string | null {
  if (reference.by === "pin") {
    const elsewhere = reference.mountNamespace === null ? "" : ` of mount namespace ${reference.mountNamespace}`;
    return visibleText(`${reference.path}${elsewhere}`);
  }
  if (reference.by !== "process") return null;
  const { pid, exe, unit, container } = reference;
  const name = exe?.split("/").at(-1) ?? "process";
  const owner = container === null ? unit : `container ${container.slice(0, 12)}`;
  return visibleText(`${name}[${pid}]${owner === null ? "" : ` of ${owner}`}`);
}
