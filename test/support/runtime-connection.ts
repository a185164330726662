import { addressOf, keepAlive, must, syscall } from "../../src/sys/libc.js";
import { NR } from "../../src/sys/numbers.js";
import { close } from "../../src/sys/pidfd.js";
import { receiveWithFds } from "../../src/sys/socket.js";

const SYS_SHUTDOWN = 48;
const SHUT_WR = 1;
const SYS_SOCKETPAIR = 53;
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const SOCK_NONBLOCK_CLOEXEC = 0o2004000;
const SOL_SOCKET = 1;
const SCM_RIGHTS = 1;
const MSG_NOSIGNAL = 0x4000;

/** A container runtime's end of its connection to an agent. */
export class RuntimeConnection {
  private constructor(private readonly fd: number) {}

  /** Connects to an agent's socket. */
  static to(path: string): RuntimeConnection {
    const fd = must(syscall(NR.socket, AF_UNIX, SOCK_STREAM, 0), "making the socket");
    const address = Buffer.concat([Buffer.of(AF_UNIX, 0), Buffer.from(`${path}\0`)]);
    must(syscall(NR.connect, fd, address, address.byteLength), "connecting");
    return new RuntimeConnection(fd);
  }

  /** A connection without an agent, and the fd of the agent's end. */
  static pair(): { readonly runtime: RuntimeConnection; readonly accepted: number } {
    const fds = new Int32Array(2);
    must(syscall(SYS_SOCKETPAIR, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK_CLOEXEC, 0, fds), "making the sockets");
    return { runtime: new RuntimeConnection(fds[0]!), accepted: fds[1]! };
  }

  /** Sends a part of the state, with fds (SCM_RIGHTS of unix(7)). Returns the bytes sent, or a negative errno. */
  send(text: string, fds: readonly number[] = []): number {
    const data = Buffer.from(text);
    const vector = BigUint64Array.of(BigInt(addressOf(data)), BigInt(data.byteLength));
    const control = new DataView(new ArrayBuffer(fds.length === 0 ? 0 : 16 + Math.ceil(fds.length / 2) * 8));
    if (fds.length > 0) {
      control.setBigUint64(0, BigInt(16 + 4 * fds.length), true);
      control.setInt32(8, SOL_SOCKET, true);
      control.setInt32(12, SCM_RIGHTS, true);
      for (const [index, fd] of fds.entries()) control.setInt32(16 + 4 * index, fd, true);
    }
    const rights = new Uint8Array(control.buffer);
    const header = new DataView(new ArrayBuffer(56)); // struct msghdr
    header.setBigUint64(16, BigInt(addressOf(vector)), true);
    header.setBigUint64(24, 1n, true);
    header.setBigUint64(32, BigInt(addressOf(rights)), true);
    header.setBigUint64(40, BigInt(rights.byteLength), true);
    return syscall(NR.sendmsg, this.fd, keepAlive(header, vector, data, rights), MSG_NOSIGNAL);
  }

  /** Whether the agent has closed its end. */
  get isClosed(): boolean {
    return this.send("") < 0 || syscall(NR.recvmsg, this.fd, new DataView(new ArrayBuffer(56)), 0) === 0;
  }

  /** Sends nothing more, so that the other end reads to the end. */
  finish(): void {
    syscall(SYS_SHUTDOWN, this.fd, SHUT_WR);
  }

  /** What the other end has sent, if that is not much. */
  receive(): string {
    const bytes = new Uint8Array(4096);
    const { length } = receiveWithFds(this.fd, bytes);
    return Buffer.from(bytes.subarray(0, Math.max(0, length))).toString();
  }

  close(): void {
    close(this.fd);
  }
}

/** The message of a runtime about a container: its ContainerProcessState. */
export function processState(id: string, more: object = {}): string {
  return JSON.stringify({
    ...{ ociVersion: "1.1.0", fds: ["seccompFd"], pid: process.pid, metadata: "countersign-2" },
    ...{ state: { id, bundle: "/b", annotations: { "label.countersign/tier": "edge" } } },
    ...more,
  });
}
