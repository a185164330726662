// usage: floor.mjs copy|check|ask|pass LISTENING COMMAND…, or floor.mjs agent|carry|decide SOCKET: what no gate in node
// can do without. LISTENING: the executable of listening.c.
//   copy    makes the system calls of floor.c, in the same order, by koffi in a worker thread, but waits by poll(2)
//   check   also makes the calls by which a gate learns who loads, with which capabilities, and what was loaded
//   ask     also asks the policies of the configuration $CONFIG; $MODULE is the bundle of policies.ts
//   pass    has the kernel execute each call, so that a command works that does more than load programs
//   agent   the same for commands that hand their listener to it by `listening SOCKET`, as to a running agent; it
//           prints a line once it accepts them
//   carry   like `agent`, but it loads programs and creates maps itself, from copies of all that such a call refers to,
//           and reads who calls and what was made, as a gate must that decides about them
//   decide  like `carry`, but it also reads the maps and the BTF of a load, finds its facts by the SHA-256 of all that
//           they depend on, and asks the policies like `ask`; it allows whatever they answer
// Except for `ask` and `decide`, it judges nothing, keeps nothing, and creates no object in a call.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { isMainThread, Worker, workerData } from "node:worker_threads";

const koffi = createRequire(import.meta.url)("koffi");
const long = "int64";
const call = koffi.load(null).func("syscall", long, [long, long, long, long, long, long, long]);

/** System call numbers of x86-64 (asm/unistd_64.h). */
const NR = {
  close: 3,
  poll: 7,
  ioctl: 16,
  capget: 125,
  epoll_wait: 232,
  epoll_ctl: 233,
  readlinkat: 267,
  epoll_create1: 291,
};
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
const PIDFD_THREAD = 0o200;
const SYNC_WAKE_UP = 1;
const ADDFD_FLAG_SEND = 2;
const FLAG_CONTINUE = 1;
const O_CLOEXEC = 0o2000000;
const BPF_MAP_CREATE = 0;
const BPF_PROG_LOAD = 5;
/** BPF_LD | BPF_IMM | BPF_DW, and its src_reg for the fd of a map, or for an address in its value. */
const LD_IMM64 = 0x18;
const MAP_FDS = [1, 2];
/** Size of struct bpf_map_info up to its btf_vmlinux_id (linux/bpf.h). */
const MAP_INFO_SIZE = 80;
/** Size of struct bpf_btf_info up to its id; the address of the types is at 0, their size at 8 (linux/bpf.h). */
const BTF_INFO_SIZE = 16;
const EFAULT = 14;
const EPERM = 1;

const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLLIN = 1;

const call6 = (number, a, b = 0, c = 0, d = 0, e = 0, f = 0) => call(number, a, b, c, d, e, f);

