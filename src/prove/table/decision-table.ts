import { dirname, posix, resolve } from "node:path";
import type { AttachmentConfig, Config } from "../../config/config.js";
import { FileCache } from "../../engine/load/file-cache.js";
import { Loader } from "../../engine/load/loader.js";
import { MAX_POLICY, refuseLeaving } from "../../engine/load/policy-path.js";
import { type HookName, hookRow, SUBJECT_KINDS } from "../../hooks/catalogue.js";
import { Domain } from "../../policy/domain.js";
import type { LinkedPolicy } from "../../policy/linker/linker.js";
import { type ExplorationLimits, explore, type Path } from "../explorer/exploration.js";
import { type Ask, type Confirmation, confirm } from "../witness/confirmed-path.js";
import { engineAnswer } from "../witness/engine-answer.js";
import { conditionWords, failureWords, reasonWords, verdictWords } from "./condition-words.js";
import { mergedPaths } from "./merged-paths.js";

/** Ways through a policy that end in the same way, in words. */
export interface DecisionRow {
  /** All of them hold. */
  readonly conditions: readonly string[];
  readonly result: "allow" | "deny" | "fault" | "not decided";
  /** `0`, `-EPERM`, or the result of which helper; null after a fault and if it is not decided. */
  readonly verdict: string | null;
  /** The reason of a denial, the fault, or why it is not decided. */
  readonly reason: string | null;
  /** `file:line`; null if it is not known. */
  readonly place: string | null;
}

/** The answers of an attachment at a hook. Each input is on exactly one row, unless `unfinished` says why not. */
export interface DecisionTable {
  readonly attachment: string;
  readonly hook: HookName;
  readonly policy: string;
  readonly digest: string;
  readonly mode: AttachmentConfig["mode"];
  readonly on_fault: AttachmentConfig["onFault"];
  readonly scope: AttachmentConfig["scope"];
  readonly rows: readonly DecisionRow[];
  /** Why there are inputs that are on no row; null if there are none. */
  readonly unfinished: string | null;
}

/** What every table assumes, for people. */
export const ASSUMPTIONS: readonly string[] = [
  "the facts about a program are right, and signatures are verified as the helpers say",
  "maps have any JSON values, also none",
  "no decision reaches a limit of its attachment (steps, memory, stack, time), and no attachment is suspended",
  "the task is in the attachment's scope",
];

/** The tables of attachments of a configuration, one for each hook, in order. Throws what an engine's start throws. */
export function* decisionTables(
  config: Config,
  attachments: readonly AttachmentConfig[],
  limits: ExplorationLimits,
): Generator<DecisionTable> {
  const files = new FileCache(null);
  const loader = new Loader(config, files);
  const linked = attachments.map((attachment) => loader.policy(attachment));
  const end = performance.now() + limits.timeout;
  for (const [index, attachment] of attachments.entries()) {
    const policy = linked[index]!;
    for (const hook of attachment.hooks ?? (policy.hooks as readonly HookName[])) {
      const timeout = Math.max(0, end - performance.now());
      yield tableOf(config, attachment, policy, hook, files, { ...limits, timeout });
    }
  }
}

function tableOf(
  config: Config,
  attachment: AttachmentConfig,
  policy: LinkedPolicy,
  hook: HookName,
  files: FileCache,
  bounds: ExplorationLimits,
): DecisionTable {
  const names = { keyrings: config.keyrings.map(({ name }) => name), maps: config.maps.map(({ name }) => name) };
  const { limits } = attachment;
  const read = (name: string) => {
    const path = resolve(dirname(resolve(config.file)), name);
    return files.text(path, MAX_POLICY, () => {
      if (name !== policy.file) refuseLeaving(dirname(attachment.policy), path, name);
    });
  };
  const exploration = explore(policy.file, { read, root: posix.dirname(policy.file) }, hook, names, limits, bounds);
  const domain = new Domain({ keyrings: names.keyrings, asksHost: true });
  const { argument } = SUBJECT_KINDS[hookRow(hook).subject];
  // The time of one decision says nothing here
  const patient = { ...limits, timeout: PATIENCE };
  const confirmations = new Map(
    exploration.paths.map((path) => {
      const ask: Ask = (input) => engineAnswer(domain, policy, patient, hook, input, argument, names);
      return [path, confirm(path, exploration, argument, ask)] as const;
    }),
  );
  const ends = new Map([...confirmations].map(([path, confirmation]) => [path, endOf(path, confirmation)] as const));
  const rows = mergedPaths(exploration, (path) => JSON.stringify(ends.get(path))).map(({ path, conditions }) => {
    return { conditions: conditions.map(conditionWords), ...ends.get(path)! };
  });
  domain.close();
  const { name, mode, onFault, scope } = attachment;
  const own = { attachment: name, hook, policy: policy.file, digest: policy.digest, mode, on_fault: onFault, scope };
  return { ...own, rows, unfinished: exploration.unfinished };
}

/** In milliseconds. */
const PATIENCE = 10_000;

/** A row without its conditions. */
function endOf({ end, place }: Path, confirmation: Confirmation): Omit<DecisionRow, "conditions"> {
  const undecided = (reason: string | null) => ({ result: "not decided", verdict: null, reason, place }) as const;
  if (confirmation.status === "contradicted") return undecided(`the prover is wrong here: ${confirmation.what}`);
  if (end.kind === "not decided") return undecided(failureWords(end));
  if (confirmation.status === "unconfirmed") return undecided("no example was found that the engine could decide");
  if (end.kind === "fault") return { result: "fault", verdict: null, reason: failureWords(end), place };
  const reason = end.reason === null ? null : reasonWords(end.reason);
  return { result: end.verdict === 0 ? "allow" : "deny", verdict: verdictWords(end.verdict), reason, place };
}
