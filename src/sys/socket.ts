import { addressOf, keepAlive, must, syscall } from "./libc.js";
import { NR } from "./numbers.js";
import { close } from "./pidfd.js";

const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const SO_PEERCRED = 17;
const SHUT_RD = 0;
const SO_SNDTIMEO = 21;
const MSG_NOSIGNAL = 0x4000;
const MSG_CMSG_CLOEXEC = 0x40000000;
/** struct cmsghdr is 16 bytes; an fd takes 4, padded to 8. */
const CMSG_HEADER = 16;
/** Maximum number of fds in one message (SCM_MAX_FD of unix(7)): none is dropped for lack of room. */
const MAX_FDS = 253;

/** Maximum size in bytes of a path in struct sockaddr_un, without its NUL (unix(7)). */
export const MAX_PATH = 107;

/** Creates an unbound stream socket of AF_UNIX. */
export function newSocket(): number {
  return must(syscall(NR.socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "making the socket");
}

/** 0 or a negative errno. */
export function bindTo(socket: number, path: string): number {
  const address = socketAddress(path);
  return syscall(NR.bind, socket, address, address.byteLength);
}

/** 0 or a negative errno. */
export function listenOn(socket: number): number {
  return syscall(NR.listen, socket, 128);
}

/**
 * Connects to a path and closes the connection. Returns 0 or a negative errno: EAGAIN if the queue of connections is
 * full, ECONNREFUSED if no process listens.
 */
export function connectTo(path: string): number {
  const socket = newSocket();
  const address = socketAddress(path);
  const result = syscall(NR.connect, socket, address, address.byteLength);
  close(socket);
  return result;
}

/**
 * Connects to a path, and waits while the queue of connections is full, at most {@link ROOM_WITHIN} seconds. Returns
 * the connection or a negative errno.
 */
export function connectStream(path: string): number {
  const socket = syscall(NR.socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return socket;
  limitSending(socket);
  const address = socketAddress(path);
  const result = syscall(NR.connect, socket, address, address.byteLength);
  if (result >= 0) return socket;
  close(socket);
  return result;
}

/** Sends bytes with fds on a connection. Returns 0 or a negative errno. */
export function sendOnSocket(connection: number, data: Uint8Array, fds: readonly number[]): number {
  const header = messageHeader(data, rights(fds));
  return Math.min(0, syscall(NR.sendmsg, connection, header, MSG_NOSIGNAL));
}

/** Accepts a connection. Returns a negative errno if there is none. */
export function accept(listener: number): number {
  return syscall(NR.accept4, listener, null, null, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/** Returns the credentials of the peer (SO_PEERCRED of unix(7)); null on failure. */
export function peerOf(fd: number): { readonly pid: number; readonly uid: number } | null {
  const credentials = new Int32Array(3);
  const length = Uint32Array.of(credentials.byteLength);
  if (syscall(NR.getsockopt, fd, SOL_SOCKET, SO_PEERCRED, credentials, length) < 0) return null;
  return { pid: credentials[0] ?? 0, uid: (credentials[1] ?? 0) >>> 0 };
}

/** A received message. Its fds are close-on-exec, and the caller must close them. */
export interface Received {
  /** Bytes read; 0 at the end, a negative errno on failure. */
  readonly length: number;
  readonly fds: readonly number[];
}

/** Reads once from a socket into `into`, with the fds of the message (recvmsg(2), unix(7)). */
export function receiveWithFds(socket: number, into: Uint8Array): Received {
  const control = new Uint8Array(CMSG_HEADER + 4 * MAX_FDS);
  const header = messageHeader(into, control);
  const length = syscall(NR.recvmsg, socket, header, MSG_CMSG_CLOEXEC);
  const fds: number[] = [];
  if (length < 0) return { length, fds };
  const view = new DataView(control.buffer);
  const filled = Number(header.getBigUint64(40, true));
  for (let at = 0; at + CMSG_HEADER <= filled; ) {
    const size = Number(view.getBigUint64(at, true));
    if (size < CMSG_HEADER) break;
    if (view.getInt32(at + 8, true) === SOL_SOCKET && view.getInt32(at + 12, true) === SCM_RIGHTS)
      for (let fd = at + CMSG_HEADER; fd + 4 <= at + size; fd += 4) fds.push(view.getInt32(fd, true));
    at += Math.ceil(size / 8) * 8;
  }
  return { length, fds };
}

/** Lets the other end send nothing more: what it sent before can still be read. */
export function refuseMore(socket: number): void {
  syscall(NR.shutdown, socket, SHUT_RD);
}

function limitSending(socket: number): void {
  syscall(NR.setsockopt, socket, SOL_SOCKET, SO_SNDTIMEO, BigInt64Array.of(ROOM_WITHIN, 0n), 16);
}

/** Timeout in seconds for sending a datagram, or connecting, if the receiver's queue is full. */
const ROOM_WITHIN = 1n;

/**
 * Sends a datagram with fds to a socket's path, or to an abstract name, which begins with `@`. Returns 0 or a negative
 * errno.
 */
export function sendDatagram(path: string, data: Uint8Array, fds: readonly number[] = []): number {
  const socket = syscall(NR.socket, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return socket;
  limitSending(socket);
  const address = socketAddress(path);
  const header = messageHeader(data, rights(fds));
  header.setBigUint64(0, BigInt(addressOf(address)), true);
  header.setUint32(8, address.byteLength, true);
  const sent = syscall(NR.sendmsg, socket, keepAlive(header, address), MSG_NOSIGNAL);
  close(socket);
  return Math.min(0, sent);
}

/** struct cmsghdr: length u64 0 · level 8 · type 12, then the fds. */
function rights(fds: readonly number[]): Uint8Array {
  if (fds.length === 0) return new Uint8Array(0);
  const control = new DataView(new ArrayBuffer(CMSG_HEADER + Math.ceil((4 * fds.length) / 8) * 8));
  control.setBigUint64(0, BigInt(CMSG_HEADER + 4 * fds.length), true);
  control.setInt32(8, SOL_SOCKET, true);
  control.setInt32(12, SCM_RIGHTS, true);
  for (const [index, fd] of fds.entries()) control.setInt32(CMSG_HEADER + 4 * index, fd, true);
  return new Uint8Array(control.buffer);
}

/** struct msghdr: name 0 · namelen 8 · iov 16 · iovlen 24 · control 32 · controllen 40 · flags 48; 56 bytes. */
function messageHeader(data: Uint8Array, control: Uint8Array): DataView {
  const vector = BigUint64Array.of(BigInt(addressOf(data)), BigInt(data.byteLength));
  const header = new DataView(new ArrayBuffer(56));
  header.setBigUint64(16, BigInt(addressOf(vector)), true);
  header.setBigUint64(24, 1n, true);
  header.setBigUint64(32, BigInt(addressOf(control)), true);
  header.setBigUint64(40, BigInt(control.byteLength), true);
  return keepAlive(header, data, control, vector);
}

/** struct sockaddr_un: family, then the path with its NUL, or a NUL and the abstract name. */
function socketAddress(path: string): Uint8Array {
  const name = path.startsWith("@") ? `\0${path.slice(1)}` : `${path}\0`;
  return Buffer.concat([Buffer.from(Uint16Array.of(AF_UNIX).buffer), Buffer.from(name)]);
}
