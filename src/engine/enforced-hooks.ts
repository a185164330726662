import type { Config } from "../config/config.js";
import { CountersignError } from "../error.js";
import { HOOK_NAMES, type HookName, isUnenforcedByGate } from "../hooks/catalogue.js";
import type { Attached } from "./decision/engine.js";

/** A part of the configuration that needs a hook that the gate does not enforce. */
interface Unenforced {
  readonly hooks: readonly HookName[];
  readonly message: string;
  readonly place: string;
  /** The remedy other than adding the hook to `gate.not_enforced`. */
  readonly undo: string;
}

/**
 * Throws HOOK_NOT_ENFORCED for each attachment to a hook, and each default of `deny` or `audit` for a hook, that the
 * gate does not enforce and that `gate.not_enforced` does not name. Otherwise the gate would allow what the
 * configuration denies.
 */
export function requireEnforced({ file, default: defaults, gate }: Config, attached: readonly Attached[]): void {
  const missing = (hooks: readonly HookName[]) =>
    hooks.filter((hook) => isUnenforcedByGate(hook) && !gate.notEnforced.includes(hook));
  const found: Unenforced[] = attached.map(({ name, place, hooks }) => {
    const others = hooks.filter((hook) => !isUnenforcedByGate(hook));
    const undo =
      others.length === 0 ? `remove \`${name}\`` : `narrow \`${name}\` with \`hooks: [${others.join(", ")}]\``;
    const unenforced = missing(hooks);
    return { hooks: unenforced, message: `\`${name}\` is attached to ${unenforced.join(", ")}`, place, undo };
  });
  for (const rule of ["deny", "audit"]) {
    const hooks = missing(HOOK_NAMES.filter((hook) => defaults[hook] === rule));
    found.push({
      hooks,
      message: `the default is ${rule} for ${hooks.join(", ")}`,
      place: file,
      undo: "remove the default",
    });
  }

  const problems = found.filter(({ hooks }) => hooks.length > 0);
  if (problems.length === 0) return;
  const all = [...new Set(problems.flatMap(({ hooks }) => hooks))].join(", ");
  const what = problems.map((problem) => problem.message).join("; ");
  throw new CountersignError("HOOK_NOT_ENFORCED", `${what}, but the gate does not enforce ${all}`, {
    place: problems[0]!.place,
    remedy:
      `${problems.map(({ undo }) => undo).join("; ")}; or write \`not_enforced: [${all}]\` under \`gate\` to ` +
      "run without",
  });
}
