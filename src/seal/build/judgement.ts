import type { AttachmentConfig } from "../../config/attachments.js";
import type { Config } from "../../config/config.js";
import type { HookName } from "../../hooks/catalogue.js";
import type { Answer, Decision } from "../../hooks/decision.js";
import type { Dependency } from "../../policy/model/outcome.js";
import { whyKeyringChanges } from "../plan/changing-keyring.js";
import { whyHidden } from "./visible-facts.js";

/**
 * What a decision says about every load with the same entry of the list, by any task and at any time: `allowed`,
 * `denied`, or `ticket` if that depends on the load, so that only an agent could decide. `dependencies` are what the
 * answers of all enforcing attachments depend on.
 */
export type Judgement =
  | { readonly kind: "allowed"; readonly dependencies: readonly Dependency[] }
  | { readonly kind: "denied" | "ticket"; readonly reason: string };

/** A decision about a program of a file for which every attachment was asked, whatever its scope. */
export interface AskedDecision {
  readonly decision: Decision;
  /** Names of facts whose values in a load cannot be known from the file. */
  readonly unknown: readonly string[];
  /** Names of facts that the file has, and that are null in a load. */
  readonly offlineOnly: readonly string[];
}

/**
 * Judges by the answers of enforcing attachments; those in audit change no verdict. `config` is the configuration with
 * its scopes: the engine was asked with one without scopes. An attachment with a scope can only deny more than is
 * denied without it, so its answer of 0 changes nothing inside or outside of the scope.
 */
export function judgementOf(config: Config, asked: AskedDecision): Judgement {
  const { hook, answers } = asked.decision;
  const enforcing = answers
    .filter(({ mode }) => mode === "enforce")
    .map((answer) => ({
      answer,
      attachment: config.attachments.find(({ name }) => name === answer.attachment)!,
      unstable: whyUnstable(config, answer, asked),
    }));
  const denial = enforcing.find(({ answer, attachment, unstable }) => {
    return answer.denial !== null && unstable === null && isForAll(attachment);
  });
  if (denial !== undefined) return { kind: "denied", reason: denied(denial.answer) };
  for (const { answer, attachment, unstable } of enforcing) {
    if (unstable !== null) return { kind: "ticket", reason: `\`${attachment.name}\` ${unstable}` };
    if (answer.denial !== null)
      return { kind: "ticket", reason: `${denied(answer)}, for tasks in its scope (${scopeOf(attachment)}) only` };
  }
  if (config.default[hook] === "deny" && !enforcing.some(({ attachment }) => isForAll(attachment)))
    return whyDefault(hook, enforcing.length);
  return { kind: "allowed", dependencies: enforcing.flatMap(({ answer }) => answer.dependencies ?? []) };
}

function whyDefault(hook: HookName, attachments: number): Judgement {
  return attachments === 0
    ? { kind: "denied", reason: `no attachment decides, and the default of ${hook} is deny` }
    : { kind: "ticket", reason: `the default of ${hook} denies it to tasks outside of all scopes` };
}

/** Why an answer does not hold for every load with the same entry; null if it does. */
function whyUnstable(config: Config, answer: Answer, asked: AskedDecision): string | null {
  if (answer.fault !== null) return `failed: ${answer.fault.message}`;
  if (answer.dependencies === undefined) return "was asked without a record of what it depends on";
  for (const dependency of answer.dependencies) {
    const why = whyChanging(config, dependency, asked);
    if (why !== null) return why;
  }
  return null;
}

function whyChanging(config: Config, { on, name }: Dependency, asked: AskedDecision): string | null {
  switch (on) {
    case "subject":
      return whyFactChanges(name, asked);
    case "current":
      return `reads \`current.${name}\`, which the guard cannot see`;
    case "map":
      return config.maps.find((map) => map.name === name)?.writable === null
        ? null
        : `reads the map \`${name}\`, which can change`;
    case "map write":
      return `writes to the map \`${name}\``;
    case "keyring": {
      const keyring = config.keyrings.find((one) => one.name === name);
      const why = keyring === undefined ? "is not configured" : whyKeyringChanges(keyring);
      return why === null ? null : `asks the keyring \`${name}\`, which ${why}`;
    }
    case "signature type":
    case "signer":
    case "bytes":
    case "unsigned":
    case "statement":
      return null;
  }
}

function whyFactChanges(path: string, { decision, unknown, offlineOnly }: AskedDecision): string | null {
  const fact = path.split(".")[0]!;
  const hidden = whyHidden(decision.hook, path);
  if (hidden !== null) return `reads \`${path}\`: ${hidden}`;
  if (offlineOnly.includes(fact)) return `reads \`${path}\`, which a load does not have`;
  return unknown.includes(fact) ? `reads \`${path}\`, which is not known before the load` : null;
}

function isForAll({ scope }: AttachmentConfig): boolean {
  return Object.keys(scope).length === 0;
}

function scopeOf({ scope }: AttachmentConfig): string {
  return Object.keys(scope).join(", ");
}

function denied({ denial }: Answer): string {
  return denial!.reason;
}
