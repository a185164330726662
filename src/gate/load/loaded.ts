import { createHash } from "node:crypto";
import { programSubject } from "../../engine/program-subject.js";
import type { ProgramSubject } from "../../hooks/subject.js";
import type { Answer, Call } from "../call/call.js";
import type { KernelProgram } from "../sys/bpf.js";

/**
 * Returns the subject of a loaded program: the facts that were decided on, and what the kernel reports about the
 * program. If the kernel reports the same as for the last load of this subject, returns the same object again, so that
 * the sandbox can reuse what it built for that object.
 */
export function loaded(judged: ProgramSubject, info: KernelProgram): ProgramSubject {
  const last = lastMade.get(judged);
  if (last !== undefined && isSame(last, info)) return last;
  const made = make(judged, info);
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

function make(judged: ProgramSubject, info: KernelProgram): ProgramSubject {
  return programSubject(judged, {
    signature: judged.signature,
    kernel_signature: judged.kernel_signature,
    kernel_keyring: judged.kernel_keyring,
    object: judged.object,
    loaded: Object.freeze({
      tag: info.tag,
      verified_insns: info.verifiedInsns,
      xlated_size: info.xlatedLength,
      jited_size: info.jitedLength,
      map_ids: Object.freeze(info.mapIds),
    }),
    rewritten: info.tag !== judged.tag && info.tag !== legacyTag(judged.insns),
  });
}

/**
 * Decides whether the task may have a loaded program: returns the reply that denies it, or null. A rewritten program is
 * not the one that was decided on at `bpf_prog_load`; it is allowed only if `gate.rewritten` is `ask` and an enforcing
 * attachment allows it. If `asks` is false, no policy is asked, which is for probes.
 */
export function judgeLoaded(call: Call, subject: ProgramSubject, asks: boolean): Answer | null {
  const served = asks && call.serves("bpf_prog");
  if (subject.rewritten && (!served || call.settings.rewritten === "deny")) {
    const answer = refuseRewritten(call, subject, "");
    if (answer !== "continue") return answer;
  }
  if (!served) return null;
  const { verdict, answered } = call.decide("bpf_prog", subject);
  if (verdict < 0) return { result: verdict };
  if (!subject.rewritten || answered || call.settings.rewritten === "deny") return null;
  const answer = refuseRewritten(call, subject, ", and no enforcing attachment in scope answered");
  return answer === "continue" ? null : answer;
}

function refuseRewritten(call: Call, subject: ProgramSubject, more: string) {
  const { tag, loaded: made, name, digest } = subject;
  const reason = `the kernel rewrote it while loading: its tag is ${made?.tag}, not ${tag}${more}`;
  return call.deny("rewritten", "bpf_prog", { name, digest }, reason);
}

/** The tag of kernels before Linux 6.18, which is a SHA-1 (bpf_prog_calc_tag of kernel/bpf/core.c). */
function legacyTag(insns: Uint8Array): string {
  return createHash("sha1").update(insns).digest("hex").slice(0, 16);
}
