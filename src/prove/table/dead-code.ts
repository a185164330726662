import { dirname, relative, resolve } from "node:path";
import type { AttachmentConfig } from "../../config/attachments.js";
import { HOOK_NAMES } from "../../hooks/catalogue.js";
import { linkPolicy } from "../../policy/linker/linker.js";
import type { Point } from "../../policy/linker/points.js";
import type { PlacedPolicies } from "../configuration/placed-policies.js";
import { type ExplorationLimits, explore } from "../explorer/exploration.js";
import type { LimitName } from "../shared/reached-limit.js";
import { confirm } from "../witness/confirmed-path.js";
import { engineAnswer } from "../witness/engine-answer.js";
import type { LoadedAttachment } from "../witness/loaded-attachments.js";
import { deadKeys } from "./dead-keys.js";
import { type DeadScope, deadScope } from "./dead-scope.js";
import { doubtOf } from "./decision-table.js";

/** A place of a policy that no decision reaches. */
export interface DeadPlace {
  /** Relative to the working directory. Lines and columns count from 1. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The branch that is never taken, such as `condition is false`; null for a statement. */
  readonly branch: string | null;
}

/** A key that a policy looks up, of which a map has no entry and can get none. */
export interface DeadKey extends Pick<DeadPlace, "file" | "line" | "column"> {
  readonly map: string;
  readonly key: string;
}

/** The dead code of an attachment's policy, in this configuration. */
export interface DeadCode {
  readonly attachment: string;
  /** Which tasks its scope can never match; null if it can match some, or if that is not decided. */
  readonly scope: DeadScope | null;
  /** The place of the attachment in the configuration, `file:line:column`. */
  readonly place: string;
  readonly keys: readonly DeadKey[];
  /** None if it is not known. */
  readonly places: readonly DeadPlace[];
  /** Why it is not known which code is dead; null if it is. */
  readonly unknown: string | null;
  /** The limit of the exploration that was reached; null if something else is the reason, and if it is known. */
  readonly limit: LimitName | null;
}

/** In milliseconds. */
const PATIENCE = 10_000;

/**
 * The dead code of each attachment. Code is dead if no path at any hook of the attachment reaches it, which the policy
 * itself shows, in the sandbox of the engine, for an example of each path: on a path, it takes the same branches for
 * all inputs. If any path is not decided, or has no example, nothing is known of it; scopes and keys of maps are
 * examined by themselves.
 */
export function* deadCode(
  policies: PlacedPolicies,
  isChosen: (attachment: AttachmentConfig) => boolean,
  limits: ExplorationLimits,
): Generator<DeadCode> {
  const end = performance.now() + limits.timeout;
  for (const placed of policies.placed)
    if (isChosen(placed.attachment))
      yield deadIn(policies, placed, { ...limits, timeout: Math.max(0, end - performance.now()) });
}

function deadIn(policies: PlacedPolicies, placed: LoadedAttachment, bounds: ExplorationLimits): DeadCode {
  const { attachment, policy, source, hooks } = placed;
  const marked = linkPolicy(policy.file, { ...source.files, hookNames: HOOK_NAMES, marksFor: "coverage" });
  const limits = { ...attachment.limits, timeout: PATIENCE };
  const end = performance.now() + bounds.timeout;
  const left = () => ({ ...bounds, timeout: Math.max(0, end - performance.now()) });
  const reached = new Set<number>();
  const folder = dirname(resolve(policies.config.file));
  const found = {
    attachment: attachment.name,
    scope: deadScope(attachment.scope, left()),
    place: attachment.place,
    keys: deadKeys(source, policies.config).map(({ place, map, key }) => ({ ...placedIn(folder, place), map, key })),
  };
  const none = (unknown: string, limit: LimitName | null): DeadCode => ({ ...found, places: [], unknown, limit });
  for (const hook of hooks) {
    const exploration = explore(source, hook, policies.names, attachment.limits, left());
    const { unfinished, hasLoops } = exploration;
    if (unfinished !== null) return none(`${hook}: ${unfinished.words}`, unfinished.limit);
    if (hasLoops) return none(`${hook}: a loop over a list that is not known`, null);
    for (const path of exploration.paths) {
      const confirmation = confirm(path, exploration, (input) =>
        engineAnswer(policies.domain, marked, limits, hook, input, policies.names, (point) => reached.add(point)),
      );
      const doubt = doubtOf(path.end, confirmation);
      if (doubt !== null) return none(`${hook}: ${path.place === null ? "" : `${path.place}: `}${doubt}`, null);
    }
  }
  return { ...found, places: unreached(marked.points, reached, folder), unknown: null, limit: null };
}

/** `place` is `file:line:column`, relative to a folder. */
function placedIn(folder: string, place: string): Pick<DeadPlace, "file" | "line" | "column"> {
  const [, file = place, line, column] = /^(.*):(\d+):(\d+)$/.exec(place) ?? [];
  return { file: relative("", resolve(folder, file)), line: Number(line), column: Number(column) };
}

/** The places that are not reached. Branches on a line that is not reached itself are left out. */
function unreached(points: readonly Point[], reached: ReadonlySet<number>, folder: string): readonly DeadPlace[] {
  const lineOf = ({ file, line }: Point) => `${file}:${line}`;
  const statements = points.flatMap((point, number) => (point.branch === null ? [{ point, number }] : []));
  const live = new Set(statements.filter(({ number }) => reached.has(number)).map(({ point }) => lineOf(point)));
  const dead = new Set(statements.map(({ point }) => lineOf(point)).filter((line) => !live.has(line)));
  const shown = new Set<string>();
  return points.flatMap((point, number) => {
    const { file, line, column, branch } = point;
    if (reached.has(number) || point.returns === true) return [];
    const isOnDeadLine = dead.has(lineOf(point));
    // One entry for a line that is not reached
    if (isOnDeadLine && (branch !== null || shown.has(lineOf(point)))) return [];
    if (isOnDeadLine) shown.add(lineOf(point));
    return [{ file: relative("", resolve(folder, file)), line, column, branch: branch?.arm ?? null }];
  });
}
