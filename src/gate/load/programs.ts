import { ERRNO } from "../../errno.js";
import type { ProgramSubject } from "../../hooks/subject.js";
import { Attr, FLAG, LOAD } from "../call/attr.js";
import type { Answer, Call } from "../call/call.js";
import { CMD } from "../call/command.js";
import { loadAttempt } from "../call/retries.js";
import { type GateRule, isObstacle } from "../call/rules.js";
import { admitIfLong } from "../commands/long-calls.js";
import { mapInfo, programInfo } from "../sys/bpf.js";
import { namespaceScopeOf } from "../sys/credentials.js";
import { close } from "../sys/pidfd.js";
import { errnoBeforeCopy, errnoBeforeInsns, errnoOfFunctions, isCountInRange } from "./early-errno.js";
import { freezeMaps } from "./freeze.js";
import { copyLoad, digestOf, type LiveLoad } from "./load.js";
import { judgeLoaded, loaded } from "./loaded.js";
import { neededForProgram, requiredForProgram } from "./needs.js";
import { withPrivateMaps } from "./private-maps.js";
import { probeOf } from "./probe.js";

/**
 * Decides on a copy of a BPF_PROG_LOAD, loads the copy with the task's identity, and issues the fd if the loaded
 * program is allowed as well.
 */
export function loadProgram(call: Call): Answer {
  const given = call.attr(LOAD.size);
  if (!(given instanceof Attr)) return given;
  const name = given.name(LOAD.progName);
  const type = given.u32(LOAD.progType);
  // if the task lacks a capability and no attachment may lend it, the kernel rejects the load before it reads the
  // instructions
  const missing = call.missing(requiredForProgram(type));
  const unprivileged = missing !== 0n && !call.wouldLend("bpf_prog_load", missing & neededForProgram(type));
  const early = unprivileged || !isCountInRange(given) ? errnoBeforeCopy(call, given) : null;
  if (early !== null) return call.asKernel(early);
  admitIfLong(call, "BPF_PROG_LOAD", given);
  const copy = copyLoad(call.task, given);
  if (typeof copy === "number") return call.asKernel(copy);
  if (isObstacle(copy)) return call.denyFor(copy, "bpf_prog_load", { name });
  if (!call.stillWaits) return "gone";
  call.attempts(() => loadAttempt(given, digestOf(copy)));
  const deny = (rule: GateRule, reason: string) =>
    call.deny(rule, "bpf_prog_load", { name, digest: digestOf(copy) }, reason);
  if (given.u32(LOAD.progFlags) & FLAG.tokenFd) return deny("token", TOKEN);
  const rejected = unprivileged ? errnoBeforeInsns(call, copy) : null;
  if (rejected !== null) return call.asKernel(rejected);
  const tooMany = errnoOfFunctions(call, copy);
  if (tooMany !== null) {
    if (!call.isDryRun) writeLog(call, copy);
    return call.asKernel(tooMany);
  }
  const load = type === SYSCALL ? withPrivateMaps(call, copy) : copy;
  if (isObstacle(load)) return deny(load.rule, load.reason);
  const subject = call.factsOf(load);
  if (typeof subject === "string") return deny("unreadable", subject);

  const lacking = call.lacking(neededForProgram(type));
  // if an attachment may lend the task what it lacks, policies decide on a probe as on any program: capabilities are
  // lent only to loads that a policy allowed
  const probe = call.mayLend("bpf_prog_load", lacking) ? null : probeOf(load, subject);
  const decided =
    probe === null ? call.decide("bpf_prog_load", subject, lacking) : call.passProbe(subject, probe.loaders.join(", "));
  if (decided.verdict < 0) return { result: decided.verdict };
  const wanting = type === SYSCALL && probe === null ? unbound(call, load, decided.answered) : null;
  if (wanting !== null) return deny("loader", wanting);
  if (writesElements(subject)) return deny("element_writer", ELEMENT_WRITER);

  const fd = carryOut(call, load, decided.delegated ? lacking : 0n);
  if (fd < 0 && call.isDryRun) return "continue"; // the kernel executes the task's call, and writes its errno and log
  writeLog(call, load);
  if (fd < 0) return { result: fd };
  const info = programInfo(fd);
  if (typeof info === "number") {
    close(fd);
    return { result: info };
  }
  const frozen = decided.freezes ? freezeMaps(load) : 0;
  // the contents of a map that was just frozen become facts, so compute the facts again
  const judged = typeof frozen === "string" ? frozen : frozen === 0 ? subject : call.factsOf(load);
  if (typeof judged === "string") {
    close(fd);
    return call.deny("freeze", "bpf_prog", subject, judged);
  }
  const made = loaded(judged, info);
  const refusal = judgeLoaded(call, made, probe === null);
  if (refusal !== null) {
    close(fd);
    return refusal;
  }
  return { fd, onIssued: () => call.listener.objects.issueProgram(info.id, made) };
}

