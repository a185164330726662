import { appliedVerdict } from "../../engine/decision/combination.js";
import type { Mode } from "../../policy/model/mode.js";
import { currentSymbol, type Hook, returnPlace, subjectSymbol } from "./answer.js";
import { addHelper, call } from "./calls.js";
import { change } from "./change.js";
import { Asked, type GuestDenial } from "./decision.js";
import { isSubject, signer_of, verified, verify_program } from "./helpers.js";
import { isPlain } from "./members.js";
import { beginning, type Configuration, endOf, finish, notDecided } from "./path.js";
import { Sym, type Term, termOf } from "./term.js";
import { factArray } from "./unknown-fact.js";
import { settled } from "./values.js";

type End = ReturnType<typeof endOf>;

/** How many decisions a property may ask for with `decide`. */
const MOST_DECISIONS = 4;

/** Explores one path of a property of the decisions of a configuration. */
export function propertyEnd(property: unknown, configuration: Configuration, hooks: readonly Hook[]): End {
  const end = endOf(() => {
    if (typeof property !== "function")
      return finish({ kind: "property", holds: null, why: "it is no function", place: 0 });
    const asked = new Asked(configuration, hooks, currentSymbol());
    const helpers = new Helpers(asked, hooks);
    const given = [subjectSymbol(), currentSymbol(), decisionOf(asked, configuration.mode), helpers.offered()];
    const value = settled(call(0, property, given));
    const holds = typeof value === "boolean" ? value : null;
    const why = holds === null ? "it returns no boolean" : null;
    return finish({ kind: "property", holds, why, place: returnPlace() });
  });
  // A fault of the property itself: those of policies are answers
  if (end.kind !== "fault") return end;
  return { kind: "property", holds: null, why: `it fails: ${end.what}`, place: end.place };
}

class Helpers {
  readonly #others = new Map<unknown, Asked>();
  #decisions = 0;

  constructor(
    private readonly asked: Asked,
    private readonly hooks: readonly Hook[],
  ) {
    this.#others.set(currentSymbol(), asked);
  }

  /** The fourth argument of a property. */
  offered(): Sym {
    const functions = {
      verified: addHelper((prog: unknown, keyring: unknown) => {
        const keyrings = keyring === undefined ? beginning.keyrings : [keyring];
        return keyrings.some((name) => verified(verify_program(prog, name)));
      }),
      signer: addHelper((prog: unknown, keyring: unknown) => signer_of(prog, keyring, undefined, undefined)),
      change: addHelper(change),
      decide: addHelper((subject: unknown, current: unknown, options: unknown = {}) =>
        this.#decide(subject, current, options),
      ),
    };
    const offered = { keyrings: factArray([...beginning.keyrings]), ...functions };
    const fields = Object.entries(offered).map(([name, value]) => [name, () => value] as const);
    return made("the functions of a property", Object.fromEntries(fields));
  }

  #decide(subject: unknown, current: unknown, options: unknown): unknown {
    if (!isSubject(subject)) return notDecided("`decide` about another subject");
    const term = termOf(current);
    if (current !== currentSymbol() && !(term?.k === "lazy" && term.name === "current" && term.domains !== null))
      return notDecided("`decide` about another caller");
    if (!isPlain(options)) return notDecided("`decide` with options that are no object");
    const { mode = this.asked.configuration.mode, ...others } = options;
    if (Object.keys(others).length > 0) return notDecided("`decide` with options other than `mode`");
    if (mode !== "audit" && mode !== "enforce") return notDecided("`decide` with another mode");
    this.#decisions += 1;
    if (this.#decisions > MOST_DECISIONS) return notDecided("more than four calls of `decide`");
    let asked = this.#others.get(current);
    if (asked === undefined) {
      asked = new Asked(this.asked.configuration, this.hooks, current as Sym);
      this.#others.set(current, asked);
    }
    return decisionOf(asked, mode);
  }
}

/** A decision as a property sees it. Attachments are asked when what it reads depends on them. */
function decisionOf(asked: Asked, mode: Mode): Sym {
  const denial = () => asked.denial();
  let answers: readonly unknown[] | null = null;
  return made("a decision", {
    mode: () => mode,
    enforced_verdict: () => denial()?.verdict ?? 0,
    verdict: () => appliedVerdict(mode, denial()?.verdict ?? 0),
    attachment: () => denial()?.attachment?.name ?? null,
    reason: () => reasonOf(denial()),
    fault: () => denial()?.fault?.code ?? null,
    answers: () => {
      answers ??= answersOf(asked);
      return answers;
    },
  });
}

function answersOf(asked: Asked): readonly Sym[] {
  const answers = asked.configuration.attachments.flatMap((_, index) => {
    const answer = asked.answer(index);
    if (answer === null) return [];
    const { attachment, verdict, fault } = answer;
    const fields = {
      attachment: () => attachment.name,
      mode: () => attachment.mode,
      verdict: () => verdict,
      reason: () => reasonOf(answer),
      fault: () => fault?.code ?? null,
    };
    return [made("an answer", fields)];
  });
  return factArray(answers);
}

function made(name: string, fields: Readonly<Record<string, () => unknown>>): Sym {
  return new Sym({ k: "lazy", name, fields, domains: null });
}

/** Maximum length of a reason, after which the sandbox cuts it. */
const MAX_REASON = 1024;

/** A reason that is not constant is cut if it is long, so that nothing is known about its end. */
function reasonOf(denial: Pick<GuestDenial, "reason"> | null): string | Sym | null {
  if (denial === null || denial.reason === null) return null;
  const parts: readonly (string | Term)[] = denial.reason;
  if (!parts.every((part) => typeof part === "string")) return new Sym({ k: "reason", parts });
  const text = parts.join("");
  return text.length <= MAX_REASON ? text : notDecided(`a reason that is longer than ${MAX_REASON} characters`);
}
