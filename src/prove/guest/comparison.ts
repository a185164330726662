import { Combination } from "../../engine/decision/combination.js";
import { hasUnknown } from "../shared/atom.js";
import { comparedVerdicts } from "../shared/compared-verdicts.js";
import type { Hook } from "./answer.js";
import { Asked, enforced, type GuestAnswer } from "./decision.js";
import { isEqual } from "./operators.js";
import { type ComparedConfiguration, type Configuration, type ConfiguredNames, endOf, finish } from "./path.js";
import { partsOf, type Sym } from "./term.js";

type End = ReturnType<typeof endOf>;

/**
 * How a path ends on which two configurations decide about the same subject and caller. Attachments that both ask in
 * the same way are asked only if the others make a difference.
 */
export function comparisonEnd(
  old: Configuration,
  its: ComparedConfiguration,
  hooks: readonly Hook[],
  current: Sym,
): End {
  // One function can be the policy of both, and answers by the names that it is asked with
  const [known, knownByOther] = [new Map(), new Map()];
  const knownTo = { old: known, new: sameNames(old, its) ? known : knownByOther };
  const asked = (configuration: Configuration, which: "old" | "new") => {
    const own = its.hooks[which].map((number) => hooks[number]!);
    return new Asked(configuration, own, current, knownTo[which]);
  };
  return endOf(() => {
    const [one, other] = [asked(old, "old"), asked(its, "new")];
    if (old.mode === its.mode && old.default === its.default && othersAreSame(one, other, its))
      return finish({ kind: "comparison", decisions: null, isSame: true, place: 0 });
    const decisions = { old: enforced(one), new: enforced(other) };
    const [before, after] = comparedVerdicts<unknown>(
      { mode: old.mode, enforced: one.denial()?.verdict ?? 0 },
      { mode: its.mode, enforced: other.denial()?.verdict ?? 0 },
    );
    return finish({ kind: "comparison", decisions, isSame: isEqual(before, after, true), place: 0 });
  });
}

function sameNames(old: ConfiguredNames, its: ConfiguredNames): boolean {
  const names = ({ keyrings, maps, known }: ConfiguredNames) => JSON.stringify([keyrings, maps, known]);
  return names(old) === names(its);
}

/** Whether the attachments between those that both have contribute the same to the decision. */
function othersAreSame(old: Asked, its: Asked, { common, comparesReasons }: ComparedConfiguration): boolean {
  const end = [old, its].map(({ configuration }) => configuration.attachments.length) as [number, number];
  let [from, to] = [0, 0];
  for (const [one, other] of [...common, end]) {
    const [before, after] = [part(old, from, one), part(its, to, other)];
    if (before.isAnswered !== after.isAnswered) return false;
    if (!isEqual(before.denial?.verdict ?? 0, after.denial?.verdict ?? 0, true)) return false;
    if (comparesReasons && reasonOf(before.denial) !== reasonOf(after.denial)) return false;
    [from, to] = [one + 1, other + 1];
  }
  return true;
}

/** What some attachments, one after the other, contribute: the first denial, and whether any of them answered. */
function part(asked: Asked, from: number, to: number): { denial: GuestAnswer | null; isAnswered: boolean } {
  const combination = new Combination<GuestAnswer>();
  let isAnswered = false;
  for (let index = from; index < to; index++) {
    const { mode } = asked.configuration.attachments[index]!;
    const answer = combination.canChange(mode) ? asked.answer(index) : null;
    if (answer === null) continue;
    isAnswered ||= answer.fault === null;
    combination.add(mode, answer.verdict === 0 ? null : answer, answer.fault !== null);
  }
  // A denial is decided, whoever answers after it
  return { denial: combination.deniedBy, isAnswered: isAnswered && combination.deniedBy === null };
}

function reasonOf(denial: GuestAnswer | null): string | null {
  if (denial === null) return null;
  const { attachment, reason, fault } = denial;
  const parts = reason && partsOf(reason);
  const its = parts !== null && hasUnknown(parts) ? numberOf(reason!) : parts;
  return JSON.stringify([attachment.name, its, fault?.code ?? null]);
}

const numbers = new WeakMap<object, number>();
let highest = 0;

/** Reasons of which something is not known are the same only if one call of `deny` gave both. */
function numberOf(reason: object): number {
  if (!numbers.has(reason)) numbers.set(reason, ++highest);
  return numbers.get(reason)!;
}
