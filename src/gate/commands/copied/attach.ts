import { ATTACH_TYPES } from "../../../bpf/tables/names.gen.js";
import type { Attr } from "../../call/attr.js";
import type { Call } from "../../call/call.js";
import { deny } from "../../call/failure.js";
import { type CommandFacts, type MakePlan, PLAIN, type Plan } from "./copied-command.js";
import type { Field } from "./fields.js";
import { objectAt } from "./held.js";
import type { Target } from "./target.js";
import { attachTargetOf, EXT, LINK_CREATE, targetOf } from "./targets.js";

/** Offsets of BPF_PROG_ATTACH and BPF_PROG_DETACH; the latter does not use `replaceBpfFd`. */
export const ATTACH = {
  targetFd: 0,
  attachBpfFd: 4,
  attachType: 8,
  attachFlags: 12,
  replaceBpfFd: 16,
  relativeFd: 20,
  expectedRevision: 24,
  size: 32,
} as const;

/** Plans BPF_PROG_ATTACH and BPF_PROG_DETACH. */
export const planAttachment: MakePlan = (_, given) => {
  const type = given.u32(ATTACH.attachType);
  const target = attachTargetOf(type) ?? denyType(type);
  return { ...PLAIN, target, targetAt: ATTACH.targetFd, fields: targetField(target, ATTACH.targetFd) };
};

/** Plans BPF_LINK_CREATE. */
export function planLink(call: Call, given: Attr): Plan {
  const object = objectAt(call, given, LINK_CREATE.progFd);
  const type = given.u32(LINK_CREATE.attachType);
  const target = targetOf(type, object.programType) ?? denyType(type);
  const { resolve, handledOffsets = [] } = target;
  return {
    ...PLAIN,
    target,
    targetAt: LINK_CREATE.targetFd,
    fields: [...targetField(target, LINK_CREATE.targetFd), ...target.fields],
    ...(resolve && { handledOffsets, resolve: (copy) => resolve(call, copy, object) }),
  };
}

function targetField({ by }: Target, at: number): readonly Field[] {
  if (by === "nothing") return [{ is: "fd", at, role: "none", none: "zero" }];
  if (by === "number") return [{ is: "value", at }];
  return [{ is: "fd", at, role: "target", ...(by === "fd or none" ? { none: "zero" as const } : {}) }];
}

function denyType(type: number): never {
  return deny("attach_type", `the gate does not know the target of attach type ${ATTACH_TYPES[type] ?? type}`);
}

/** The fact `attach`. Takes the offsets of the attach type and of the flags; null if the command has no such field. */
export const attachFacts =
  (type: number | null, flags: number | null): CommandFacts =>
  ({ given }, target, object) => ({
    attach: target && {
      type: type === null || object?.programType === EXT ? null : (ATTACH_TYPES[given.u32(type)] ?? "unknown"),
      flags: flags === null ? 0 : given.u32(flags),
      target,
    },
  });
