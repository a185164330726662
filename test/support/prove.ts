/** Policies that are explored in tests, and inputs drawn by chance for them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { VOCABULARY } from "../../src/engine/load/vocabulary.js";
import type { FactDomain } from "../../src/fact-type.js";
import { HOOK_NAMES, type HookName, hookRow } from "../../src/hooks/catalogue.js";
import { Domain } from "../../src/policy/domain.js";
import { type LinkedPolicy, linkPolicy } from "../../src/policy/linker/linker.js";
import type { Current } from "../../src/policy/model/current.js";
import { CURRENT_DOMAINS } from "../../src/policy/model/current-fields.js";
import type { NameKind } from "../../src/policy/model/vocabulary.js";
import { type Exploration, explore } from "../../src/prove/explorer/exploration.js";
import { RESULT_DOMAINS } from "../../src/prove/facts/declarations.js";
import { SUBJECT_DOMAINS } from "../../src/prove/facts/subject-domains.js";
import type { KnownMaps } from "../../src/prove/shared/known-maps.js";
import { confirm, difference, doubtFrom } from "../../src/prove/witness/confirmed-path.js";
import { engineAnswer } from "../../src/prove/witness/engine-answer.js";
import type { Input } from "../../src/prove/witness/input.js";
import { SymbolValues } from "../../src/prove/witness/symbol-values.js";
import { DEFAULT_LIMITS } from "../../src/sandbox/shared/limits.js";

export const NAMES = {
  keyrings: ["platform", "network"],
  maps: ["debug_read_only", "allowed_programs", "container_policy", "program_budget"],
};

export class ExploredPolicy {
  readonly linked: LinkedPolicy;
  readonly #domain = new Domain({ keyrings: NAMES.keyrings, asksHost: true });

  constructor(
    readonly file: string,
    private readonly texts: ReadonlyMap<string, string>,
  ) {
    this.linked = linkPolicy(file, { ...this.#files, hookNames: HOOK_NAMES });
  }

  /** A policy of this repository. */
  static shipped(name: string): ExploredPolicy {
    const path = join(import.meta.dirname, "../../policies", name);
    return new ExploredPolicy(name, new Map([[name, readFileSync(path, "utf8")]]));
  }

  /** A policy with this text; with only an expression, one whose hook returns it. */
  static of(text: string): ExploredPolicy {
    return new ExploredPolicy("policy.js", new Map([["policy.js", text]]));
  }

  get hooks(): readonly HookName[] {
    return this.linked.hooks as readonly HookName[];
  }

  get #files() {
    return { read: (name: string) => this.texts.get(name) ?? "", root: "." };
  }

  explore(hook: HookName, paths = 2_000, known: KnownMaps = {}): Exploration {
    const source = { file: this.file, files: this.#files };
    return explore(source, hook, { ...NAMES, known }, DEFAULT_LIMITS, { paths, timeout: 600_000 });
  }

  ask(hook: HookName, input: Input) {
    const limits = { ...DEFAULT_LIMITS, timeout: 10_000 };
    return engineAnswer(this.#domain, this.linked, limits, hook, input, NAMES);
  }

  /** The confirmation of each path of an exploration; `wrong` is what it says against a path that is decided. */
  confirmations(exploration: Exploration) {
    const { hook } = exploration;
    return exploration.paths.map((path) => {
      const confirmation = confirm(path, exploration, (input) => this.ask(hook, input));
      return {
        path,
        ...confirmation,
        wrong: path.end.kind === "not decided" ? null : (doubtFrom(confirmation)?.why ?? null),
      };
    });
  }

  /** What is wrong with the paths for an input: it must be on exactly one path, with the engine's answer. */
  flaw(exploration: Exploration, input: Input): string | null {
    const { hook, paths, knowledge } = exploration;
    const values = new SymbolValues(input, knowledge);
    const own = paths.filter(({ conditions }) => values.satisfy(conditions));
    const [path] = own;
    if (path === undefined || own.length !== 1) return `it is on ${own.length} paths`;
    return difference(path.end, values, this.ask(hook, input));
  }

  close(): void {
    this.#domain.close();
  }
}

/** More instructions would need too much memory. */
const MOST_INSNS = 100_000;
/** Instructions of all programs: nothing reads them but by their length. */
const INSNS = new Uint8Array(8 * MOST_INSNS);

type Next = (below: number) => number;

/** An input drawn by chance, also from the texts and numbers that the paths of a policy compare with. */
export function randomInput({ hook, paths }: Exploration, next: Next, constants = NO_CONSTANTS): Input {
  const texts = new Set([
    ...constants.texts,
    "",
    "a",
    "constructor",
    "toString",
    "__proto__",
    "0",
    "edge",
    "\ud800",
    "length",
  ]);
  const numbers = new Set([...constants.numbers, 0, 1, 2, 6, 128, 1000, 4096, 65_535, 2 ** 31, 2 ** 32 - 1]);
  for (const { conditions } of paths)
    for (const { atom } of conditions) {
      if ("text" in atom) for (const text of neighbours(atom.text)) texts.add(text);
      if (atom.kind === "number") for (const by of [-1, 0, 1]) numbers.add(Math.abs(Number(atom.term.constant)) + by);
    }
  return new Drawing(
    [...texts],
    [...numbers].filter((one) => one >= 0),
    next,
  ).input(hook);
}

/** A text and others from which parts are taken that equal it. */
function neighbours(text: string): string[] {
  return [text, `${text}x`, text.slice(1), `x${text}`, `${text}_x`, `/a/${text}`, ` ${text}\u00a0`, text.toUpperCase()];
}

/** Constants from which inputs are drawn, with their neighbours. */
export interface Constants {
  readonly texts: readonly string[];
  readonly numbers: readonly number[];
}

const NO_CONSTANTS: Constants = { texts: [], numbers: [] };

/** The constants that are written in the texts of policies, and their neighbours. */
export function constantsIn(...policies: readonly string[]): Constants {
  const whole = policies.join("\n");
  const quoted = Array.from(whole.matchAll(/"([^"\n]*)"|'([^'\n]*)'/g), ([, one, other]) => one ?? other!);
  const written = Array.from(whole.matchAll(/\b\d[\d_]*\b/g), ([digits]) => Number(digits.replaceAll("_", "")));
  return {
    texts: quoted.flatMap((text) => [text, `${text}x`, text.slice(1)]),
    numbers: written.flatMap((number) => [number - 1, number, number + 1]),
  };
}

class Drawing {
  readonly #answers = new Map<string, unknown>();

  constructor(
    private readonly texts: readonly string[],
    private readonly numbers: readonly number[],
    private readonly next: Next,
  ) {}

  input(hook: HookName): Input {
    const kind = hookRow(hook).subject;
    const subject = this.#facts(SUBJECT_DOMAINS[kind]);
    if (kind === "program") this.#consistent(subject, hook);
    const current = this.#facts(CURRENT_DOMAINS) as unknown as Current;
    const answer: Input["answer"] = (origin, key) => {
      const name = JSON.stringify(origin.kind === "lookup" ? [origin.map, key] : origin);
      if (!this.#answers.has(name)) this.#answers.set(name, this.#answer(origin.kind, subject));
      return this.#answers.get(name);
    };
    return { subject, current, answer };
  }

  /** The constraints between facts. */
  #consistent(program: Record<string, unknown>, hook: HookName): void {
    const effects = program.effects as Record<string, boolean>;
    if (this.next(2) === 0) for (const name of Object.keys(effects)) effects[name] = false;
    const changes = Object.keys(effects).filter((name) => !name.startsWith("reads_") && name !== "read_only");
    effects.read_only = !changes.some((name) => effects[name]);
    const gpl = ["GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL"];
    if (this.next(2) === 0) program.license = gpl[this.next(gpl.length)];
    program.gpl_compatible = gpl.includes(program.license as string);
    if (program.type === "unknown") program.type = "xdp";
    program.evidence = [];
    program.insn_cnt = Math.min(program.insn_cnt as number, MOST_INSNS);
    program.statements = [this.#facts(RESULT_DOMAINS.statement_of!), ...(program.statements as unknown[])];
    for (const name of ["insns", "raw_insns"]) program[name] = INSNS.subarray(0, 8 * (program.insn_cnt as number));
    program.tag = (program.digest as string).slice(0, 16);
    if (hook === "bpf_prog_load") Object.assign(program, { loaded: null, rewritten: false });
  }

  #answer(kind: string, subject: Record<string, unknown>): unknown {
    switch (kind) {
      case "lookup":
        return this.next(3) === 0 ? undefined : this.#json(0);
      case "write":
        return [0, 0, -1, -7, -4095][this.next(5)];
      case "verify_program":
      case "verify_signature":
        return [0, 0, -61, -126, -129, -127, -128, -74, -65][this.next(9)];
      case "hash":
        return this.#hex(32);
      case "statement_of":
        return (subject.statements as unknown[])[0];
      default:
        return this.#facts(RESULT_DOMAINS.signer_of!);
    }
  }

  #json(depth: number): unknown {
    switch (this.next(depth > 2 ? 7 : 10)) {
      case 0:
        return null;
      case 1:
        return true;
      case 2:
        return false;
      case 3:
        return this.#text();
      case 4:
        return this.#number();
      case 5:
        return [-1, 0.5, 1e300, -0.25, 2 ** 53, 4096.5][this.next(6)];
      case 6:
        return [this.#text()];
      case 7:
        return Array.from({ length: this.next(3) }, () => this.#json(depth + 1));
      default:
        return Object.fromEntries(
          ["type", "require_signature", "name", "uid", "tier"]
            .filter(() => this.next(2) === 0)
            .map((key) => [key, this.#json(depth + 1)]),
        );
    }
  }

  #facts(fields: Readonly<Record<string, FactDomain>>): Record<string, unknown> {
    return Object.fromEntries(Object.entries(fields).map(([name, domain]) => [name, this.#fact(domain)]));
  }

  #fact(domain: FactDomain): unknown {
    switch (domain.kind) {
      case "flag":
        return this.next(2) === 0;
      case "count":
        return Math.min(this.#number(), domain.most);
      case "integer or text":
        return this.next(2) === 0 ? this.#text() : this.#number();
      case "amount":
        return this.next(3) === 0 ? 2 ** (50 + this.next(16)) : this.#number();
      case "text":
        if (domain.hex !== null) return this.#hex(domain.hex);
        return domain.names === null ? this.#text() : this.#name(domain.names as NameKind);
      case "bytes":
        return new Uint8Array(this.next(64));
      case "null or":
        return this.next(2) === 0 ? null : this.#fact(domain.of);
      case "list":
        return Array.from({ length: this.next(4) }, () => this.#fact(domain.of));
      case "record":
        return Object.fromEntries(
          ["tier", "app", "team", "net", "user"]
            .filter(() => this.next(2) === 0)
            .map((key) => [key, this.#fact(domain.of)]),
        );
      case "object":
        return this.#facts(domain.fields);
    }
  }

  #text(): string {
    return this.texts[this.next(this.texts.length)]!;
  }

  #name(kind: NameKind): string {
    const names = VOCABULARY[kind];
    const text = this.#text();
    // Facts have no other names, but helpers have
    if (this.next(2) === 0 && (kind === "HelperName" || names.includes(text))) return text;
    return names[this.next(names.length)]!;
  }

  #number(): number {
    return this.numbers[this.next(this.numbers.length)]!;
  }

  #hex(bytes: number): string {
    return Array.from({ length: 2 * bytes }, () => this.next(16).toString(16)).join("");
  }
}
