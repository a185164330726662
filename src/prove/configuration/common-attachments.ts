import type { HookName } from "../../hooks/catalogue.js";
import type { ConfiguredNames } from "../explorer/beginning.js";
import type { LoadedAttachment } from "../witness/loaded-attachments.js";

/** What two configurations have in common at a hook. */
export interface CommonAttachments {
  /** For each attachment, the number of its policy: those of the old configuration come first. */
  readonly hooks: { readonly old: readonly number[]; readonly new: readonly number[] };
  /** Attachments that both ask in the same way, as pairs of their numbers in ascending order. */
  readonly common: readonly (readonly [old: number, new: number])[];
}

interface Attachments {
  readonly names: ConfiguredNames;
  at(hook: HookName): readonly LoadedAttachment[];
}

export function commonAttachments(old: Attachments, its: Attachments, hook: HookName): CommonAttachments {
  const [before, after] = [old.at(hook), its.at(hook)];
  const numbers = { old: before.map((_, index) => index), new: after.map((_, index) => before.length + index) };
  // A policy that names what the other configuration does not have fails there
  if (JSON.stringify(old.names) !== JSON.stringify(its.names)) return { hooks: numbers, common: [] };
  const samePolicy = after.map((one) => before.findIndex((other) => policyOf(other) === policyOf(one)));
  const hooks = {
    ...numbers,
    new: numbers.new.map((number, index) => (samePolicy[index] === -1 ? number : samePolicy[index]!)),
  };
  const common: [number, number][] = [];
  for (const [index, one] of after.entries()) {
    const [last = -1] = common.at(-1) ?? [];
    const at = before.findIndex((other, number) => number > last && wayOf(other) === wayOf(one));
    if (at !== -1) common.push([at, index]);
  }
  return { hooks, common };
}

/** What a policy's answer depends on, apart from what it is asked about. */
function policyOf({ policy: { file, digest }, attachment: { limits } }: LoadedAttachment): string {
  return JSON.stringify([file, digest, limits]);
}

/** What the contribution of an attachment to a decision depends on. */
function wayOf(placed: LoadedAttachment): string {
  const { name, mode, onFault, scope } = placed.attachment;
  return JSON.stringify([policyOf(placed), name, mode, onFault, scope]);
}
