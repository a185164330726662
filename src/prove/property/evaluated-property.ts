import type { PolicyFiles } from "../../engine/load/loader.js";
import type { HookName } from "../../hooks/catalogue.js";
import { Domain } from "../../policy/domain.js";
import { type LinkedPolicy, linkPolicy } from "../../policy/linker/linker.js";
import type { Current } from "../../policy/model/current.js";
import { CONTAINER_DOMAINS, CURRENT_DOMAINS } from "../../policy/model/current-fields.js";
import type { Mode } from "../../policy/model/mode.js";
import type { Outcome } from "../../policy/model/outcome.js";
import { DEFAULT_LIMITS } from "../../sandbox/shared/limits.js";
import { engineAnswer } from "../witness/engine-answer.js";
import { type AskedConfiguration, type EngineDecision, engineDecision } from "../witness/engine-decision.js";
import type { Input } from "../witness/input.js";

/** What a property is for one input. */
export type Evaluation = {
  readonly decision: EngineDecision;
  /** The answers of the policies in all decisions that the property is about, and that of the property itself. */
  readonly outcomes: readonly Outcome[];
} & Truth;

/** `failure` says why a property is neither true nor false. */
type Truth = { readonly holds: boolean } | { readonly holds: null; readonly failure: string };

const ENTRY = "countersign-property-entry.js";
/** The name under which the entry asks for decisions; no map of a configuration has a space in its name. */
export const DECISIONS = "decide about";

/** A property, which a file exports under a name. */
export interface PropertyFiles extends PolicyFiles {
  readonly name: string;
}

/** A property that the sandbox evaluates for inputs, with the decisions of the engine. */
export class EvaluatedProperty {
  readonly name: string;
  /**
   * The entry, which calls the property, and its files, with objects that are no facts: reading a name that they do not
   * have gives undefined. For a witness, the sandbox evaluates the entry with facts, of which that is a fault.
   */
  readonly source: PolicyFiles;
  readonly #linked: LinkedPolicy;
  /** Of its own: while it asks for a decision, the sandbox of the policies is entered. */
  readonly #domain: Domain;

  constructor(
    private readonly policies: AskedConfiguration,
    private readonly hook: HookName,
    { file, files, name }: PropertyFiles,
  ) {
    this.#domain = new Domain({ keyrings: policies.names.keyrings, asksHost: true });
    const filesWith = (facts: string) => {
      const text = entryText(hook, file, name, policies.names.keyrings, facts);
      return { read: (path: string) => (path === ENTRY ? text : files.read(path)), root: files.root };
    };
    this.name = name;
    this.source = { file: ENTRY, files: filesWith(NO_FACTS) };
    this.#linked = linkPolicy(ENTRY, { ...filesWith(FACTS), hookNames: [hook], subjects: {} });
  }

  /** SHA-256 of the entry and the property as they were linked. */
  get digest(): string {
    return this.#linked.digest;
  }

