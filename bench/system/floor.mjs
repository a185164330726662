// usage: floor.mjs copy|check|ask|pass LISTENING COMMAND…, or floor.mjs agent SOCKET: what no gate in node can do
// without. LISTENING: the executable of listening.c.
//   copy    makes the system calls of floor.c, in the same order, by koffi in a worker thread
//   check   also makes the calls by which a gate learns who loads, with which capabilities, and what was loaded
//   ask     also asks the policies of the configuration $CONFIG; $MODULE is the bundle of policies.ts
//   pass    has the kernel execute each call, so that a command works that does more than load programs
//   agent   the same for commands that hand their listener to it by `listening SOCKET`, as to a running agent; it
//           prints a line once it accepts them
// Except for `ask`, it judges nothing, keeps nothing, and creates no object in a call.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { isMainThread, Worker, workerData } from "node:worker_threads";

const koffi = createRequire(import.meta.url)("koffi");
const long = "int64";
const call = koffi.load(null).func("syscall", long, [long, long, long, long, long, long, long]);

/** System call numbers of x86-64 (asm/unistd_64.h). */
const NR = { close: 3, ioctl: 16, capget: 125, epoll_wait: 232, epoll_ctl: 233, readlinkat: 267, epoll_create1: 291 };
Object.assign(NR, { process_vm_readv: 310, bpf: 321, pidfd_open: 434, pidfd_getfd: 438 });
/** ioctl(2) requests of linux/seccomp.h. */
const IOCTL = { receive: 0xc0502100, idValid: 0x40082102, addFd: 0x40182103, send: 0xc0182101, setFlags: 0x40082104 };
/** ioctl(2) request of linux/pidfd.h, for a struct of 64 bytes: PIDFD_INFO_SIZE_VER0. */
const PIDFD_GET_INFO = 0xc040ff0b;
const LINUX_CAPABILITY_VERSION_3 = 0x20080522;
const BPF_OBJ_GET_INFO_BY_FD = 15;
/** Size of struct bpf_prog_info up to its verified_insns (linux/bpf.h). */
const PROG_INFO_SIZE = 224;
const AT_FDCWD = -100;
const SYNC_WAKE_UP = 1;
const ADDFD_FLAG_SEND = 2;
const FLAG_CONTINUE = 1;
const O_CLOEXEC = 0o2000000;
const BPF_PROG_LOAD = 5;
const EFAULT = 14;
const EPERM = 1;

const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLLIN = 1;

const call6 = (number, a, b = 0, c = 0, d = 0, e = 0, f = 0) => call(number, a, b, c, d, e, f);

if (!isMainThread) await serve(workerData.poll, workerData.way);
else if (process.argv[2] === "agent") await accept(process.argv[3]);
else await start();

/** Starts the command under a filter, and a thread that answers its listener. Ends with the command. */
async function start() {
  const [way, listening, ...command] = process.argv.slice(2);
  const child = spawn(listening, ["-", ...command], { stdio: ["inherit", "inherit", "inherit", "pipe"] });
  const [line] = await once(child.stdio[3], "data");
  answer(answering(way), String(line));
  child.stdio[3].end("\n");
  const [code] = await once(child, "exit");
  process.exit(code);
}

/** Answers the listeners that are handed to it at a socket. */
async function accept(socket) {
  const poll = answering("agent");
  const server = createServer(async (connection) => {
    const [line] = await once(connection, "data");
    answer(poll, String(line));
    connection.end("\n");
  });
  await once(server.listen(socket), "listening");
  console.log("ready");
}

/** A thread that answers the listeners in an epoll, of which it returns the fd. */
function answering(way) {
  const poll = call6(NR.epoll_create1, 0);
  new Worker(new URL(import.meta.url), { workerData: { poll, way } });
  return poll;
}

/** Takes a listener from the process that wrote the line, and adds it to an epoll. */
function answer(poll, line) {
  const [process, number] = line.split(" ").map(Number);
  const pidfd = call6(NR.pidfd_open, process);
  const listener = call6(NR.pidfd_getfd, pidfd, number);
  call6(NR.close, pidfd);
  if (listener < 0) throw new Error("the listener cannot be taken");
  call6(NR.ioctl, listener, IOCTL.setFlags, SYNC_WAKE_UP);
  const { view, at } = memory(12);
  view.setUint32(0, EPOLLIN, true);
  view.setInt32(4, listener, true);
  call6(NR.epoll_ctl, poll, EPOLL_CTL_ADD, listener, at);
}

function memory(size) {
  const view = new DataView(new ArrayBuffer(size));
  return { view, at: Number(koffi.address(view)) };
}

/** A text with its NUL. */
function text(string) {
  const made = memory(string.length + 1);
  new Uint8Array(made.view.buffer).set(Buffer.from(string));
  return made;
}