if (!isMainThread) await serve(workerData.poll, workerData.way);
else if (["agent", "carry", "decide"].includes(process.argv[2])) await accept(process.argv[2], process.argv[3]);
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
async function accept(way, socket) {
  const poll = answering(way);
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
  const asks = way === "ask" || way === "decide";
  const ask = asks ? await (await import(process.env.MODULE)).policiesOf(process.env.CONFIG) : null;
  const carries = way === "carry" || way === "decide";
  const checks = way === "check" || ask !== null || carries;
  const passes = way !== "copy" && !checks;
  const lasts = way === "agent" || carries;
  /** struct seccomp_notif, of which one call uses 80 bytes; seccomp_notif_resp; seccomp_notif_addfd; epoll_event. */
  const request = memory(80);
  const bytes = new Uint8Array(request.view.buffer);
  const response = memory(24);
  const answer = memory(24);
  const event = memory(12);
  const [attr, insns, license] = [memory(256), memory(8 * 4096), memory(128)];
  const [funcs, lines, types] = [memory(65_536), memory(65_536), memory(1 << 20)];
  /** Two of struct pollfd: the epoll, and the listener that was ready last. */
  const polled = memory(16);
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
  const caller = {
    tid: 0,
    pidfd: -1,
    info: memory(64),
    path: null,
    link: memory(64),
    header: memory(8),
    sets: memory(24),
  };
  const readCaller = () => {
    const tid = request.view.getUint32(8, true);
    if (caller.tid !== tid) {
      if (caller.pidfd >= 0) call6(NR.close, caller.pidfd);
      caller.tid = tid;
      caller.pidfd = call6(NR.pidfd_open, tid, PIDFD_THREAD);
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
  const readMade = (fd, infoSize) => {
    infoBytes.fill(0); // what the kernel wrote before would be arguments now
    query.view.setUint32(0, fd, true);
    query.view.setUint32(4, infoSize, true);
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
    if (checks && fd >= 0) readMade(fd, PROG_INFO_SIZE);
    return fd < 0 ? -koffi.errno() : fd;
  };
  /** Copies of fds of the task for one call. */
  const taken = [];
  const take = ({ view }, offset) => {
    const fd = view.getInt32(offset, true);
    if (fd === 0) return;
    taken.push(call6(NR.pidfd_getfd, caller.pidfd, fd));
    view.setInt32(offset, taken.at(-1), true);
  };
  /** Copies what a field of attr points to. */
  const bring = (offset, to, size) => {
    if (size === 0) return true;
    const copied = copy(attr.view.getBigUint64(offset, true), to, size);
    attr.view.setBigUint64(offset, BigInt(to.at), true);
    return copied;
  };
  const part = ({ view }, size) => new Uint8Array(view.buffer, 0, size);
  /** Adds the description of a map to a hash, without the ids of the map and its BTF, which are new each time. */
  const describeMap = (hash, fd) => {
    readMade(fd, MAP_INFO_SIZE);
    for (const id of [4, 64]) info.view.setUint32(id, 0, true);
    hash.update(part(info, MAP_INFO_SIZE));
  };
  /** Adds the BTF of a load to a hash. */
  const describeTypes = (hash, fd) => {
    readMade(fd, BTF_INFO_SIZE);
    const size = info.view.getUint32(8, true);
    infoBytes.fill(0);
    info.view.setBigUint64(0, BigInt(types.at), true);
    info.view.setUint32(8, size, true);
    call6(NR.bpf, BPF_OBJ_GET_INFO_BY_FD, query.at, 16);
    hash.update(part(types, size));
  };
  /** The size of records in bytes: their number is in the field of attr at `count`, and the size of one at `size`. */
  const records = (count, size) => attr.view.getUint32(count, true) * attr.view.getUint32(size, true);
  /** The type and the instructions of a load, as the task passed them. */
  let passed = null;
  const bringCode = () => {
    const { view } = attr;
    const count = view.getUint32(4, true);
    take(attr, 72); // prog_btf_fd
    view.setUint32(24, 0, true); // log_level
    view.setUint32(28, 0, true); // log_size
    view.setBigUint64(32, 0n, true); // log_buf
    if (!bring(8, insns, 8 * count) || !bring(16, license, 4)) return false;
    if (ask !== null) passed = { kind: part(attr, 8).slice(), code: codeOf(count).slice() };
    if (!bring(80, funcs, records(88, 76)) || !bring(96, lines, records(104, 92))) return false;
    for (let at = 0; at < 8 * count; at += 8)
      if (insns.view.getUint8(at) === LD_IMM64 && MAP_FDS.includes(insns.view.getUint8(at + 1) >> 4))
        take(insns, at + 4);
    return true;
  };
  /** Asks the policies about a load whose parts were copied. */
  const decide = () => {
    const { kind, code } = passed;
    const hash = createHash("sha256").update(kind).update(code).update(part(license, 4));
    hash.update(part(funcs, records(88, 76))).update(part(lines, records(104, 92)));
    const btf = attr.view.getInt32(72, true); // prog_btf_fd
    for (const fd of taken) (fd === btf ? describeTypes : describeMap)(hash, fd);
    ask(kind, code, hash.digest("latin1"));
  };
  /** Loads the program or creates the map of the call. Returns an fd for the task, or a negative errno. */
  const make = (command) => {
    readCaller();
    const size = word(request.view, 48);
    if (size > 256 || !copy(request.view.getBigUint64(40, true), attr, size)) return -EFAULT;
    if (command === BPF_PROG_LOAD) {
      if (!bringCode()) return -EFAULT;
    } else for (const offset of [20, 48]) take(attr, offset); // inner_map_fd, btf_fd
    if (call6(NR.ioctl, listener, IOCTL.idValid, request.at) !== 0) return -EFAULT;
    if (ask !== null && command === BPF_PROG_LOAD) decide();
    const fd = call6(NR.bpf, command, attr.at, size);
    const errno = koffi.errno();
    if (fd >= 0) readMade(fd, command === BPF_PROG_LOAD ? PROG_INFO_SIZE : MAP_INFO_SIZE);
    for (const own of taken.splice(0)) call6(NR.close, own);
    return fd < 0 ? -errno : fd;
  };
  /** The command, if it is one that `carry` makes itself. */
  const made = () => {
    const command = word(request.view, 32);
    return carries && (command === BPF_MAP_CREATE || command === BPF_PROG_LOAD) ? command : null;
  };
  /** Waits for a call. A listener whose waiter is in poll(2) wakes it on the processor of the task. */
  const wait = () => {
    if (listener >= 0) {
      for (const [index, fd] of [poll, listener].entries()) {
        polled.view.setInt32(8 * index, fd, true);
        polled.view.setInt32(8 * index + 4, EPOLLIN, true);
      }
      call6(NR.poll, polled.at, 2, -1);
      if (polled.view.getUint16(14, true) !== 0) return;
    }
    while (call6(NR.epoll_wait, poll, event.at, 1, -1) !== 1) {}
    listener = event.view.getInt32(4, true);
  };
  for (;;) {
    wait();
    bytes.fill(0);
    if (call6(NR.ioctl, listener, IOCTL.receive, request.at) !== 0) {
      if (!lasts) return;
      call6(NR.epoll_ctl, poll, EPOLL_CTL_DEL, listener, event.at);
      call6(NR.close, listener);
      listener = -1;
      continue;
    }
    const id = request.view.getBigUint64(0, true);
    const command = made();
    const continues = passes || (carries && command === null);
    let fd = 0;
    if (command !== null) fd = make(command);
    else if (!continues) fd = word(request.view, 32) === BPF_PROG_LOAD ? carryOut() : -EPERM;
    if (continues || fd < 0) {
      response.view.setBigUint64(0, id, true);
      response.view.setInt32(16, fd, true);
      response.view.setUint32(20, continues ? FLAG_CONTINUE : 0, true);
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
