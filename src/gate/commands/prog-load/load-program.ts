import { CMD } from "../../../bpf/model/commands.js";
import type { ProgramSubject } from "../../../bpf/model/facts.js";
import { ERRNO, errorName } from "../../../errno.js";
import { mapInfo, programInfo } from "../../../sys/bpf.js";
import { namespaceScopeOf } from "../../../sys/credentials.js";
import { type TicketFailure, ticketFailure } from "../../../sys/tickets.js";
import type { IssuedFd } from "../../call/answer.js";
import { bpfAsTask, readAttr } from "../../call/as-task.js";
import { FLAG, LOAD } from "../../call/attr.js";
import type { Call } from "../../call/call.js";
import { checked, deny, failWith, reported } from "../../call/failure.js";
import { loadAttempt } from "../../call/retries.js";
import { decideLoaded, loaded } from "../objects/loaded.js";
import { isLongLoad } from "../objects/long-calls.js";
import { neededForProgram, requiredForProgram } from "../objects/required-capabilities.js";
import { replaceTokenFd } from "../objects/token-fd.js";
import { errnoOfFunctions, failBeforeCopy, failBeforeInsns, isCountInRange } from "./early-errno.js";
import { freezeMaps } from "./freeze.js";
import { copyLoad, digestOf, type LiveLoad } from "./live-load.js";
import { type Facts, factsOf } from "./load-facts.js";
import { withLoneRelocations } from "./lone-relocations.js";
import { withPrivateMaps } from "./private-maps.js";
import { probeOf } from "./probe.js";
import { ticketOf } from "./ticket.js";

/**
 * Decides on a copy of a BPF_PROG_LOAD, loads the copy with the task's identity, and issues the fd if the loaded
 * program is allowed as well.
 */
export function loadProgram(call: Call, facts: Facts): IssuedFd {
  return loadDecided(call, facts, decideCopy(call, facts));
}

/** A copied load that may be made, with what was decided on it. */
interface DecidedLoad {
  readonly load: LiveLoad;
  readonly program: ProgramSubject;
  readonly decision: LoadDecision;
}

/** Copies a BPF_PROG_LOAD and decides on the copy: all that precedes the load. */
export function decideCopy(call: Call, facts: Facts): DecidedLoad {
  const given = readAttr(call, LOAD.size);
  const name = given.name(LOAD.progName);
  call.isAbout("bpf_prog_load", { name });
  const type = given.u32(LOAD.progType);
  const unprivileged = isUnprivileged(call, type);
  if (unprivileged || !isCountInRange(given)) failBeforeCopy(call, given);
  if (isLongLoad(given)) call.task.admit();
  const copy = copyLoad(call.task, given);
  call.requireCaller();
  let known: string | null = null;
  const digest = () => (known ??= digestOf(copy)); // most loads are allowed, and need no digest but that of their facts
  call.operation.attempts(() => loadAttempt(given, digest()));
  call.isAbout("bpf_prog_load", () => ({ name, digest: digest() }));
  if (given.u32(LOAD.progFlags) & FLAG.tokenFd) replaceTokenFd(call, copy.attr, LOAD.tokenFd);
  if (unprivileged) failBeforeInsns(call, copy);
  const copied = withLoneRelocations(call, copy);
  failOnFunctions(call, copied);
  const load = type === SYSCALL ? withPrivateMaps(call, copied, digest) : copied;
  const program = factsOf(call, facts, load, "unreadable");
  known = program.digest;
  const decision = decideLoad(call, load, program);
  // before the load, which may take long: another load could be decided meanwhile, with the same maps as other ones
  facts.rememberRoles(load, call.listener.objects, program);
  return { load, program, decision };
}

/**
 * Whether the task lacks a capability that no attachment may grant it: the kernel then rejects the load before it reads
 * the instructions.
 */
function isUnprivileged(call: Call, type: number): boolean {
  const missing = call.missing(requiredForProgram(type));
  return missing !== 0n && !call.wouldGrant("bpf_prog_load", missing & neededForProgram(type));
}

/** Fails a load with more functions than the kernel accepts, with the kernel's errno and log. */
function failOnFunctions(call: Call, copy: LiveLoad): void {
  const errno = errnoOfFunctions(call, copy);
  if (errno === null) return;
  writeLog(call, copy);
  failWith(-errno);
}

/** What was decided before the load. */
interface LoadDecision {
  /** Whether policies decided. They are not asked about a loader's probes. */
  readonly asked: boolean;
  /** Whether read-only maps of the program must be frozen. */
  readonly freezes: boolean;
  /** Capabilities, one bit each, that are added to the task's own for the load. */
  readonly granted: bigint;
}

/** Decides on a copied load: by policies, unless it is a loader's probe, and then by the gate's own rules. */
function decideLoad(call: Call, load: LiveLoad, program: ProgramSubject): LoadDecision {
  const type = load.given.u32(LOAD.progType);
  const missingCapabilities = call.grantable(neededForProgram(type));
  // if an attachment may grant the task what it lacks, policies decide on a probe as on any program: capabilities are
  // granted only to loads that a policy allowed
  const probe = call.mayGrant("bpf_prog_load", missingCapabilities) ? null : probeOf(load, program);
  const { answered, delegated, freezes } =
    probe === null
      ? call.decide("bpf_prog_load", program, missingCapabilities)
      : call.passProbe(program, probe.loaders.join(", "));
  if (type === SYSCALL && probe === null) denyUnbound(call, load, answered);
  if (writesElements(program)) deny("element_writer", ELEMENT_WRITER);
  return { asked: probe === null, freezes, granted: delegated ? missingCapabilities : 0n };
}