/** Answers calls; the thread of an agent lasts when a listener has no task any more. */
async function serve(poll, way) {
  const ask = way === "ask" ? await (await import(process.env.MODULE)).policiesOf(process.env.CONFIG) : null;
  const checks = way === "check" || ask !== null;
  const passes = way !== "copy" && !checks;
  const lasts = way === "agent";
  /** struct seccomp_notif, of which one call uses 80 bytes; seccomp_notif_resp; seccomp_notif_addfd; epoll_event. */
  const request = memory(80);
  const bytes = new Uint8Array(request.view.buffer);
  const response = memory(24);
  const answer = memory(24);
  const event = memory(12);
  const [attr, insns, license] = [memory(256), memory(8 * 4096), memory(128)];
  /** Two of struct iovec. */
  const vectors = memory(32);
  const word = (view, offset) => Number(view.getBigUint64(offset, true));
  let listener = -1;
  const copy = (from, to, size) => {
    vectors.view.setBigUint64(0, BigInt(to.at), true);
    vectors.view.setBigUint64(8, BigInt(size), true);
    vectors.view.setBigUint64(16, from, true);
    vectors.view.setBigUint64(24, BigInt(size), true);
    const tid = request.view.getUint32(8, true);
    return call6(NR.process_vm_readv, tid, vectors.at, 1, vectors.at + 16, 1, 0) === size;
  };
  /** Whose call it is, the task's user namespace, and its capabilities. */
  const caller = { pidfd: -1, info: memory(64), path: null, link: memory(64), header: memory(8), sets: memory(24) };
  const readCaller = () => {
    const tid = request.view.getUint32(8, true);
    if (caller.pidfd < 0) {
      caller.pidfd = call6(NR.pidfd_open, tid);
      caller.path = text(`/proc/${tid}/ns/user`);
      caller.header.view.setUint32(0, LINUX_CAPABILITY_VERSION_3, true);
      caller.header.view.setInt32(4, tid, true);
    }
    call6(NR.ioctl, caller.pidfd, PIDFD_GET_INFO, caller.info.at);
    call6(NR.readlinkat, AT_FDCWD, caller.path.at, caller.link.at, 64);
    call6(NR.capget, caller.header.at, caller.sets.at);
  };
  /** What the kernel made of a program. */
  const [query, info] = [memory(16), memory(PROG_INFO_SIZE)];
  const infoBytes = new Uint8Array(info.view.buffer);
  const readLoaded = (fd) => {
    infoBytes.fill(0); // what the kernel wrote before would be arguments now
    query.view.setUint32(0, fd, true);
    query.view.setUint32(4, PROG_INFO_SIZE, true);
    query.view.setBigUint64(8, BigInt(info.at), true);
    call6(NR.bpf, BPF_OBJ_GET_INFO_BY_FD, query.at, 16);
  };
  const codeOf = (count) => new Uint8Array(insns.view.buffer, 0, 8 * count);
  /** An fd for the task, or a negative errno. */
  const carryOut = () => {
    if (checks) readCaller();
    const size = word(request.view, 48);
    const count = () => attr.view.getUint32(4, true);
    if (
      size > 256 ||
      !copy(request.view.getBigUint64(40, true), attr, size) ||
      count() > 4096 ||
      !copy(attr.view.getBigUint64(8, true), insns, count() * 8) ||
      !copy(attr.view.getBigUint64(16, true), license, 4) ||
      call6(NR.ioctl, listener, IOCTL.idValid, request.at) !== 0
    )
      return -EFAULT;
    if (ask !== null && ask(new Uint8Array(attr.view.buffer, 0, size), codeOf(count())) < 0) return -EPERM;
    attr.view.setBigUint64(8, BigInt(insns.at), true);
    attr.view.setBigUint64(16, BigInt(license.at), true);
    const fd = call6(NR.bpf, BPF_PROG_LOAD, attr.at, size);
    if (checks && fd >= 0) readLoaded(fd);
    return fd < 0 ? -koffi.errno() : fd;
  };
  for (;;) {
    call6(NR.epoll_wait, poll, event.at, 1, -1);
    listener = event.view.getInt32(4, true);
    bytes.fill(0);
    if (call6(NR.ioctl, listener, IOCTL.receive, request.at) !== 0) {
      if (!lasts) return;
      call6(NR.epoll_ctl, poll, EPOLL_CTL_DEL, listener, event.at);
      call6(NR.close, listener);
      continue;
    }
    const id = request.view.getBigUint64(0, true);
    const fd = passes ? 0 : word(request.view, 32) === BPF_PROG_LOAD ? carryOut() : -EPERM;
    if (passes || fd < 0) {
      response.view.setBigUint64(0, id, true);
      response.view.setInt32(16, fd, true);
      response.view.setUint32(20, passes ? FLAG_CONTINUE : 0, true);
      call6(NR.ioctl, listener, IOCTL.send, response.at);
      continue;
    }
    answer.view.setBigUint64(0, id, true);
    answer.view.setUint32(8, ADDFD_FLAG_SEND, true);
    answer.view.setUint32(12, fd, true);
    answer.view.setUint32(20, O_CLOEXEC, true);
    call6(NR.ioctl, listener, IOCTL.addFd, answer.at);
    call6(NR.close, fd);
  }
}
