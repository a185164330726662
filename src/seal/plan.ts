/** What becomes of each rule of a configuration when it is sealed: see {@link sealPlan}. */
import type { AttachmentConfig } from "../config/attachments.js";
import type { Config } from "../config/config.js";
import { CountersignError } from "../error.js";
import type { HookName } from "../hooks/catalogue.js";
import { configuredClasses, describeClass, describeMask } from "./classes.js";
import { whyKeyringChanges, whyNotInKernel } from "./plan/changing-keyring.js";
import { FILE_HOOKS, HOOK_MEANS, type Means, PROGRAM_HOOKS } from "./plan/means.js";

/** A hook, an attachment at one hook, a keyring, a class of `seal.admit`, or `seal.mask`. */
export interface PlanRow {
  readonly kind: "hook" | "attachment" | "keyring" | "class" | "mask";
  readonly name: string;
  /** The hook of an attachment; null for other rows. */
  readonly hook: HookName | null;
  readonly means: Means;
  readonly reason: string;
  /** What is denied although a rule may allow it; with an agent or without one, as the plan was asked for. */
  readonly denied: string;
}

/** What a plan needs of an engine with the configuration. */
export interface PlannedEngine {
  attached(): readonly { readonly name: string; readonly hooks: readonly HookName[] }[];
  /** Whether the text of an attachment's policy contains a word as the name of a property or in a string. */
  reads(attachment: string, word: string): boolean;
}

export interface PlanInput {
  readonly config: Config;
  readonly engine: PlannedEngine;
  /** By keyring, the subjects of certificates in its `trust` that may issue others. */
  readonly authorities: ReadonlyMap<string, readonly string[]>;
  /** Whether the machine has an agent (`seal initramfs --with-agent`). */
  readonly withAgent?: boolean;
}

/**
 * A row for each hook, then for each attachment at each of its hooks, each keyring, each class, and the mask. What it
 * says of a policy is read from its text, before any program is known; `seal build` asks the policy about each program.
 * Throws CONFIG_INVALID and SEAL_CLASS_EXCLUDED for a class that cannot be.
 */
export function sealPlan({ config, engine, authorities, withAgent = false }: PlanInput): readonly PlanRow[] {
  const attachments = engine.attached().flatMap(({ name, hooks }) => {
    const attachment = config.attachments.find((one) => one.name === name)!;
    return hooks.map((hook) => attachmentRow(config, engine, attachment, hook));
  });
  const hooks = (Object.keys(HOOK_MEANS) as HookName[]).map((hook) => {
    const own = attachments.filter((row) => row.hook === hook && row.means !== "none");
    return hookRow(config, hook, own);
  });
  const keyrings = config.keyrings.map((keyring): PlanRow => {
    const reason = whyNotInKernel(keyring, authorities.get(keyring.name) ?? []);
    const named = { kind: "keyring", name: keyring.name, hook: null } as const;
    if (reason === null)
      return {
        ...named,
        means: "signature",
        reason:
          "the kernel can judge as the keyring does, for programs without relocations: see signers.pem of seal build",
        denied: "programs that are not in the list",
      };
    const changing = whyKeyringChanges(keyring);
    return changing === null
      ? {
          ...named,
          means: "list",
          reason: `${reason}; the list has what it verifies`,
          denied: "programs that are not in the list",
        }
      : { ...named, means: "ticket", reason: changing, denied: "programs that need a signature by it" };
  });
  const rows = [...hooks, ...attachments, ...keyrings, ...classRows(config)];
  return withAgent ? rows.map(withTickets) : rows;
}

function classRows(config: Config): readonly PlanRow[] {
  const classes = configuredClasses(config);
  const rows = classes.admit.map((each): PlanRow => {
    const row = { kind: "class", name: each.name, hook: null, means: "class" } as const;
    return { ...row, reason: `${describeClass(each)}; no policy is asked`, denied: "nothing" };
  });
  const masked = describeMask(classes);
  if (masked === null) return rows;
  const mask: PlanRow = {
    kind: "mask",
    name: "mask",
    hook: null,
    means: "mask",
    reason: "whatever allows them",
    denied: masked,
  };
  return [...rows, mask];
}

/** What stays denied of a row with an agent, which writes tickets for tasks of its containers only. */
function withTickets(row: PlanRow): PlanRow {
  if (row.means !== "ticket") return row;
  const denied = DENIED_WITH_AGENT[(row.hook ?? row.name) as HookName];
  return { ...row, denied: denied ?? `${OUTSIDE}: programs that are not in the list` };
}

const OUTSIDE = "for tasks outside of the agent's containers";

const DENIED_WITH_AGENT: Readonly<Partial<Record<HookName, string>>> = {
  kernel_read_file: `without \`--modules by-ticket\` for all tasks, with it ${OUTSIDE}: modules that are not listed`,
  bprm_check_security: "executables that it does not allow for every task: there are no tickets for them",
};

/**
 * Requires that the guard enforces every rule of a configuration, if need be by denying more. Throws SEAL_IMPOSSIBLE
 * with the place of the first rule for which it would allow what the rule denies.
 */
