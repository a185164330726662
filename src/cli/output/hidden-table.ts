import { type Comparison, type HiddenObject, SIGHTS, type Sight } from "../../loaded/hidden/hidden-object.js";
import { visibleText } from "../../visible-text.js";
import type { TitledTable } from "./table.js";

/** What some views of the kernel hide. */
export function hiddenTable({ hidden }: Comparison): TitledTable {
  const rows = hidden.map(({ kind, id, name, tag, seenBy, notSeenBy }) => [
    id === null ? kind : `${kind} ${id}`,
    ...[name === null ? "-" : visibleText(name), tag ?? "-"],
    ...[wordsOf(seenBy), wordsOf(notSeenBy)],
  ]);
  return { title: "What hides", head: ["HIDDEN", "NAME", "TAG", "SEEN BY", "NOT SEEN BY"], rows, below: [] };
}

const wordsOf = (sights: readonly Sight[]) => sights.map((sight) => SIGHTS[sight]).join(", ");

/** What the comparison left out, a line each. */
export function comparedNotes({ untried, unread, taints }: Comparison): readonly string[] {
  return [
    ...untried.map(({ kind, upTo }) => `${kind} ids up to ${upTo} were not tried one by one: --deep tries all`),
    ...(taints === ""
      ? []
      : [`the kernel is tainted (${taints}) by a module that went, or that hides: no listed one is`]),
    ...unread.map(({ sight, reason }) => `not compared with ${SIGHTS[sight]}: ${reason}`),
  ];
}

export function hiddenLine({ kind, id, name, tag, seenBy, notSeenBy }: HiddenObject): object {
  return { kind: "hidden", object: kind, id, name, tag, seen_by: seenBy, not_seen_by: notSeenBy };
}

export function comparedLine({ untried, unread, taints }: Comparison): object {
  const ids = untried.map(({ kind, upTo }) => ({ object: kind, up_to: upTo }));
  return { kind: "compared", untried: ids, unread, unexplained_taints: taints };
}
