import { createHash } from "node:crypto";
import { sha256, tagOf, zeroMapReferences } from "../../../bpf/insn/digest.js";
import type { ProgramSubject } from "../../../bpf/model/facts.js";
import { loadedSubject } from "../../../engine/files/program-subject.js";
import type { KernelProgram } from "../../../sys/bpf.js";
import type { Call } from "../../call/call.js";

/**
 * Returns the subject of a loaded program: the facts that were decided on, and what the kernel reports about the
 * program. If the kernel reports the same as for the last load of this subject, returns the same object again, so that
 * the sandbox can reuse what it built for that object. `passed` are the instructions that the gate passed, if they name
 * BTF objects by fds: the kernel's tag covers these, and they are not the task's.
 */
export function loaded(judged: ProgramSubject, info: KernelProgram, passed: Uint8Array | null = null): ProgramSubject {
  const last = lastMade.get(judged);
  if (last !== undefined && isSame(last, info)) return last;
  const made = make(judged, info, passed);
  lastMade.set(judged, made);
  return made;
}

const lastMade = new WeakMap<ProgramSubject, ProgramSubject>();

function isSame({ loaded: made }: ProgramSubject, info: KernelProgram): boolean {
  return (
    made?.tag === info.tag &&
    made.verified_insns === info.verifiedInsns &&
    made.xlated_size === info.xlatedLength &&
    made.jited_size === info.jitedLength &&
    made.map_ids.length === info.mapIds.length &&
    made.map_ids.every((id, index) => id === info.mapIds[index])
  );
}

function make(judged: ProgramSubject, info: KernelProgram, passed: Uint8Array | null): ProgramSubject {
  return loadedSubject(judged, {
    loaded: Object.freeze({
      tag: info.tag,
      verified_insns: info.verifiedInsns,
      xlated_size: info.xlatedLength,
      jited_size: info.jitedLength,
      map_ids: Object.freeze(info.mapIds),
    }),
    rewritten: isRewritten(judged, info.tag, passed),
  });
}

function isRewritten(judged: ProgramSubject, tag: string, passed: Uint8Array | null): boolean {
  // of a program that was loaded before, only its tag is known
  if (judged.loaded?.tag === tag) return judged.rewritten;
  if (tag === judged.tag || tag === legacyTag(judged.insns)) return false;
  if (passed === null) return true;
  const insns = zeroMapReferences(passed, "little");
  return tag !== tagOf(sha256(insns)) && tag !== legacyTag(insns);
}

/**
 * Decides whether the task may have a loaded program, which is the subject of the call's denials: throws a CallFailure
 * if not. A rewritten program is not the one that was decided on at `bpf_prog_load`; it is allowed only if
 * `gate.rewritten` is `ask` and an enforcing attachment allows it. If `asks` is false, no policy is asked, which is for
 * probes.
 */
export function decideLoaded(call: Call, subject: ProgramSubject, asks: boolean): void {
  const { rewritten } = call.settings;
  const served = asks && call.serves("bpf_prog");
  if (subject.rewritten && (!served || rewritten === "deny")) denyRewritten(call, subject, "");
  if (!served) return;
  const { answered } = call.decide("bpf_prog", subject);
  if (subject.rewritten && !answered && rewritten !== "deny")
    denyRewritten(call, subject, ", and no enforcing attachment in scope answered");
}

function denyRewritten(call: Call, { tag, loaded: made }: ProgramSubject, more: string): void {
  call.denyUnlessAudit("rewritten", `the kernel rewrote it while loading: its tag is ${made?.tag}, not ${tag}${more}`);
}

/** The tag of kernels before Linux 6.18, which is a SHA-1 (bpf_prog_calc_tag of kernel/bpf/core.c). */
function legacyTag(insns: Uint8Array): string {
  return createHash("sha1").update(insns).digest("hex").slice(0, 16);
}
