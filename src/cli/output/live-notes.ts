import { oneLine } from "../../error.js";
import type { Checked, LiveDifference } from "./checked.js";

/** Whether an attachment's policy reads a fact. */
export type Reads = (attachment: string, fact: string) => boolean;

/**
 * The facts that can differ in a live load and that a policy which was asked reads: one line for each hook and set of
 * facts, with the subjects.
 */
export function liveNotes(checked: readonly Checked[], reads: Reads): string[] {
  const lines = KINDS.flatMap(({ title, factsOf }) => {
    const subjects = new Map<string, string[]>();
    for (const { file, differences } of checked)
      for (const difference of differences) {
        const { hook, subject, asked } = difference;
        const facts = factsOf(difference).filter((fact) => asked.some((attachment) => reads(attachment, fact)));
        if (facts.length === 0) continue;
        const key = `${title}: ${hook}: ${facts.map((fact) => SHOWN[fact] ?? fact).join(", ")}`;
        subjects.set(key, [...(subjects.get(key) ?? []), checked.length > 1 ? `${file} ${subject}` : subject]);
      }
    return [...subjects].map(([key, names]) => oneLine(`${key} (${listed(names)})`));
  });
  const commands = checked.some(({ differences }) => differences.some(({ hook }) => hook === "bpf"));
  return commands ? [...lines, OTHER_COMMANDS] : lines;
}

const KINDS: readonly { title: string; factsOf: (difference: LiveDifference) => readonly string[] }[] = [
  { title: "unknown offline", factsOf: ({ unknown }) => unknown },
  { title: "null at a live load", factsOf: ({ offlineOnly }) => offlineOnly },
];

/** Facts of which only a part is unknown. */
const SHOWN: Readonly<Record<string, string>> = { statements: "settings of statements" };

const OTHER_COMMANDS =
  "unknown offline: bpf: commands that depend on the loader, such as probes, BPF_BTF_LOAD, BPF_MAP_UPDATE_ELEM, " +
  "pins and links";

/** Maximum number of names in a line. */
const MAX_NAMES = 4;

function listed(names: readonly string[]): string {
  const more = names.length - MAX_NAMES;
  return more <= 0 ? names.join(", ") : `${names.slice(0, MAX_NAMES).join(", ")} and ${more} more`;
}
