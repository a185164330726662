import type { Condition } from "../solver/condition.js";
import type { Knowledge } from "../solver/solver.js";
import type { Input } from "../witness/input.js";
import { SymbolValues } from "../witness/symbol-values.js";
import { type SignatureState, signatureStates, verdictIn } from "./signature-state.js";
import {
  isSignatureQuestion,
  itemOf,
  SIGNED_ITEMS,
  type SignatureQuestion,
  type SignedItem,
  signatureFact,
} from "./signed-item.js";

export type Signatures = ReadonlyMap<SignedItem, SignatureState>;

/** The most keyrings of one item, and combinations of states of all items, that are considered. */
const MOST_KEYRINGS = 4;
const MOST_COMBINATIONS = 20_000;

/**
 * How the parts of a witness are to be signed so that the conditions hold: as near to the answers of the model as real
 * signatures can be. Returns the nearest states if there are none with which all conditions hold.
 */
export function wantedSignatures(conditions: readonly Condition[], model: Input, knowledge: Explored): Signatures {
  const items = itemsOf(knowledge, model.subject);
  const choices = items.map(([item, questions]) => {
    const keyrings = [...new Set(questions.map(({ keyring }) => keyring))].slice(0, MOST_KEYRINGS);
    const states = signatureStates(item, keyrings).map((state) => ({ item, state }));
    const far = ({ state }: (typeof states)[number]) => distance(state, questions, model);
    return states.sort((one, other) => far(one) - far(other));
  });
  let nearest: Signatures | null = null;
  let tried = 0;
  for (const chosen of combined(choices)) {
    const states = new Map(chosen.map(({ item, state }) => [item, state] as const));
    nearest ??= states;
    if (tried++ > MOST_COMBINATIONS) break;
    if (new SymbolValues(withSignatures(model, states, knowledge.argument), knowledge).satisfy(conditions))
      return states;
  }
  return nearest ?? new Map();
}

type Explored = Pick<Knowledge, "argument" | "origins" | "symbols">;

/** What is asked about, and what the model has a signature of. */
function itemsOf(
  { origins, argument }: Explored,
  subject: object,
): readonly (readonly [SignedItem, readonly SignatureQuestion[]])[] {
  const items = new Map<SignedItem, SignatureQuestion[]>();
  for (const item of SIGNED_ITEMS) {
    const path = signatureFact(item, argument);
    if (path !== null && factAt(subject, path) instanceof Uint8Array) items.set(item, []);
  }
  for (const origin of origins.values()) {
    const item = isSignatureQuestion(origin) ? itemOf(origin) : null;
    if (item !== null) items.set(item, [...(items.get(item) ?? []), origin as SignatureQuestion]);
  }
  return [...items];
}

function factAt(subject: object, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, key) => (at as Readonly<Record<string, unknown>> | null)?.[key], subject);
}

/** How many answers of the model are others. */
function distance(state: SignatureState, questions: readonly SignatureQuestion[], model: Input): number {
  return questions.filter((one) => {
    if (one.kind !== "verify_program" && one.kind !== "verify_signature") return false;
    return model.answer(one, null) !== verdictIn(state, one.keyring);
  }).length;
}

/** One of each list, with the first ones first. */
function* combined<T>(lists: readonly (readonly T[])[]): Generator<readonly T[]> {
  const [first, ...others] = lists;
  if (first === undefined) yield [];
  else for (const one of first) for (const rest of combined(others)) yield [one, ...rest];
}

/** The model with these signatures: the answers of verifications, and the facts that have signatures. */
export function withSignatures(model: Input, signatures: Signatures, argument: string): Input {
  let { subject } = model;
  for (const [item, state] of signatures) {
    const path = signatureFact(item, argument);
    if (path !== null) subject = withFact(subject, path, state.kind === "none" ? null : SOME_SIGNATURE);
  }
  return {
    ...model,
    subject,
    answer(origin, key) {
      const item = isSignatureQuestion(origin) ? itemOf(origin) : null;
      const state = item === null ? undefined : signatures.get(item);
      const isVerdict = origin.kind === "verify_program" || origin.kind === "verify_signature";
      if (!isVerdict || state === undefined) return model.answer(origin, key);
      return verdictIn(state, origin.keyring);
    },
  };
}

/** Stands for a signature, of which the length is not known yet. */
const SOME_SIGNATURE = new Uint8Array(1);

function withFact(holder: object, [key, ...rest]: readonly string[], value: unknown): object {
  const held = (holder as Readonly<Record<string, unknown>>)[key!];
  if (rest.length === 0) return { ...holder, [key!]: value };
  return typeof held === "object" && held !== null ? { ...holder, [key!]: withFact(held, rest, value) } : holder;
}
