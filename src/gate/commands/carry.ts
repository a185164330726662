import { ERRNO } from "../../errno.js";
import type { Answer } from "../call/answer.js";
import { bpfAsTask, readAttr } from "../call/as-task.js";
import type { Call } from "../call/call.js";
import type { CopiedName } from "../call/command.js";
import { deny, failWith } from "../call/failure.js";
import { copiedCommand } from "./copied/command-subject.js";
import { PLAIN } from "./copied/copied-command.js";
import { type Copy, copyFields, writeBack } from "./copied/copy.js";
import type { Layout } from "./copied/fields.js";
import { type Held, heldBy } from "./copied/held.js";
import { COPIED_COMMANDS } from "./copied-commands.js";

/**
 * Decides on a copy of a command and of everything that it points to, and passes the copy to the kernel with the task's
 * identity. Used for links, attachments, pins, test runs and BTF, if an attachment serves hook `bpf`. If none does, no
 * decision uses the task's memory, so the kernel executes the call in the task, on objects that were decided on when
 * their fds were issued.
 */
export function carryOut(call: Call, name: CopiedName): Answer {
  const command = COPIED_COMMANDS[name];
  const given = readAttr(call, command.layout.attr.size);
  if (command.isLong(given)) call.task.admit();
  const plan = command.plan?.(call, given) ?? PLAIN;
  const layout = { ...command.layout, fields: [...command.layout.fields, ...plan.fields] };
  const copy = copyFields(call.task, given, layout, plan.handledOffsets);
  const resolved = plan.resolve(copy);
  call.requireCaller();
  const object = objectOf(call, copy, layout);
  denyUnissued(call, copy);
  const { answered } = call.decide("bpf", copiedCommand(call, name, command.facts, copy, object, plan, resolved));
  if (plan.left) return answered ? "continue" : deny("loader_run", UNASKED);
  return answerOf(call, copy, layout, bpfAsTask(call, call.word(0), copy.attr.bytes, copy.held, layout.namespaces));
}

const UNASKED =
  "the kernel reads the task's memory itself, which an enforcing attachment must allow, and none in scope answered";

/** Returns the program, map or link that the command uses; null if the command names none or the kernel accepts any. */
function objectOf(call: Call, { fds }: Copy, { noObject, anyObject }: Layout): Held | null {
  const fd = fds.get("object");
  if (fd === undefined) return null;
  if (anyObject) return fd < 0 ? null : heldBy(call, fd);
  if (fd < 0) failWith(-(noObject ?? fd));
  return heldBy(call, fd) ?? failWith(ERRNO.EINVAL);
}

/**
 * Denies a command that uses an object that the gate did not issue here, unless `gate.existing` is `allow`. In audit
 * the command goes on.
 */
function denyUnissued(call: Call, { fds }: Copy): void {
  if (call.settings.existing === "allow") return;
  for (const fd of fds.values()) {
    const held = fd < 0 ? null : heldBy(call, fd);
    if (held === null || held.judged) continue;
    call.denyUnlessAudit("existing_use", `${held.title} was not handed out here (gate.existing)`);
    return;
  }
}

/** Writes the kernel's output to the task, and issues the fd if the command returns one. */
function answerOf(call: Call, copy: Copy, layout: Layout, result: number): Answer {
  const wrote = result >= 0 || layout.writesOn === null || layout.writesOn?.includes(result);
  if (wrote) writeBack(call.task, call.long(1), copy, layout);
  return result >= 0 && layout.givesFd ? { fd: call.task.adopt(result), issued: null } : { result };
}
