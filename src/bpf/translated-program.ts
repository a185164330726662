import { effectsOf, type Judgement } from "./analysis/effects.js";
import { AUXILIARY } from "./analysis/states/flow.js";
import { Scratch } from "./analysis/values/scratch.js";
import type { Btf } from "./btf/btf.js";
import { OBSERVES } from "./evidence/evidence-collector.js";
import { disassemble } from "./insn/disassembly.js";
import { decodeInsns, type Insns } from "./insn/insn.js";
import { type LiveParts, LiveProgram, liveRecords } from "./live-program.js";
import type { CodeMap } from "./model/code.js";
import { EFFECTS, type Effects, type Evidence } from "./model/facts.js";
import { type KernelContext, kernelContexts } from "./translated/kernel-layout.js";
import { type KernelView, loadForm, type Problem } from "./translated/load-form.js";
import { markSequences } from "./translated/sequences.js";

export type { Callee, KernelView } from "./translated/load-form.js";

/** What the kernel reports of a loaded program, and of what it refers to. */
export interface TranslatedParts {
  readonly name: string;
  /** As bpftool spells it. */
  readonly type: string;
  /** As bpftool spells it; `none` if it was loaded without one; null if it is not known. */
  readonly attachType: string | null;
  /** The function or hook that it was made for, without prefixes of the kernel's BTF; null if it is not known. */
  readonly attachTo: string | null;
  /** struct bpf_insn[], in the byte order of the kernel: little-endian. */
  readonly insns: Uint8Array;
  /** struct bpf_func_info[] and bpf_line_info[] as the kernel reports them: 8 and 16 bytes each. */
  readonly functions: Uint8Array;
  readonly lines: Uint8Array;
  /** The program's own BTF; null if it has none, `unread` if it could not be read. */
  readonly btf: Btf | null | "unread";
  /** BTF of the kernel; null if it is not known: accesses to the context are then not told apart. */
  readonly kernelTypes: Btf | null;
  /** The map with an id. Calls for one id must return the same object. Null if it is not known. */
  readonly mapById: (id: number) => CodeMap | null;
  /** Whether a value of its maps may hold a pointer to an object of the kernel (bpf_kptr_xchg). */
  readonly keepsPointers: boolean;
  readonly kernel: KernelView;
}

/** What a loaded program can at most do. */
export interface EffectsAtMost {
  readonly effects: Effects;
  /** The reasons; `insn` is the index of a translated instruction. */
  readonly evidence: readonly Evidence[];
  /** Why every effect is true, if something is not known of the program; otherwise empty. */
  readonly unknown: readonly string[];
}

/**
 * What a loaded program can at most do, from its translated instructions. Sound as `effectsOf`, of which it is a use:
 * a superset of the effects of the instructions that were loaded. Throws INSN_MALFORMED for bytes that are no
 * instructions, and LOAD_MALFORMED for records of functions and lines that are cut off.
 */
export function effectsAtMost(parts: TranslatedParts): EffectsAtMost {
  decodeInsns(parts.insns);
  const { insns, names, keeping, problems } = loadForm(parts.insns, parts.kernel);
  // It says which functions others may replace (freplace).
  if (parts.btf === "unread")
    return anything(decodeInsns(parts.insns), [{ slot: 0, because: "its BTF cannot be read" }]);
  if (problems.length > 0) return anything(decodeInsns(parts.insns), problems);
  const contexts = parts.kernelTypes === null ? [] : kernelContexts(parts.kernelTypes, parts.type);
  const scratch = Scratch.begin();
  try {
    const { name, type, attachType, attachTo } = parts;
    const expectedAttachType = attachType === "none" ? null : attachType;
    const live: LiveParts = {
      ...{ name, type, expectedAttachType, attachTo, insns, scratch },
      kernel: { count: names.length + 1, kind: (id) => names[id - 1]!.kind, name: (id) => names[id - 1]!.name },
      btf: parts.btf,
      functions: recordsOf(parts.functions, 8, "functions"),
      lines: recordsOf(parts.lines, 16, "lines"),
      relocations: null,
      fds: { mapByFd: parts.mapById, mapByIndex: () => null },
      translation: (each) => {
        const sequences = sequencesOf(each, contexts);
        const pointers = new Map(contexts.map(({ name: context, pointers: own }) => [context, own]));
        return { contexts: pointers, sequences, keeping, keepsPointers: parts.keepsPointers };
      },
    };
    const found = effectsOf(new LiveProgram(live), scratch);
    return attachType === null ? withEveryVerdict(type, found) : { ...found, unknown: [] };
  } finally {
    scratch.end();
  }
}

/**
 * A kprobe program of one attach type decides whether an event is recorded by any value but an odd one, and of another
 * by any but 0. Types with other attach types decide in any case while these are not known (tables/program-types.ts).
 */
function withEveryVerdict(type: string, { effects, evidence }: Judgement): EffectsAtMost {
  if (type !== "kprobe" || effects.decides) return { effects, evidence, unknown: [] };
  const because = "its attach type is not known, which may be one whose return value decides";
  const decides: Evidence = { effect: "decides", insn: null, text: null, source: null, because, ends_read_only: false };
  return { effects: { ...effects, decides: true }, evidence: [...evidence, decides], unknown: [] };
}

const recordsOf = (bytes: Uint8Array, size: number, kind: "functions" | "lines") =>
  liveRecords(bytes, size, Math.ceil(bytes.length / size), kind);

/** The number of BPF_REG_AX in an instruction, which an instruction of a load cannot have. */
const AX = 11;

function sequencesOf(insns: Insns, contexts: readonly KernelContext[]): Uint8Array {
  for (const registers of [insns.dst, insns.src])
    for (let slot = registers.indexOf(AX); slot !== -1; slot = registers.indexOf(AX, slot + 1))
      registers[slot] = AUXILIARY;
  return markSequences(
    insns,
    contexts.flatMap(({ loads }) => loads),
  );
}

/** Every effect, for each of which the first problem is the reason. */
function anything(insns: Insns, problems: readonly Problem[]): EffectsAtMost {
  const unknown = [...new Set(problems.map(({ because }) => because))];
  const { slot, because } = problems[0]!;
  const effects = Object.fromEntries(EFFECTS.map((effect) => [effect, true]));
  const evidence = EFFECTS.map((effect): Evidence => {
    const ends_read_only = !OBSERVES.has(effect);
    return { effect, insn: slot, text: disassemble(insns, slot), source: null, because, ends_read_only };
  });
  return { effects: { ...effects, read_only: false } as Effects, evidence, unknown };
}
