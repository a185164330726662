import { CountersignError } from "../../error.js";
import { SET_NAMES } from "../kernel/modules/module-sets.js";

/** A kind of choice, how it is written, and what root can still do with modules under it. */
interface Choice {
  readonly written: string;
  readonly leavesOpen: string;
}

/**
 * The choices of `--modules`. The kernel copies a module's parameters after the last hook, so that no guard can judge
 * them (load_module() of kernel/module/main.c).
 */
export const CHOICES = {
  "all-signed": {
    written: "all-signed",
    leavesOpen:
      "each module that a key of the kernel signed loads with any parameters, but those that are always denied, such " +
      "as arc_rimi; another one that writes memory by a parameter undoes the seal",
  },
  list: {
    written: "FILE",
    leavesOpen:
      "each listed module loads with any parameters; one that writes memory by a parameter, and is not always " +
      "denied, undoes the seal",
  },
  present: {
    written: `present, or present+SET with sets of ${SET_NAMES.join(", ")}`,
    leavesOpen:
      "what this machine needs now loads with any parameters; what it needs later is denied, unless a set or FILE " +
      "has it",
  },
  "by-ticket": {
    written: "by-ticket, alone or beside FILE and present",
    leavesOpen:
      "what the policies of the agent allow loads with the parameters that they allowed, of which root can change " +
      "those that are writable in /sys/module; listed modules load with any parameters",
  },
} as const satisfies Readonly<Record<string, Choice>>;

/** Names, modules and folders of modules that are listed. */
export interface NamedModules {
  readonly kind: "list";
  /** Whether the agent may load modules that are not listed. */
  readonly byTicket: boolean;
  /** Whether those that the machine has now are listed. */
  readonly present: boolean;
  /** Of SET_NAMES, beside those of the machine. */
  readonly sets: readonly string[];
  readonly files: readonly string[];
}

export type ModuleChoice = { readonly kind: "all-signed" } | NamedModules;

/** The title of a choice, and what it leaves open. */
export function leavesOpen(choice: ModuleChoice): string {
  if (choice.kind === "all-signed") return CHOICES["all-signed"].leavesOpen;
  if (choice.byTicket) return CHOICES["by-ticket"].leavesOpen;
  return choice.present ? CHOICES.present.leavesOpen : CHOICES.list.leavesOpen;
}

/** Requires a choice. Throws SEAL_MODULES_UNCHOSEN, whose remedy has all choices and what each leaves open. */
export function requireChoice(values: readonly string[] | undefined): readonly string[] {
  if (values !== undefined) return values;
  const choices = Object.values(CHOICES).map((each) => `\`${each.written}\`: ${each.leavesOpen}`);
  throw new CountersignError("SEAL_MODULES_UNCHOSEN", "nothing says which kernel modules may be loaded", {
    place: "--modules",
    remedy: `choose one, as \`countersign seal plan\` proposes: ${choices.join(". ")}`,
  });
}

/**
 * Reads the values of `--modules`: `all-signed` alone; otherwise `present`, with sets, files that add to it, and
 * `by-ticket` for modules that are not listed. Throws USAGE.
 */
export function moduleChoice(values: readonly string[]): ModuleChoice {
  if (values.includes("all-signed")) {
    if (values.length === 1) return { kind: "all-signed" };
    throw usage("with `all-signed` no module is denied, and with another choice some are", "leave one of them out");
  }
  const presents = values.filter((value) => /^present(?:\+|$)/.test(value));
  const sets = presents.flatMap((value) => value.split("+").slice(1));
  const unknown = sets.find((set) => !SET_NAMES.includes(set));
  if (unknown !== undefined) throw usage(`there is no set \`${unknown}\``, `use sets of ${SET_NAMES.join(", ")}`);
  const byTicket = values.includes("by-ticket");
  const files = values.filter((value) => value !== "by-ticket" && !presents.includes(value));
  return { kind: "list", byTicket, present: presents.length > 0, sets: [...new Set(sets)], files };
}

function usage(message: string, remedy: string): CountersignError {
  return new CountersignError("USAGE", message, { place: "--modules", remedy });
}
