import { CountersignError } from "../../error.js";
import { sha256, tagOf } from "../insn/digest.js";
import { CALL_SRC, firstCallOrWide, firstWide, isPoison, OP } from "../insn/insn.js";
import type { Code, CodeMap } from "../model/code.js";
import type { ProgramFacts } from "../model/facts.js";
import { factsOfMap } from "../model/map-memory.js";
import { HELPERS } from "../tables/names.gen.js";
import { effectsOf, type Judgement } from "./effects.js";

/** Name and origin of a program, apart from its code. */
export interface ProgramOrigin {
  readonly name: string;
  readonly section: string | null;
  readonly license: string;
  /** The instructions with zeroed map references, which signatures are over. */
  readonly insns: Uint8Array;
  readonly rawInsns: Uint8Array;
}

/** The facts about one program, from a file or from a live load. */
export function programFacts(code: Code, origin: ProgramOrigin, judgement: Judgement = effectsOf(code)): ProgramFacts {
  const { name, section, license, insns, rawInsns } = origin;
  const digest = sha256(insns);
  const calls = callsOf(code);
  const { effects, evidence } = judgement;
  return {
    name,
    section,
    type: code.type,
    expected_attach_type: code.expectedAttachType,
    attach_to: code.attachTo,
    license,
    gpl_compatible: GPL_COMPATIBLE.has(license),
    insn_cnt: code.insns.count,
    insns,
    raw_insns: rawInsns,
    digest,
    tag: tagOf(digest),
    helpers: calls.helpers,
    kfuncs: calls.kfuncs,
    maps: mapsOf(code).map(factsOfMap),
    effects,
    evidence,
  };
}

/** Licences that allow calls of GPL-only helpers (license_is_gpl_compatible of include/linux/license.h). */
export const GPL_COMPATIBLE: ReadonlySet<string> = new Set([
  "GPL",
  "GPL v2",
  "GPL and additional rights",
  "Dual BSD/GPL",
  "Dual MIT/GPL",
  "Dual MPL/GPL",
]);

/** A helper's name in the kernel; `helper#212` for one that is newer than the tables. */
export function helperName(id: number): string {
  return (id === 0 ? undefined : HELPERS[id]) ?? `helper#${id}`;
}

/**
 * Maximum number of different helpers, and of kfuncs, that one program may call. The kernel has 211 helpers and allows
 * 256 kfuncs (MAX_KFUNC_DESCS of kernel/bpf/verifier.c); no loadable program calls more.
 */
const MAX_CALLED = 1024;

/**
 * The sorted names of the helpers and kfuncs that are called anywhere in a program. Throws INSN_MALFORMED if there are
 * too many.
 */
export function callsOf(code: Code): { readonly helpers: string[]; readonly kfuncs: string[] } {
  const { opcode, src, imm, count } = code.insns;
  const helpers = new Set<number>();
  /** Whether a helper with a small id is among them, which takes less time to read than the set. */
  const listed = new Uint8Array(HELPERS.length);
  const kfuncs = new Set<string>();
  for (let slot = firstCallOrWide(code.insns); slot < count; slot++) {
    if (opcode[slot] === OP.LD_IMM64) slot += 1;
    else if (opcode[slot] === OP.CALL && src[slot] !== CALL_SRC.SUBPROGRAM) {
      if (src[slot] === CALL_SRC.KFUNC) kfuncs.add(code.kfuncAt(slot)?.name ?? `kfunc#${imm[slot]}`);
      else if (listed[imm[slot]!] === 1) continue;
      else if (!isPoison(imm[slot]!)) {
        helpers.add(imm[slot]!);
        listed[imm[slot]!] = 1;
      }
      if (helpers.size > MAX_CALLED || kfuncs.size > MAX_CALLED)
        throw new CountersignError("INSN_MALFORMED", `calls more than ${MAX_CALLED} different helpers or kfuncs`, {
          place: `instruction ${slot}`,
          remedy: "split the program with tail calls: countersign lists no more helpers or kfuncs of one",
        });
    }
  }
  return { helpers: [...helpers].map(helperName).sort(), kfuncs: [...kfuncs].sort() };
}

/** The maps that a program refers to, in the order of its instructions. */
export function mapsOf(code: Code): readonly CodeMap[] {
  const { opcode, count } = code.insns;
  const maps = new Set<CodeMap>();
  for (let slot = firstWide(code.insns); slot < count; slot++)
    if (opcode[slot] === OP.LD_IMM64) {
      const reference = code.mapAt(slot);
      if (reference !== null) maps.add(reference.map);
      slot += 1;
    }
  return [...maps];
}
