import { ERRNO } from "../errno.js";
import { Attr, BY_ID, FLAG, GET } from "./attr.js";
import type { Answer, Call } from "./call.js";
import { CMD, type CommandRow } from "./command.js";
import { judgeLoaded } from "./loaded.js";
import { judgeMap } from "./maps.js";
import { bpf, linkedProgram, mapInfo, programInfo } from "./sys/bpf.js";
import { readLink } from "./sys/file.js";
import { addressOf } from "./sys/libc.js";
import { close } from "./sys/pidfd.js";

/**
 * Fetches an object by id or path as the task, and hands it out if it was handed out to the task's like before. To the
 * task any other does not exist: a refused program has an id for a moment, and others on the machine are not its business.
 */
export function fetchObject(call: Call, cmd: number, row: CommandRow): Answer {
  const fd = row.kind === "path" ? openPinned(call) : openById(call, cmd);
  if (typeof fd !== "number") return fd;
  if (fd < 0) return { result: fd };
  const answer = judgeObject(call, fd);
  if (typeof answer !== "object" || !("fd" in answer)) close(fd);
  return answer;
}

function openById(call: Call, cmd: number): number | "gone" {
  const attr = call.attr(BY_ID.size);
  if (typeof attr === "number") return attr;
  return call.stillWaits ? call.asTask(() => bpf(cmd, attr.bytes)) : "gone";
}

/** PATH_MAX of linux/limits.h, with its NUL. */
const PATH_MAX = 4096;

function openPinned(call: Call): number | "gone" {
  const given = call.attr(GET.size);
  if (typeof given === "number") return given;
  const path = call.task.readString(given.u64(GET.pathname), PATH_MAX);
  if (path === null) return -ERRNO.EFAULT;
  if (path.byteLength === PATH_MAX) return -ENAMETOOLONG;
  const attr = new Attr(given.size, GET.size);
  attr.bytes.set(given.bytes);
  const name = Uint8Array.of(...path, 0);
  attr.setPointer(GET.pathname, addressOf(name));
  if (given.u32(GET.fileFlags) & FLAG.pathFd && given.s32(GET.pathFd) >= 0)
    attr.setU32(GET.pathFd, call.task.fd(given.s32(GET.pathFd)) >>> 0);
  return call.stillWaits ? call.asTask(() => bpf(CMD.objGet, attr.bytes), true) : "gone";
}

const ENAMETOOLONG = 36;

/** Whether an object may be handed out: by what it is, as the kernel names the fd's file. */
function judgeObject(call: Call, fd: number): Answer {
  const kind = readLink(`/proc/thread-self/fd/${fd}`) ?? "";
  const judge = KINDS[kind];
  return judge === undefined ? absent(call, `\`${kind}\``) : judge(call, fd);
}

const KINDS: Readonly<Record<string, (call: Call, fd: number) => Answer>> = {
  "anon_inode:bpf-prog": (call, fd) => {
    const info = programInfo(fd);
    if (typeof info === "number") return { result: info };
    const subject = call.listener.objects.program(info.id);
    if (subject === null) return existing(call, fd, `program ${info.id}`);
    return judgeLoaded(call, subject, true) ?? { fd, handedOut: () => undefined };
  },
  "anon_inode:bpf-map": (call, fd) => {
    const info = mapInfo(fd);
    if (typeof info === "number") return { result: info };
    if (call.listener.objects.mapCreator(info.id) === null && call.settings.existing === "refuse")
      return absent(call, `map ${info.id}`);
    return judgeMap(call, info, fd, 0) ?? { fd, handedOut: () => undefined };
  },
  "anon_inode:bpf_link": (call, fd) => {
    const program = linkedProgram(fd);
    if (program < 0) return { result: program };
    if (call.listener.objects.program(program) !== null) return { fd, handedOut: () => undefined };
    return existing(call, fd, `link of program ${program}`);
  },
};

function existing(call: Call, fd: number, what: string): Answer {
  return call.settings.existing === "allow" ? { fd, handedOut: () => undefined } : absent(call, what);
}

/** Not recorded: whoever lists ids asks for each of them, and nothing was refused that was ever offered. */
function absent(call: Call, _what: string): Answer {
  return call.settings.audit ? "continue" : { result: -ERRNO.ENOENT };
}
