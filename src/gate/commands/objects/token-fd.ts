import { isBeyondUnion } from "../../call/as-task.js";
import type { Attr } from "../../call/attr.js";
import type { Call } from "../../call/call.js";
import { deny } from "../../call/failure.js";
import { FILE_NAMES, fileNameOf } from "../copied/object-kind.js";

/** Denies a call that uses the task's fd `number` as a BPF token, if it is one. If not, the kernel rejects the call. */
export function denyToken(call: Call, number: number): void {
  const fd = call.task.fd(number);
  if (fd >= 0 && FILE_NAMES[fileNameOf(fd)] === "token")
    deny("token", "a BPF token belongs to a user namespace that the gate cannot enter for the task");
}

/**
 * Replaces the token's fd at an offset of attr by the gate's copy; denies the call if it is a BPF token. A number that
 * is no fd of the task becomes -1. On a kernel without the field a 0 stays: such a kernel rejects the flag with EINVAL,
 * but any other number in the field with E2BIG.
 */
export function replaceTokenFd(call: Call, attr: Attr, at: number): void {
  const number = attr.s32(at);
  denyToken(call, number);
  attr.setU32(at, Math.max(-1, call.task.fd(number)) >>> 0);
  if (number === 0 && isBeyondUnion(call, attr.bytes.subarray(0, at + 4), at)) attr.setU32(at, 0);
}
