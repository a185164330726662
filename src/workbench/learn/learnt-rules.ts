import { EFFECTS, type EffectName } from "../../bpf/model/facts.js";
import type { LearnBy } from "./learn-by.js";
import { order } from "./order.js";
import type { SeenProgram } from "./seen-program.js";

/** What a program must have to be allowed. */
export type Condition =
  | { readonly by: "statement"; readonly keyring: string; readonly sha256: string; readonly name: string }
  | { readonly by: "signer"; readonly keyring: string; readonly signer: string }
  | { readonly by: "digest"; readonly type: string; readonly digest: string }
  | { readonly by: "effects"; readonly type: string; readonly effects: readonly EffectName[] };

/** A condition, and what was seen that has it. Lists are sorted. */
export interface LearntRule {
  readonly condition: Condition;
  /** The type of one of the programs. */
  readonly type: string;
  readonly programs: readonly string[];
  /** Places, see `placeOf`; empty if programs are learnt for all tasks together. */
  readonly where: readonly string[];
  /** Of a digest: the kernels on which it was seen, or by the list of an object, has it. */
  readonly kernels: readonly string[];
  /**
   * Of a digest that comes from the list of an object: that object. Otherwise it is known for the kernels seen only.
   */
  readonly object: string | null;
}

/** A digest of a program on some kernels, from its object. */
export interface ListedDigest {
  readonly digest: string;
  readonly kernels: readonly string[];
  readonly object: string;
}

/** The rules that allow these programs and no other, in the order of their keys. */
export function learntRules(programs: readonly SeenProgram[], by: LearnBy): readonly LearntRule[] {
  return merged(
    programs.flatMap((program) => {
      const { name, type, place, kernel } = program;
      const seen = { type, programs: [name], where: place === null ? [] : [place], object: null };
      return conditionsOf(program, by).map((condition): LearntRule => {
        const isDigest = condition.by === "digest" && kernel !== null;
        return { condition, ...seen, kernels: isDigest ? [kernel] : [] };
      });
    }),
  );
}

/**
 * The same rules, with each digest that `listed` knows replaced by the digests that the program has on other kernels.
 * `listed` returns an empty list for a digest that it does not know.
 */
export function relocatedRules(
  rules: readonly LearntRule[],
  listed: (type: string, digest: string) => readonly ListedDigest[],
): readonly LearntRule[] {
  return merged(
    rules.flatMap((rule) => {
      const { condition } = rule;
      if (condition.by !== "digest") return [rule];
      const digests = listed(condition.type, condition.digest);
      if (digests.length === 0) return [rule];
      return digests.map(({ digest, kernels, object }) => {
        return { ...rule, condition: { ...condition, digest }, kernels, object };
      });
    }),
  );
}

/** Whether a rule holds for the kernels only on which its digest was seen. */
export function isForSeenKernels({ condition, object }: LearntRule): boolean {
  return condition.by === "digest" && object === null;
}

/** Whether a rule allows every program of its type: one that was seen may do anything, or could not be analysed. */
export function isForWholeType({ condition }: LearntRule): boolean {
  return condition.by === "effects" && condition.effects.length === EFFECTS.length;
}

/** The name of a condition, which differs from that of any other: names of keyrings and types have no spaces. */
export function keyOf(condition: Condition): string {
  switch (condition.by) {
    case "statement":
      return `statement ${condition.keyring} ${condition.sha256} ${condition.name}`;
    case "signer":
      return `signer ${condition.keyring} ${condition.signer}`;
    case "digest":
      return `digest ${condition.type} ${condition.digest}`;
    case "effects":
      return `effects ${condition.type} ${condition.effects.join(" ")}`;
  }
}

function conditionsOf({ type, digest, effects, statements }: SeenProgram, by: LearnBy): readonly Condition[] {
  if (by === "effects") return [{ by, type, effects }];
  const stated =
    by === "digest"
      ? []
      : statements.flatMap(({ keyring, sha256, name, signer }): Condition[] => {
          if (by === "statement") return [{ by, keyring, sha256, name }];
          return signer === null ? [] : [{ by: "signer", keyring, signer }];
        });
  return stated.length > 0 ? stated : [{ by: "digest", type, digest }];
}

/** One rule for each condition. */
function merged(rules: readonly LearntRule[]): readonly LearntRule[] {
  const groups = new Map<string, LearntRule[]>();
  for (const rule of rules) {
    const key = keyOf(rule.condition);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [rule]);
    else group.push(rule);
  }
  return [...groups]
    .sort(([a], [b]) => order(a, b))
    .map(([, group]) => {
      const all = (values: (rule: LearntRule) => readonly string[]) => [...new Set(group.flatMap(values))].sort(order);
      const types = all(({ type }) => [type]);
      const objects = all(({ object }) => (object === null ? [] : [object]));
      return {
        condition: group[0]!.condition,
        type: types[0]!,
        programs: all(({ programs }) => programs),
        where: all(({ where }) => where),
        kernels: all(({ kernels }) => kernels),
        object: objects[0] ?? null,
      };
    });
}
