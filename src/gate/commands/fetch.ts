import { ERRNO } from "../../errno.js";
import type { HookName } from "../../hooks/catalogue.js";
import { Attr, BY_ID, FLAG, GET } from "../call/attr.js";
import type { Answer, Call, DeniedSubject } from "../call/call.js";
import { CMD, type CommandRow } from "../call/command.js";
import { isObstacle } from "../call/rules.js";
import { judgeLoaded, loaded } from "../load/loaded.js";
import { linkedProgram, mapInfo, programInfo } from "../sys/bpf.js";
import { addressOf } from "../sys/libc.js";
import { close } from "../sys/pidfd.js";
import { pathCommand } from "./command-subject.js";
import { PATH_MAX } from "./fields.js";
import { liveMap } from "./map-subject.js";
import { judgeMap } from "./maps.js";
import { FILE_NAMES, fileNameOf, type ObjectKind } from "./object-kind.js";
import { openPlace } from "./place.js";

/**
 * Opens an object by id or path with the task's identity, and issues its fd if the gate has issued the object to this
 * container or command before. For any other object the task gets ENOENT, unless `gate.existing` is `allow`. So a task
 * cannot open a program that is about to be denied, which has an id for a moment, nor objects of the rest of the
 * machine.
 */
export function fetchObject(call: Call, cmd: number, row: CommandRow): Answer {
  const fd = row.kind === "path" ? openPinned(call, row) : openById(call, cmd);
  if (typeof fd !== "number") return fd;
  if (fd < 0) return call.asKernel(fd);
  const answer = judgeObject(call, fd);
  if (typeof answer !== "object" || !("fd" in answer)) close(fd);
  return answer;
}

function openById(call: Call, cmd: number): number | Answer {
  const attr = call.attr(BY_ID.size);
  if (!(attr instanceof Attr)) return attr;
  return call.stillWaits ? call.bpfAsTask(cmd, attr.bytes) : "gone";
}

function openPinned(call: Call, row: CommandRow): number | Answer {
  const given = call.attr(GET.size);
  if (!(given instanceof Attr)) return given;
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
  if (isObstacle(place)) return call.denyFor(place, "bpf", { name: row.name });
  if (!call.stillWaits) return "gone";
  if (call.serves("bpf")) {
    const { verdict } = call.decide("bpf", pathCommand(row.name, CMD.objGet, call.word(2), place.path));
    if (verdict < 0) return { result: verdict };
  }
  const attr = new Attr(given.size, GET.size);
  attr.bytes.set(given.bytes);
  const there = place.name();
  attr.setPointer(GET.pathname, addressOf(there));
  attr.setU32(GET.fileFlags, given.u32(GET.fileFlags) & ~FLAG.pathFd);
  attr.setU32(GET.pathFd, 0);
  return call.bpfAsTask(CMD.objGet, attr.bytes, [there], "cgroup");
}

const ENAMETOOLONG = 36;

/** Decides whether an object's fd may be issued, by the kind of the object. */
function judgeObject(call: Call, fd: number): Answer {
  const name = fileNameOf(fd);
  const judge = JUDGES[FILE_NAMES[name] ?? "unknown"];
  if (judge !== undefined) return judge(call, fd);
  return call.deny("unknown_object", "bpf", { name }, `the gate does not know objects of kind \`${name}\``);
}

/**
 * The kinds of objects that the kernel opens by id or path. BTF is not among them, because the gate does not decide on
 * it.
 */
const JUDGES: Readonly<Partial<Record<ObjectKind | "unknown", (call: Call, fd: number) => Answer>>> = {
  program: (call, fd) => {
    const info = programInfo(fd);
    if (typeof info === "number") return { result: info };
    const subject = call.listener.objects.program(info.id);
    if (subject === null) return existing(call, fd, "bpf_prog", "program", { name: info.name, id: info.id });
    return judgeLoaded(call, loaded(subject, info), true) ?? { fd, onIssued: () => undefined };
  },
  map: (call, fd) => {
    const info = mapInfo(fd);
    if (typeof info === "number") return { result: info };
    const { objects } = call.listener;
    const named = () => ({ name: info.name, digest: liveMap(info, fd, "rw").digest, id: info.id });
    if (objects.isPrivateCopy(info.id)) {
      const reason = `map ${info.id} was created by the gate for only one program`;
      return call.denyRepeatable("withheld", "bpf_map", named(), reason, `map ${info.id}`);
    }
    if (objects.mapCreator(info.id) === null && call.settings.existing !== "allow")
      return existing(call, fd, "bpf_map", "map", named());
    return judgeMap(call, info, fd, 0) ?? { fd, onIssued: () => undefined };
  },
  link: judgeLink,
};

function judgeLink(call: Call, fd: number): Answer {
  const program = linkedProgram(fd);
  if (program < 0) return { result: program };
  if (call.listener.objects.program(program) !== null) return { fd, onIssued: () => undefined };
  return existing(call, fd, "bpf", "link of program", { name: `link of program ${program}`, id: program });
}

/**
 * Decides about an object whose fd the gate did not issue to these tasks: it can be opened only if `gate.existing` is
 * `allow`. Tools that list ids open each object repeatedly, so only the first denial of each object is logged, and
 * later ones are counted.
 */
function existing(
  call: Call,
  fd: number,
  hook: HookName,
  kind: "program" | "map" | "link of program",
  subject: DeniedSubject & { readonly id: number },
): Answer {
  if (call.settings.existing === "allow") return { fd, onIssued: () => undefined };
  const what = `${kind} ${subject.id}`;
  return call.denyRepeatable("existing", hook, subject, `${what} was not handed out here (gate.existing)`, what);
}