/** BPF_PROG_TYPE_SYSCALL: a program that can call bpf(2), such as the loader program of a light skeleton. */
const SYSCALL = 31;
const TOKEN = "a BPF token belongs to a user namespace that the gate cannot enter for the task";

/**
 * Whether a program may be an iterator that writes to the elements of the map it is attached to, even if the map is
 * frozen: bpf_iter_attach_map (kernel/bpf/map_iter.c) compares sizes only. It could change, after the decision, the map
 * contents from which facts such as `contents` and the format strings of other programs were computed.
 */
function writesElements({ type, expected_attach_type, attach_to, effects }: ProgramSubject): boolean {
  if (type !== "tracing" || expected_attach_type !== "trace_iter" || !effects.writes_shared_map) return false;
  return attach_to === null || attach_to === "bpf_map_elem";
}

const ELEMENT_WRITER =
  "an iterator over elements of maps could write to frozen maps, whose contents are facts about other programs";

/** Returns the reason why a program that calls bpf(2) is denied although no policy denied it; null if it is allowed. */
function unbound({ listener }: Call, load: LiveLoad, answered: boolean): string | null {
  if (!answered)
    return "a program that calls bpf(2) needs an attachment that allows it, and no enforcing attachment in scope answered";
  for (const fd of load.maps.values()) {
    const info = mapInfo(fd);
    if (typeof info === "number") continue; // BTF, or an fd that the kernel will reject
    if (listener.objects.isPrivateCopy(info.id)) continue;
    return `a program that calls bpf(2) may use maps alone whose contents are facts, and \`${info.name}\` is not frozen, or others may write to it`;
  }
  return null;
}

/** Loads the copy. If the kernel does not support or cannot check signatures, loads it again without its signature. */
function carryOut(call: Call, load: LiveLoad, lent: bigint): number {
  const namespaces = namespaceScopeOf(load.given.u32(LOAD.progIfindex));
  const attempt = () => {
    // the verifier returns EAGAIN if a signal is pending; here that is a signal to the gate, so the load is made again
    for (let tries = 1; ; tries += 1) {
      const fd = call.bpfAsTask(CMD.progLoad, load.attr.bytes, load.held, namespaces, lent);
      if (fd !== -ERRNO.EAGAIN || tries === MAX_TRIES) return fd;
    }
  };
  const fd = attempt();
  if (load.kernelSignature === null || !UNKNOWN_SIGNATURE.has(fd)) return fd;
  load.attr.setPointer(LOAD.signature, 0);
  load.attr.setU32(LOAD.signatureSize, 0);
  load.attr.setU32(LOAD.keyringId, 0);
  return attempt();
}

const MAX_TRIES = 16;
const UNKNOWN_SIGNATURE: ReadonlySet<number> = new Set([-ERRNO.EOPNOTSUPP, -ERRNO.E2BIG, -ERRNO.EINVAL]);

/**
 * Writes the verifier's log, up to its NUL, to the task's buffer, and its true size to the task's attr if the attr has
 * that field.
 */
function writeLog(call: Call, load: LiveLoad): void {
  const { given, attr, log } = load;
  if (log !== null) {
    const end = log.indexOf(0);
    call.task.write(given.u64(LOAD.logBuf), log.subarray(0, end < 0 ? log.length : end + 1));
  }
  if (given.u32(LOAD.logLevel) === 0 || given.size < LOAD.logTrueSize + 4) return;
  const size = attr.bytes.subarray(LOAD.logTrueSize, LOAD.logTrueSize + 4);
  call.task.write(call.long(1) + BigInt(LOAD.logTrueSize), size);
}