export function requireSealable(config: Config, engine: PlannedEngine): void {
  for (const row of sealPlan({ config, engine, authorities: new Map() })) {
    if (row.means !== "cannot be sealed") continue;
    const attachment = config.attachments.find(({ name }) => row.kind === "attachment" && name === row.name);
    if (row.kind === "hook" && config.default[row.name as HookName] !== "deny") continue;
    const hook = row.hook ?? row.name;
    throw new CountersignError("SEAL_IMPOSSIBLE", `hook \`${hook}\` has a rule, and ${row.reason}`, {
      place: attachment?.place ?? config.file,
      remedy: "take the rule into a configuration for `run` or `agent`; `countersign seal plan` shows all rules",
    });
  }
}

/**
 * The kind of rule that a configuration has at a hook: an enforcing attachment, or only a default that denies. Null
 * without a rule.
 */
export function ruleAt(config: Config, engine: PlannedEngine, hook: HookName): "attachment" | "default" | null {
  const isEnforcing = (name: string) => config.attachments.find((one) => one.name === name)!.mode === "enforce";
  const attached = engine.attached().filter(({ hooks }) => hooks.includes(hook));
  if (attached.some(({ name }) => isEnforcing(name))) return "attachment";
  return config.default[hook] === "deny" ? "default" : null;
}

function hookRow(config: Config, hook: HookName, rules: readonly PlanRow[]): PlanRow {
  const row = { kind: "hook", name: hook, hook: null } as const;
  const isProgramHook = PROGRAM_HOOKS.includes(hook);
  const hasRule = rules.length > 0 || config.default[hook] === "deny";
  if (!hasRule && !isProgramHook && hook !== "bpf_token_create")
    return {
      ...row,
      means: "none",
      reason: "no attachment enforces, and the default does not deny",
      denied: "nothing",
    };
  const tickets = rules.filter(({ means }) => means === "ticket");
  if (tickets.length === 0) return { ...row, ...HOOK_MEANS[hook] };
  return {
    ...row,
    means: "ticket",
    reason: `${tickets.map(({ name }) => `\`${name}\``).join(", ")}: see below`,
    denied: `${subjectsOf(hook)} that these attachments do not allow for every task`,
  };
}

function attachmentRow(config: Config, engine: PlannedEngine, attachment: AttachmentConfig, hook: HookName): PlanRow {
  const row = { kind: "attachment", name: attachment.name, hook } as const;
  if (attachment.mode === "audit")
    return { ...row, means: "none", reason: "it is in audit, and never changes a verdict", denied: "nothing" };
  if (!PROGRAM_HOOKS.includes(hook) && !FILE_HOOKS.includes(hook)) return { ...row, ...HOOK_MEANS[hook] };
  const reason = whyTicket(config, engine, attachment, hook);
  return reason === null
    ? {
        ...row,
        means: "list",
        reason: "its policy sees only what the guard compares",
        denied: HOOK_MEANS[hook].denied,
      }
    : { ...row, means: "ticket", reason, denied: `${subjectsOf(hook)} that it does not allow for every task` };
}

function subjectsOf(hook: HookName): string {
  return PROGRAM_HOOKS.includes(hook) ? "programs" : SUBJECTS_OF_FILES[hook]!;
}

const SUBJECTS_OF_FILES: Readonly<Partial<Record<HookName, string>>> = {
  kernel_read_file: "kernel modules",
  bprm_check_security: "executables",
};

/** Facts about the calling task, which the guard cannot see (policy/model/current.ts). */
const TASK_FACTS = [
  "pid",
  "tid",
  "uid",
  "euid",
  "gid",
  "comm",
  "exe",
  "cgroup",
  "capabilities",
  "namespaces",
  "container",
];
/** Facts about a program that only the loader or the kernel's verifier knows; see build/visible-facts.ts. */
const LOADER_FACTS = ["license", "raw_insns", "section", "object", "kernel_signature", "kernel_keyring", "loaded"];

/** Facts about a file that the guard does not compare; see build/visible-facts.ts. */
const PLACE_FACTS = ["path", "name", "parameters"];

function whyTicket(
  config: Config,
  engine: PlannedEngine,
  { name, scope }: AttachmentConfig,
  hook: HookName,
): string | null {
  const scoped = Object.keys(scope);
  if (scoped.length > 0) return `its scope is by ${scoped.join(", ")}, which the guard cannot see`;
  const reads = (word: string) => engine.reads(name, word);
  const task = TASK_FACTS.find(reads);
  if (task !== undefined) return `its policy names \`${task}\`, a fact about the task`;
  const loader = (FILE_HOOKS.includes(hook) ? PLACE_FACTS : LOADER_FACTS).find(reads);
  if (loader !== undefined) return `its policy names \`${loader}\`, which the guard cannot compare`;
  if (reads("map_update") || reads("map_delete")) return "its policy writes to maps";
  const map = config.maps.find((one) => one.writable !== null && reads(one.name));
  if (map !== undefined) return `its policy names the map \`${map.name}\`, which can change`;
  for (const keyring of config.keyrings) {
    const changing = reads(keyring.name) ? whyKeyringChanges(keyring) : null;
    if (changing !== null) return `the keyring \`${keyring.name}\` ${changing}`;
  }
  return null;
}
