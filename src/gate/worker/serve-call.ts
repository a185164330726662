import { ERRNO } from "../../errno.js";
import { NR } from "../../sys/numbers.js";
import type { Answer } from "../call/answer.js";
import { isBeyondUnion, readAttr } from "../call/as-task.js";
import { ATTR_SIZE } from "../call/attr.js";
import type { Call } from "../call/call.js";
import { commandRow } from "../call/command.js";
import { CallerExited, CallFailure, deny, failWith } from "../call/failure.js";
import { carryOut } from "../commands/carry.js";
import { registersOf } from "../commands/copied/command-subject.js";
import { fetchObject } from "../commands/fetch.js";
import { denyForeign, denyUnserved, isForeign } from "../commands/foreign.js";
import { decideTarget, TARGETING } from "../commands/gate-target.js";
import { createMap } from "../commands/map-create.js";
import { loadModule } from "../commands/modules.js";
import { nameNextId } from "../commands/next-id.js";
import type { Facts } from "../commands/prog-load/load-facts.js";
import { loadProgram } from "../commands/prog-load/load-program.js";
import { createToken } from "../commands/token.js";
import type { GateSettings } from "../decisions/settings.js";

/** Serves a call. This is the only place in which a {@link CallFailure} becomes a record and a reply. */
export function serveCall(call: Call, facts: Facts): Answer {
  try {
    return answerTo(call, facts);
  } catch (failure) {
    if (failure instanceof CallerExited) return "gone";
    if (!(failure instanceof CallFailure)) throw failure;
    const { errno, denial } = failure;
    return failedReply(denial === null ? errno : call.record(errno, denial), call.settings);
  }
}

/**
 * The reply to a call that the gate does not carry out. In audit the kernel executes the call: it reads the task's
 * memory again, which is acceptable because nothing is enforced, and returns its own errno, in case the gate predicted
 * the wrong one.
 */
export function failedReply(errno: number, { audit }: GateSettings): Answer {
  return audit ? "continue" : { result: -errno };
}

function answerTo(call: Call, facts: Facts): Answer {
  const { notification } = call;
  if (isForeign(notification)) denyForeign(notification);
  if (notification.call === NR.bpf) return serveCommand(call, facts);
  if (notification.call === NR.init_module || notification.call === NR.finit_module) return loadModule(call);
  if (notification.call in TARGETING) return decideTarget(call);
  return denyUnserved(notification);
}

/** Serves a bpf(2) call. Its command and size are registers, so the task cannot change them during the call. */
function serveCommand(call: Call, facts: Facts): Answer {
  const cmd = call.word(0);
  const row = commandRow(cmd);
  if (row === null) return denyUnknown(call, cmd);
  // commands with treatment `copy` or a path are decided on later, with the copy of their attr
  if (call.serves("bpf") && row.treatment !== "copy" && row.kind !== "path")
    call.decide("bpf", registersOf(row.name, cmd, call.word(2)));
  switch (row.treatment) {
    case "pass":
      return "continue";
    case "copy":
      return call.serves("bpf") ? carryOut(call, row.name) : "continue";
    case "load":
      return loadProgram(call, facts);
    case "create":
      return createMap(call);
    case "fetch":
      return fetchObject(call, cmd, row);
    case "list":
      return nameNextId(call, cmd, row.kind);
    case "token":
      return createToken(call, row.name);
  }
}

/**
 * Denies an unknown command. Reads attr first, as the kernel does (__sys_bpf in kernel/bpf/syscall.c), so that an error
 * of attr is the one that the kernel returns.
 */
function denyUnknown(call: Call, cmd: number): never {
  const { given } = readAttr(call, ATTR_SIZE);
  if (isBeyondUnion(call, given, 0)) failWith(ERRNO.E2BIG);
  call.isAbout("bpf", { name: `command ${cmd}` });
  return deny("unknown_command", `the gate does not know bpf(2) command ${cmd}`);
}