/** Loads the copy with the task's identity, and under a seal with a ticket. */
export function loadDecided(call: Call, facts: Facts, decided: DecidedLoad): IssuedFd {
  const { load, program, decision } = decided;
  const ticket = call.settings.tickets ? ticketOf(load, program, call.listener.objects) : null;
  const fd = call.task.adopt(loadAsCaller(call, load, decision.granted, ticket));
  return issueLoaded(call, facts, decided, fd);
}

/** Decides on the loaded program, of which the gate has the fd: all that follows the load. */
export function issueLoaded(call: Call, facts: Facts, { load, program, decision }: DecidedLoad, fd: number): IssuedFd {
  const { asked, freezes } = decision;
  const info = reported(programInfo(fd));
  call.loaded(info.id);
  call.isAbout("bpf_prog", program);
  const frozen = freezes ? freezeMaps(load) : 0;
  // the contents of a map that was just frozen become facts, so compute the facts again
  const judged = frozen === 0 ? program : factsOf(call, facts, load, "freeze");
  const subject = loaded(judged, info, load.passed);
  call.isAbout("bpf_prog", subject);
  decideLoaded(call, subject, asked);
  facts.rememberRoles(load, call.listener.objects, judged);
  return { fd, issued: { id: info.id, subject } };
}

/** BPF_PROG_TYPE_SYSCALL: a program that can call bpf(2), such as the loader program of a light skeleton. */
const SYSCALL = 31;

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

/** Denies a program that calls bpf(2) although no policy denied it. */
function denyUnbound({ listener }: Call, load: LiveLoad, answered: boolean): void {
  if (!answered)
    deny(
      "loader",
      "a program that calls bpf(2) needs an attachment that allows it, and no enforcing attachment in scope answered",
    );
  for (const fd of load.maps.values()) {
    const info = mapInfo(fd);
    if (typeof info === "number") continue; // BTF, or an fd that the kernel will reject
    if (listener.objects.isPrivateCopy(info.id)) continue;
    deny(
      "loader",
      `a program that calls bpf(2) may use maps alone whose contents are facts, and \`${info.name}\` is not ` +
        "frozen, or others may write to it",
    );
  }
}

/**
 * Loads the copy and writes the verifier's log. If the kernel does not support or cannot check signatures, loads it
 * again without its signature. Fails with the kernel's errno.
 */
function loadAsCaller(call: Call, load: LiveLoad, granted: bigint, ticket: Uint8Array | null): number {
  let fd = tryLoad(call, load, granted, ticket);
  if (load.kernelSignature !== null && UNKNOWN_SIGNATURE.has(fd)) {
    load.attr.setPointer(LOAD.signature, 0);
    load.attr.setU32(LOAD.signatureSize, 0);
    load.attr.setU32(LOAD.keyringId, 0);
    fd = tryLoad(call, load, granted, ticket);
  }
  if (ticket !== null) denyWithoutTicket(ticketFailure(fd));
  if (call.settings.agent) denyByAgent(fd);
  writeLog(call, load);
  return checked(fd);
}

/** The verifier returns EAGAIN if a signal is pending; here that is a signal to the gate, so the load is made again. */
function tryLoad(call: Call, { given, attr, held }: LiveLoad, granted: bigint, ticket: Uint8Array | null): number {
  const namespaces = namespaceScopeOf(given.u32(LOAD.progIfindex));
  for (let tries = 1; ; tries += 1) {
    const fd = bpfAsTask(call, CMD.BPF_PROG_LOAD, attr.bytes, held, namespaces, granted, ticket);
    if (fd !== -ERRNO.EAGAIN || tries === MAX_TRIES) return fd;
  }
}

/** Denies a load for which the guard took no ticket, or that it denied although it had one. */
function denyWithoutTicket(failure: TicketFailure | null): void {
  if (failure === null) return;
  deny(
    "ticket",
    failure.is === "rejected"
      ? `the guard did not take a ticket for it: ${TICKET_ERRORS[failure.errno] ?? errorName(failure.errno)}`
      : "the guard denied it although it had a ticket: `countersign seal log` has the guard's rule",
  );
}

/** Denies a load that this gate allowed, and that the agent of the sealed machine or its guard did not. */
function denyByAgent(result: number): void {
  if (result === -ERRNO.EPERM)
    deny("agent", "the agent of this sealed machine, or its guard, denied it: see the agent's log and `seal log`");
  if (result === -ERRNO.ENOSYS) deny("agent", "the agent of this sealed machine has ended");
}

/** What the guard means by an errno (seal/guard/interface.h). */
const TICKET_ERRORS: Readonly<Record<number, string>> = {
  [ERRNO.EPERM]: "this process is not the agent that the machine was sealed with, or the machine is locked",
  [ERRNO.EINVAL]: "the machine is not sealed, or its guard is of another version",
  [ERRNO.ENOSPC]: "too many tickets are outstanding",
};

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
