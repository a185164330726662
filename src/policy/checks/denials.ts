import type { AnyNode } from "acorn";
import { CountersignError } from "../../error.js";
import { REFUSALS } from "../../sandbox/shared/buffer-layout.js";
import { placeIn } from "../syntax/source.js";
import type { Wrap } from "../units/edits.js";
import { References } from "../units/references.js";
import type { Unit } from "../units/units.js";
import { type DroppedValues, droppedValues } from "./dropped.js";

/** Names in the linked text that no policy can spell; see assemble.ts. */
export interface DenialMarks {
  readonly integers: string;
  /** Function of the number of calls of `deny` before a call, and the call's return value. */
  readonly unused: string;
  /** Function that takes a callback whose return value is dropped, and returns one that checks that value. */
  readonly dropping: string;
}

/**
 * Places in one file where a value is dropped. Functions of the virtual module are left out: they cannot call `deny`.
 */
export interface Watched {
  readonly calls: readonly AnyNode[];
  /** Arguments of `forEach` and similar methods that are not function expressions. */
  readonly callbacks: readonly AnyNode[];
}

/**
 * Finds the calls and callbacks of each file whose value the policy drops, for {@link denialWraps}. Throws
 * POLICY_UNUSED_DENIAL for the first one that is a call of `deny` itself, under any name.
 */
export function droppedCalls(units: readonly Unit[]): readonly Watched[] {
  const references = new References(units);
  return units.map((unit, index) => {
    const dropped = droppedValues(unit.source, unit.variables);
    const guestName = (node: AnyNode): string | null => {
      const meaning = references.meaning(node, index);
      return meaning !== null && "guest" in meaning ? meaning.guest : null;
    };
    rejectDenials(unit, dropped, guestName);
    const calls = dropped.expressions.filter((node) => {
      const callee = calleeOf(node);
      return callee === null ? isMember(node) : callee.type !== "Super" && guestName(callee) === null;
    });
    const callbacks = dropped.callbacks.filter((node) => node.type !== "SpreadElement" && guestName(node) === null);
    return { calls, callbacks };
  });
}

/** Text around dropped calls, so that the guest checks their values and whether they called `deny`. Adds no lines. */
export function denialWraps({ calls, callbacks }: Watched, { integers, unused, dropping }: DenialMarks): Wrap[] {
  const call = { open: ` ${unused}(${integers}[${REFUSALS}],`, close: ")", isForNode: true } as const;
  const callback = { open: `${dropping}((`, close: "))", isForNode: true } as const;
  return [
    ...calls.map(({ start, end }) => ({ start, end, ...call })),
    ...callbacks.map(({ start, end }) => ({ start, end, ...callback })),
  ];
}

function rejectDenials({ source }: Unit, dropped: DroppedValues, guestName: (node: AnyNode) => string | null): void {
  const calls = [...dropped.expressions, ...dropped.conditions].filter((node) => {
    const callee = calleeOf(node);
    return callee !== null && guestName(callee) === "deny";
  });
  const found = [...calls, ...dropped.callbacks.filter((node) => guestName(node) === "deny")];
  if (found.length === 0) return;
  const first = found.reduce((one, other) => (other.start < one.start ? other : one));
  throw new CountersignError("POLICY_UNUSED_DENIAL", "the value of `deny` is not used here, so nothing is denied", {
    place: placeIn(source, first),
    remedy: "write `return deny(…)`",
  });
}

function calleeOf(node: AnyNode): AnyNode | null {
  switch (node.type) {
    case "ChainExpression":
      return calleeOf(node.expression);
    case "CallExpression":
      return node.callee;
    case "TaggedTemplateExpression":
      return node.tag;
    default:
      return null;
  }
}

/** Reading a member can call a getter. */
function isMember(node: AnyNode): boolean {
  return (
    node.type === "MemberExpression" || (node.type === "ChainExpression" && node.expression.type === "MemberExpression")
  );
}
