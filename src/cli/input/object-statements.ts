import { type ObjectBytes, objectsOfFile } from "../../bpf/embedded.js";
import {
  type EncodedStatement,
  opensProgram,
  type ProgramPart,
  programPartOf,
  type RuleOptions,
  ruleNames,
  type StatedProgram,
  statementOfPart,
  withoutTarget,
} from "../../bpf/statement.js";
import { CountersignError, type ErrorCode } from "../../error.js";
import { didYouMean } from "../../nearest.js";

/** The options of `sign` and `inspect` for what a statement is about, and for its rules. */
export interface StatementOptions extends RuleOptions {
  readonly program?: readonly string[] | undefined;
}

/** The statement of one object in a file. */
export interface ObjectStatement extends EncodedStatement {
  readonly part: ProgramPart;
}

/** What {@link statementsOf} could not make, and why. */
export interface Unstated {
  readonly error: CountersignError;
}

/**
 * The statement of each object in a file. With options, names that no object has are errors; each object takes those
 * that it has. Without them, an object of which there can be no statement, since libbpf cannot load it, gives the
 * reason instead. Throws USAGE, ELF_NO_PROGRAMS and the errors of reading objects.
 */
export function statementsOf(bytes: Uint8Array, options: StatementOptions): readonly (ObjectStatement | Unstated)[] {
  const objects = objectsOfFile(bytes);
  if (objects.length === 0)
    throw new CountersignError("ELF_NO_PROGRAMS", "there is no BPF object in it", {
      remedy: "name a BPF object, or an executable that embeds one",
    });
  const { program = null, fix = [], open = [] } = options;
  const isStrict = program !== null || fix.length > 0 || open.length > 0 || options.fixAll === true;
  const wanted = new Wanted(options);
  const found = objects.map(({ offset, bytes: object }: ObjectBytes) => {
    try {
      const whole = programPartOf(object);
      const names = program === null ? null : wanted.programs(whole);
      if (names?.length === 0) return null;
      const programs = whole.programs.filter(({ name }) => names === null || names.includes(name));
      const part = { ...whole, programs };
      return { part, ...statementOfPart(part, { fixAll: options.fixAll, ...wanted.rules(part) }) };
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error;
      const placed = offset > 0 ? error.within(`object at offset ${offset}`) : error;
      if (isStrict || !NOT_STATED.has(error.code)) throw placed;
      return { error: placed };
    }
  });
  wanted.refuseUnused();
  return found.filter((statement) => statement !== null);
}

/** Errors of objects that the object reader reads, and of which there is no statement. */
const NOT_STATED: ReadonlySet<ErrorCode> = new Set(["ELF_UNSUPPORTED", "ELF_MALFORMED", "BTF_MALFORMED"]);

/** What an option of each name takes. */
const FORMS = {
  program: "the full name of a program",
  fix: "the name of a setting",
  open:
    "map:NAME.type, map:NAME.pinned, map:NAME.shared, PROGRAM.attach-target, PROGRAM.type=ext or " +
    "PROGRAM.flags=xdp_has_frags",
} as const;

/** The names in the options, and which of them some object has. */
class Wanted {
  readonly #used = new Set<string>();
  readonly #known: string[] = [];

  constructor(private readonly options: StatementOptions) {}

  programs({ programs }: ProgramPart): readonly string[] {
    const names = programs.map(({ name }) => name);
    return this.#among(this.options.program ?? [], (name) => names.includes(name), names);
  }

  rules(part: ProgramPart): Pick<RuleOptions, "fix" | "open"> {
    const { settings, openings } = ruleNames(part);
    const fix = this.#among(this.options.fix ?? [], (text) => settings.has(text.split("=", 1)[0]!), settings);
    return { fix, open: this.#among(this.options.open ?? [], (text) => openings.has(text), openings) };
  }

  /** Throws USAGE for a name that no object has. */
  refuseUnused(): void {
    for (const [option, form] of Object.entries(FORMS))
      for (const name of this.options[option as keyof typeof FORMS] ?? [])
        if (!this.#used.has(name))
          throw new CountersignError(
            "USAGE",
            `\`--${option} ${name}\` names nothing in it${didYouMean(name.split("=", 1)[0]!, this.#known)}`,
            { remedy: `give ${form}; \`countersign inspect --statement FILE\` lists the names` },
          );
  }

  #among(names: readonly string[], has: (name: string) => boolean, known: Iterable<string>): readonly string[] {
    this.#known.push(...known);
    const found = names.filter(has);
    for (const name of found) this.#used.add(name);
    return found;
  }
}

/** How messages name a statement. */
export function titleOf({ part: { programs } }: ObjectStatement): string {
  return `statement of ${programs.length} ${programs.length === 1 ? "program" : "programs"}`;
}

/** The programs for which a loader has to choose the attach target, which the signer has not opened. */
export function targetless({ part, statement }: ObjectStatement): readonly StatedProgram[] {
  return withoutTarget(part).filter(({ name }) => !opensProgram(statement.content.rules, name, "attach-target"));
}
