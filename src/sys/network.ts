import { ERRNO } from "../errno.js";
import { addressOf, keepAlive, must, syscall } from "./libc.js";
import { NR } from "./numbers.js";

/** CLONE_NEWNET of linux/sched.h. */
const NETWORK = 0x40000000;

/**
 * Has the calling thread enter a network namespace by its fd (setns(2)). Returns 0 or a negative errno; throws
 * GATE_FAILED if it must succeed.
 */
export function enterNetwork(fd: number, how: "may fail" | "must return" = "may fail"): number {
  const result = syscall(NR.setns, fd, NETWORK);
  return how === "may fail" ? result : must(result, "returning to the network namespace");
}

const [AF_NETLINK, SOCK_RAW, SOCK_CLOEXEC, NETLINK_ROUTE] = [16, 3, 0o2000000, 0];
const [NLM_F_REQUEST, NLM_F_DUMP] = [1, 0x300];
const MSG_DONTWAIT = 0x40;
/** The kernel fills at most this many bytes at once (netlink_dump of net/netlink/af_netlink.c). */
const ROOM = 32 * 1024;
/** Maximum number of parts of an answer: no machine has as many objects. */
const PARTS = 10_000;

/** The parts of an answer of rtnetlink, in its messages. */
export type RouteDump = readonly Uint8Array[];

/**
 * Asks rtnetlink for all that a message of type `type` lists in the calling thread's network namespace. `body` is what
 * follows struct nlmsghdr. `kept` takes out of each part what is returned: a part is at most 32 KiB, and an answer can
 * have millions of messages. Returns a negative errno on failure. The kernel has each part ready when the one before it
 * was read, so that this never waits.
 */
export function routeDump(
  type: number,
  body: Uint8Array,
  kept: (part: Uint8Array) => Uint8Array = (part) => part,
): RouteDump | number {
  const socket = syscall(NR.socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (socket < 0) return socket;
  const bytes = requestOf(type, NLM_F_REQUEST | NLM_F_DUMP, body);
  const sent = syscall(NR.write, socket, bytes, bytes.byteLength);
  const parts = sent < 0 ? sent : receivedParts(socket, kept);
  syscall(NR.close, socket);
  return parts;
}

const NLM_F_ACK = 4;

/**
 * Has rtnetlink change something in the calling thread's network namespace. `body` is what follows struct nlmsghdr.
 * Returns 0 or a negative errno. The kernel has its answer ready when the request was sent.
 */
export function routeChange(type: number, body: Uint8Array): number {
  const socket = syscall(NR.socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (socket < 0) return socket;
  const request = requestOf(type, NLM_F_REQUEST | NLM_F_ACK, body);
  const sent = syscall(NR.write, socket, request, request.byteLength);
  const answer = new DataView(new ArrayBuffer(ROOM));
  const received = sent < 0 ? sent : syscall(NR.recvmsg, socket, headerOf(new Uint8Array(answer.buffer)), MSG_DONTWAIT);
  syscall(NR.close, socket);
  if (received < 0) return received;
  // struct nlmsgerr: error s32 0; type 2 of linux/netlink.h
  return received < 20 || answer.getUint16(4, true) !== 2 ? -ERRNO.EBADMSG : answer.getInt32(16, true);
}

/** struct nlmsghdr: length 0 · type 4 · flags 6 · sequence 8 · port 12. */
function requestOf(type: number, flags: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(16 + body.byteLength);
  const request = new DataView(bytes.buffer);
  request.setUint32(0, bytes.byteLength, true);
  request.setUint16(4, type, true);
  request.setUint16(6, flags, true);
  bytes.set(body, 16);
  return bytes;
}

function receivedParts(socket: number, kept: (part: Uint8Array) => Uint8Array): RouteDump | number {
  const parts: Uint8Array[] = [];
  for (let count = 0; count < PARTS; count += 1) {
    const buffer = new Uint8Array(ROOM);
    const length = syscall(NR.recvmsg, socket, headerOf(buffer), MSG_DONTWAIT);
    if (length < 0) return length;
    const part = kept(buffer.subarray(0, length));
    if (part.byteLength > 0) parts.push(part);
    // NLMSG_DONE or NLMSG_ERROR can follow other messages: the reader of the parts looks for it
    if (endsWithMessage(buffer.subarray(0, length))) break;
  }
  return parts;
}

/** Whether one of the messages ends the answer: types 2 (error) and 3 (done) of linux/netlink.h. */
function endsWithMessage(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 16 <= bytes.byteLength; ) {
    const [length, type] = [view.getUint32(at, true), view.getUint16(at + 4, true)];
    if (type === 2 || type === 3 || length < 16) return true;
    at += (length + 3) & ~3;
  }
  return bytes.byteLength === 0;
}

/** struct msghdr: iov 16 · iovlen 24; 56 bytes. */
function headerOf(buffer: Uint8Array): DataView {
  const vector = BigUint64Array.of(BigInt(addressOf(buffer)), BigInt(buffer.byteLength));
  const header = new DataView(new ArrayBuffer(56));
  header.setBigUint64(16, BigInt(addressOf(vector)), true);
  header.setBigUint64(24, 1n, true);
  return keepAlive(header, buffer, vector);
}
