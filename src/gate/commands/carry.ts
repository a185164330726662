import { ERRNO } from "../../errno.js";
import { Attr } from "../call/attr.js";
import type { Answer, Call } from "../call/call.js";
import { isObstacle, type Obstacle } from "../call/rules.js";
import { close } from "../sys/pidfd.js";
import { copiedCommand } from "./command-subject.js";
import { type Copy, copyFields, writeBack } from "./copy.js";
import { LAYOUTS, type Layout } from "./fields.js";
import { heldBy } from "./held.js";
import { admitIfLong } from "./long-calls.js";
import { PLAIN, PLANS, type Plan } from "./plan.js";

/**
 * Decides on a copy of a command and of everything that it points to, and passes the copy to the kernel with the task's
 * identity. Used for links, attachments, pins, test runs and BTF, if an attachment serves hook `bpf`. If none does, no
 * decision uses the task's memory, so the kernel executes the call in the task, on objects that were decided on when
 * their fds were issued.
 */
export function carryOut(call: Call, name: string): Answer {
  const cmd = call.word(0);
  const base = LAYOUTS[cmd] as Layout;
  const given = call.attr(base.size);
  if (!(given instanceof Attr)) return given;
  admitIfLong(call, name, given);
  const plan: Plan | Obstacle | number = PLANS[cmd]?.(call, given) ?? PLAIN;
  if (typeof plan === "number") return call.asKernel(plan);
  if (isObstacle(plan)) return call.denyFor(plan, "bpf", { name });
  const layout = { ...base, fields: [...base.fields, ...plan.fields] };
  const copy = copyFields(call.task, given, layout, plan.handledOffsets);
  if (typeof copy === "number") return call.asKernel(copy);
  if (isObstacle(copy)) return call.denyFor(copy, "bpf", { name });
  const resolved = plan.resolve(copy);
  if (typeof resolved === "number") return call.asKernel(resolved);
  if (isObstacle(resolved)) return call.denyFor(resolved, "bpf", { name });
  if (!call.stillWaits) return "gone";

  const fd = copy.fds.get("object");
  const object = fd === undefined || fd < 0 ? null : heldBy(call, fd);
  if (fd !== undefined && object === null) return call.asKernel(fd < 0 ? (layout.noObject ?? fd) : -ERRNO.EINVAL);
  const stranger = strangerAmong(call, copy);
  if (stranger !== null) {
    const answer = call.deny("existing_use", "bpf", { name }, `${stranger} was not handed out here (gate.existing)`);
    if (answer !== "continue") return answer;
  }
  const { verdict, answered } = call.decide("bpf", copiedCommand(call, name, copy, object, plan.target, resolved));
  if (verdict < 0) return { result: verdict };
  if (plan.left) return answered ? "continue" : call.deny("loader_run", "bpf", { name }, UNASKED);
  return answerOf(call, copy, layout, call.bpfAsTask(cmd, copy.attr.bytes, copy.held, layout.namespaces));
}

const UNASKED =
  "the kernel reads the task's memory itself, which an enforcing attachment must allow, and none in scope answered";

/** Writes the kernel's output to the task, and issues the fd if the command returns one. */
function answerOf(call: Call, copy: Copy, layout: Layout, result: number): Answer {
  const wrote = result >= 0 || layout.writesOn === null || layout.writesOn?.includes(result);
  if (wrote && !writeBack(call.task, call.long(1), copy, layout)) {
    if (layout.givesFd) close(result);
    return { result: -ERRNO.EFAULT };
  }
  return result >= 0 && layout.givesFd ? { fd: result, onIssued: () => undefined } : { result };
}

/**
 * Returns the title of the first object among the fds that the gate did not issue here; null if there is none or
 * `gate.existing` is `allow`.
 */
function strangerAmong(call: Call, { fds }: Copy): string | null {
  if (call.settings.existing === "allow") return null;
  for (const fd of fds.values()) {
    const held = fd < 0 ? null : heldBy(call, fd);
    if (held !== null && !held.judged) return held.title;
  }
  return null;
}
