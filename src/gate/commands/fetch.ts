import { ERRNO } from "../../errno.js";
import { Attr, BY_ID, FLAG, GET } from "../call/attr.js";
import type { Answer, Call } from "../call/call.js";
import { CMD, type CommandRow } from "../call/command.js";
import { judgeLoaded } from "../load/loaded.js";
import { linkedProgram, mapInfo, programInfo } from "../sys/bpf.js";
import { readLink } from "../sys/file.js";
import { addressOf } from "../sys/libc.js";
import { close } from "../sys/pidfd.js";
import { pathCommand } from "./command-subject.js";
import { PATH_MAX } from "./fields.js";
import { judgeMap } from "./maps.js";
import { openPlace } from "./place.js";

/**
 * Fetches an object by id or path as the task, and hands it out if it was handed out to the task's like before. To the
 * task any other does not exist: a refused program has an id for a moment, and others on the machine are not its business.
 */
export function fetchObject(call: Call, cmd: number, row: CommandRow): Answer {
  const fd = row.kind === "path" ? openPinned(call, row) : openById(call, cmd);
  if (typeof fd !== "number") return fd;
  if (fd < 0) return { result: fd };
  const answer = judgeObject(call, fd);
  if (typeof answer !== "object" || !("fd" in answer)) close(fd);
  return answer;
}

function openById(call: Call, cmd: number): number | "gone" {
  const attr = call.attr(BY_ID.size);
  if (typeof attr === "number") return attr;
  return call.stillWaits ? call.bpfAsTask(cmd, attr.bytes) : "gone";
}

function openPinned(call: Call, row: CommandRow): number | "gone" {
  const given = call.attr(GET.size);
  if (typeof given === "number") return given;
  const path = call.task.readString(given.u64(GET.pathname), PATH_MAX);
  if (path === null) return -ERRNO.EFAULT;
  if (path.byteLength === PATH_MAX) return -ENAMETOOLONG;
  const byFd = (given.u32(GET.fileFlags) & FLAG.pathFd) !== 0;
  if (!byFd && given.s32(GET.pathFd) !== 0) return -ERRNO.EINVAL;
  const place = openPlace(
    call,
    path,
    byFd && given.s32(GET.pathFd) >= 0 ? call.task.fd(given.s32(GET.pathFd)) : undefined,
  );
  if (typeof place === "number") return place;
  if (!call.stillWaits) return "gone";
  if (call.serves("bpf")) {
    const { verdict } = call.decide("bpf", pathCommand(row.name, CMD.objGet, call.word(2), place.path));
    if (verdict < 0) return verdict;
  }
  const attr = new Attr(given.size, GET.size);
  attr.bytes.set(given.bytes);
  const there = place.name();
  attr.setPointer(GET.pathname, addressOf(there));
  attr.setU32(GET.fileFlags, given.u32(GET.fileFlags) & ~FLAG.pathFd);
  attr.setU32(GET.pathFd, 0);
  return call.bpfAsTask(CMD.objGet, attr.bytes, [there], "place");
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
    const { objects } = call.listener;
    const handedOut = objects.mapCreator(info.id) !== null || call.settings.existing === "allow";
    if (objects.isWithheld(info.id) || !handedOut) return absent(call, `map ${info.id}`);
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
