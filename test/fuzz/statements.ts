import canonicalize from "canonicalize";
import { notCovered, parseStatement, settingsOf, statementOf } from "../../src/bpf/statement.js";
import { damaged } from "../support/damage.js";
import { example } from "../support/examples.js";
import { type FuzzTarget, outcome } from "./target.js";

const LINE = "countersign statement 1\n";
const objects = ["exec-guard", "rate-limit", "switch-watch", "xdp-steer", "calm-tcp"].map(example);
const sources = objects.map((object) => statementOf(object));

/**
 * A statement as a store has it: damaged, or in canonical form with values of another place in it. Or one of a damaged
 * object: what is derived from it can be read, or the object is rejected.
 */
export const target: FuzzTarget = {
  rounds: 20_000,
  round(next) {
    if (next(4) === 0)
      return outcome(() => {
        const object = damaged(objects[next(objects.length)]!, next);
        if (outcome(() => statementOf(object)).startsWith("STATEMENT_")) throw new Error("blames the statement");
      });
    const { bytes, statement } = sources[next(sources.length)]!;
    const given =
      next(4) === 0 ? damaged(bytes, next) : Buffer.from(LINE + canonicalize(mixed(statement.content, next)));
    return outcome(() => {
      const { content } = parseStatement(given);
      if (!Buffer.from(LINE + canonicalize(content)).equals(given)) throw new Error("is not what it was read from");
      settingsOf(content);
      notCovered(content);
    });
  },
};

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

const STRANGE: readonly Json[] = [
  null,
  true,
  -1,
  0,
  1,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  0.5,
  "",
  "0",
  "AAAA",
  [],
  {},
  "\ud800",
];

/** A copy in which one to three values are exchanged for others of it, or for strange ones. */
function mixed(content: unknown, next: (below: number) => number): Json {
  const copy = structuredClone(content) as Json;
  const places: { readonly holder: { [name: string]: Json }; readonly name: string }[] = [];
  const collect = (value: Json): void => {
    if (typeof value !== "object" || value === null) return;
    for (const name of Object.keys(value)) {
      places.push({ holder: value as { [name: string]: Json }, name });
      collect((value as { [name: string]: Json })[name]!);
    }
  };
  collect(copy);
  for (let rounds = next(3); rounds >= 0; rounds--) {
    const { holder, name } = places[next(places.length)]!;
    const other = places[next(places.length)]!;
    const value = next(2) === 0 ? STRANGE[next(STRANGE.length)]! : (other.holder[other.name] ?? null);
    holder[name] = structuredClone(value);
  }
  return copy;
}