  at(input: Input): Evaluation {
    const { policies, hook } = this;
    const decision = engineDecision(policies, hook, input);
    const outcomes = [...decision.outcomes.values()];
    const answer: Input["answer"] = (origin, key) => {
      if (origin.kind !== "lookup" || origin.map !== DECISIONS) return input.answer(origin, key);
      if (key === "") return seenBy(decision, policies.config.mode);
      const { changes, mode } = JSON.parse(key!) as { changes: Changes; mode: Mode | null };
      const other = { ...input, current: changed(input.current, changes) as Current };
      const its = mode ?? policies.config.mode;
      const further = engineDecision(policies, hook, other, its);
      outcomes.push(...further.outcomes.values());
      return seenBy(further, its);
    };
    const names = { ...policies.names, maps: [...policies.names.maps, DECISIONS] };
    const asked = { ...input, answer };
    const outcome = engineAnswer(this.#domain, this.#linked, LIMITS, hook, asked, names);
    return { ...truthOf(outcome), decision, outcomes: [...outcomes, outcome] };
  }

  close(): void {
    this.#domain.close();
  }
}

const LIMITS = { ...DEFAULT_LIMITS, steps: 10 * DEFAULT_LIMITS.steps, timeout: 10_000 };
const NO_BOOLEAN = -2;

function truthOf({ fault, verdict }: Outcome): Truth {
  if (fault !== null) return { holds: null, failure: `it fails: ${fault.message}` };
  return verdict === NO_BOOLEAN ? { holds: null, failure: "it returns no boolean" } : { holds: verdict === 0 };
}

/** A decision as a property sees it: as prove/guest/property.ts makes it of symbols. */
function seenBy({ result, outcomes }: EngineDecision, mode: Mode): object {
  const { denied_by: denied } = result;
  const denying = denied === null || denied.attachment === null ? undefined : outcomes.get(denied.attachment);
  return {
    mode,
    verdict: result.verdict,
    enforced_verdict: result.enforced_verdict,
    attachment: denied?.attachment ?? null,
    reason: denying === undefined ? (denied?.reason ?? null) : denying.reason,
    fault: denying?.fault?.code ?? null,
    answers: result.answers.map(({ attachment, mode: own, verdict, fault }) => {
      const reason = verdict === 0 ? null : (outcomes.get(attachment)?.reason ?? null);
      return { attachment, mode: own, verdict, reason, fault: fault?.code ?? null };
    }),
  };
}

/** Fields of the caller or its container that a property changed. */
type Changes = Readonly<Record<string, { readonly value: unknown } | { readonly changes: Changes }>>;

function changed(of: object | null, changes: Changes): object {
  const values = Object.entries(changes).map(([name, change]) => {
    if ("value" in change) return [name, change.value];
    return [name, changed((of as Readonly<Record<string, object>>)[name] ?? null, change.changes)];
  });
  return { ...of, ...Object.fromEntries(values) };
}

/**
 * Functions of the entry that give objects and arrays the prototype of the caller's facts, so that reading a name that
 * does not exist is the fault UNKNOWN_FACT.
 */
const FACTS = `const facts = (value, like) => Object.freeze(Object.setPrototypeOf(value, Object.getPrototypeOf(like)));
const seen = (decision, current) => {
  for (const answer of decision.answers) facts(answer, current);
  facts(decision.answers, current.capabilities);
  return facts(decision, current);
};`;
const NO_FACTS = "const facts = (value) => value;\nconst seen = (decision) => decision;";

/** A policy that returns 0 if the property holds. */
function entryText(hook: string, file: string, name: string, keyrings: readonly string[], facts: string): string {
  return `import { map_lookup, signer_of, verify_program } from "countersign";
import { ${name} as property } from ${JSON.stringify(`./${file}`)};
const CURRENT = ${JSON.stringify(Object.keys(CURRENT_DOMAINS))};
const CONTAINER = ${JSON.stringify(Object.keys(CONTAINER_DOMAINS))};
const keyrings = ${JSON.stringify(keyrings)};
${facts}
const verified = (prog, keyring) =>
  (keyring === undefined ? keyrings : [keyring]).some((name) => verify_program(prog, name) === 0);
export const ${hook} = (subject, current) => {
  let all = null;
  const changes = () => {
    if (all === null) all = new Map();
    return all;
  };
  const change = (value, wanted) => {
    if (value === null || typeof value !== "object") throw new TypeError("change: no object");
    const names = "labels" in value ? CONTAINER : CURRENT;
    const its = {};
    for (const name of names) its[name] = Object.hasOwn(wanted, name) ? wanted[name] : value[name];
    const own = { ...changes().get(value) };
    for (const [name, one] of Object.entries(wanted)) {
      if (!names.includes(name)) throw new TypeError("change: no field " + name);
      own[name] = changes().has(one) ? { changes: changes().get(one) } : { value: one };
    }
    changes().set(its, own);
    return facts(its, current);
  };
  const decide = (_, of, { mode = null } = {}) =>
    seen(map_lookup("${DECISIONS}", JSON.stringify({ changes: changes().get(of) ?? {}, mode })), current);
  const offered = {
    keyrings: facts(${JSON.stringify(keyrings)}, current.capabilities),
    verified,
    signer: (prog, keyring) => signer_of(prog, keyring),
    change,
    decide,
  };
  const holds = property(subject, current, seen(map_lookup("${DECISIONS}", ""), current), facts(offered, current));
  return holds === true ? 0 : holds === false ? -1 : ${NO_BOOLEAN};
};
`;
}
