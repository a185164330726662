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
 * is no fd of the task becomes -1. A 0 stays: older kernels do not have the field.
 */
export function replaceTokenFd(call: Call, attr: Attr, at: number): void {
  const number = attr.s32(at);
  denyToken(call, number);
  if (number !== 0) attr.setU32(at, Math.max(-1, call.task.fd(number)) >>> 0);
}
