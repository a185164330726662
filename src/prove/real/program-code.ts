import { type Line, parse } from "../../bpf/assembly/assembly-lines.js";
import { OP } from "../../bpf/insn/insn.js";
import type { CodeMap } from "../../bpf/model/code.js";
import type { EffectName } from "../../bpf/model/facts.js";
import { HELPER_ROWS, type HelperRow } from "../../bpf/tables/helpers.js";
import { HELPERS } from "../../bpf/tables/names.gen.js";
import { PROGRAM_TYPE_ROWS } from "../../bpf/tables/program-types.js";

/** What the code of a program is to have. */
export interface WantedCode {
  readonly type: string;
  readonly effects: readonly EffectName[];
  /** Names, as the fact `helpers` has them. */
  readonly helpers: readonly string[];
  readonly kfuncs: readonly string[];
  /** Maps that the program refers to. */
  readonly maps: readonly CodeMap[];
  /** The return value. */
  readonly returns: number;
  /** Which of the ways to an effect is taken; 0 for the first. */
  readonly way: number;
  /** Number of instructions; null for as many as it needs. */
  readonly length: number | null;
}

/** The lines of a program, and the maps that they use, of which some may not be among the wanted ones. */
export interface WrittenCode {
  readonly lines: readonly Line[];
  readonly maps: readonly CodeMap[];
}

/** A map for helpers that take one. It is pinned, so that other programs can see what is written to it. */
const SHARED: CodeMap = {
  name: "shared",
  type: "hash",
  key_size: 8,
  value_size: 8,
  max_entries: 1,
  flags: 0,
  contents: null,
  own: false,
  data: null,
  frozen: false,
  inner: null,
};

/** Writes code with these properties; null if a helper has no number, or it would be longer than it may be. */
export function writeCode(wanted: WantedCode): WrittenCode | null {
  const writing = new Writing(wanted);
  return writing.code();
}

class Writing {
  readonly #lines: string[] = [];
  readonly #maps: CodeMap[];
  #usesContext = false;
  #usesMemory = false;

  constructor(private readonly wanted: WantedCode) {
    this.#maps = [...wanted.maps];
  }

  code(): WrittenCode | null {
    const { wanted } = this;
    const numbers = wanted.helpers.map(numberOf);
    if (numbers.includes(null)) return null;
    for (const { name } of wanted.maps) this.#lines.push(`r1 = map ${this.#indexOf(name)}`);
    for (const effect of wanted.effects) this.#cause(effect);
    for (const number of numbers) this.#call(number!);
    for (const name of wanted.kfuncs) this.#lines.push(`call kfunc ${name}`);
    const before = [
      ...(this.#usesContext ? ["r6 = r1"] : []),
      ...(this.#usesMemory ? [`r1 = 0`, `*(u64 *)(r10 - ${MEMORY}) = r1`] : []),
    ];
    const after = [`r0 = ${wanted.returns}`, "exit"];
    const maps = Object.fromEntries(this.#maps.map((map, index) => [String(index), map]));
    const own = [...before, ...this.#lines].flatMap((line) => parse(line, maps));
    const end = parse(after.join("\n"));
    const missing = wanted.length === null ? 0 : wanted.length - slotsOf([...own, ...end]);
    if (missing < 0) return null;
    const padding = new Array<Line>(missing).fill(parse("r0 = 0")[0]!);
    return { lines: [...own, ...padding, ...end], maps: this.#maps };
  }

  #cause(effect: EffectName): void {
    if (effect === "writes_ctx") this.#writeContext();
    else if (effect === "writes_shared_map") this.#call(MAP_UPDATE);
    else if (effect === "reveals_addresses") this.#lines.push("r1 = r10", `call ${TAKES_A_NUMBER}`);
    else {
      const rows = waysTo(effect, this.wanted.effects);
      // Without a helper the return value may have it, or the type of the program
      if (rows.length > 0 && !BY_VALUE.has(effect)) this.#call(rows[Math.min(this.wanted.way, rows.length - 1)]!.id);
      else if (this.wanted.way > 0 && rows.length > 0) this.#call(rows[this.wanted.way - 1]?.id ?? rows[0]!.id);
    }
  }

  #writeContext(): void {
    const fields = PROGRAM_TYPE_ROWS.get(this.wanted.type)?.context.writable ?? [];
    const extra = (effects: readonly EffectName[]) =>
      effects.filter((effect) => !this.wanted.effects.includes(effect)).length;
    const [field] = [...fields].sort(([, , , ...one], [, , , ...other]) => extra(one) - extra(other));
    if (field === undefined) return;
    this.#usesContext = true;
    this.#lines.push("r1 = 0", `*(u32 *)(r6 + ${field[1]}) = r1`);
  }

  #call(number: number): void {
    const args = HELPER_ROWS[number]?.args ?? "";
    for (const [index, letter] of [...args].entries()) this.#lines.push(...this.#argument(index + 1, letter));
    this.#lines.push(`call ${number}`);
  }

  #argument(register: number, letter: string): readonly string[] {
    switch (letter) {
      case "c":
      case "o":
      case "d":
        this.#usesContext = true;
        return [`r${register} = r6`];
      case "m":
        return [`r${register} = map ${this.#indexOf(this.#anyMap())}`];
      case "-":
        return [`r${register} = 8`];
      case "x":
      case "f":
        return [`r${register} = 0`];
      default:
        this.#usesMemory = true;
        return [`r${register} = r10`, `r${register} += -${MEMORY}`];
    }
  }

  #anyMap(): string {
    if (this.#maps.length === 0) this.#maps.push(SHARED);
    return this.#maps[0]!.name;
  }

  #indexOf(name: string): number {
    return this.#maps.findIndex((map) => map.name === name);
  }
}

/** Bytes of the stack that are initialised. */
const MEMORY = 8;
const MAP_UPDATE = 2;
/** bpf_get_current_ancestor_cgroup_id, which has no effect and gets a number. */
const TAKES_A_NUMBER = 123;

/** Effects that a return value can have. */
const BY_VALUE: ReadonlySet<EffectName> = new Set(["decides", "redirects"]);

/** Letters of arguments that a few instructions cannot give. */
const HARD = /[ofdtyz]/;

/** Helpers with an effect, with those first that have the fewest others. */
function waysTo(effect: EffectName, wanted: readonly EffectName[]): readonly HelperRow[] {
  const extra = ({ effects, writesMap }: HelperRow) =>
    effects.filter((one) => !wanted.includes(one)).length + (writesMap ? 1 : 0);
  const maps = ({ args }: HelperRow) => (args.includes("m") ? 1 : 0);
  return HELPER_ROWS.filter((row) => row?.effects.includes(effect) === true && !HARD.test(row.args))
    .map((row) => row!)
    .sort((one, other) => extra(one) - extra(other) || maps(one) - maps(other) || one.id - other.id);
}

/** The number of a helper by its name in the kernel, or as `helper#250`; null if there is none. */
function numberOf(name: string): number | null {
  const [, digits] = /^helper#(\d{1,9})$/.exec(name) ?? [];
  if (digits !== undefined) return Number(digits);
  const index = HELPERS.indexOf(name);
  return index > 0 ? index : null;
}

function slotsOf(lines: readonly Line[]): number {
  return lines.reduce((sum, { opcode }) => sum + (opcode === OP.LD_IMM64 ? 2 : 1), 0);
}
