import { CMD } from "../../bpf/model/commands.js";
import { ERRNO } from "../../errno.js";
import type { HookName } from "../../hooks/catalogue.js";
import { linkedProgram, mapInfo, programInfo } from "../../sys/bpf.js";
import type { IssuedFd } from "../call/answer.js";
import { bpfAsTask, readAttr } from "../call/as-task.js";
import { Attr, BY_ID, GET } from "../call/attr.js";
import type { Call } from "../call/call.js";
import type { Command } from "../call/command.js";
import { checked, type DeniedSubject, deny, failWith, reported } from "../call/failure.js";
import { pathCommand } from "./copied/command-subject.js";
import { PATH_MAX } from "./copied/fields.js";
import { FILE_NAMES, fileNameOf, type ObjectKind } from "./copied/object-kind.js";
import { openPlace, setPath, startFolder } from "./copied/place.js";
import { decideMap } from "./map-create.js";
import { decideLoaded, loaded } from "./objects/loaded.js";
import { liveMap } from "./objects/map-subject.js";

/**
 * Opens an object by id or path with the task's identity, and issues its fd if the gate has issued the object to this
 * container or command before. For any other object the task gets EPERM, unless `gate.existing` is `allow`. So a task
 * cannot open a program that is about to be denied, which has an id for a moment, nor objects of the rest of the
 * machine.
 */
export function fetchObject(call: Call, cmd: number, row: Command): IssuedFd {
  const fd = call.task.adopt(checked(row.kind === "path" ? openPinned(call, row.name) : openById(call, cmd)));
  decideObject(call, fd);
  return { fd, issued: null };
}

function openById(call: Call, cmd: number): number {
  const attr = readAttr(call, BY_ID.size);
  call.requireCaller();
  return bpfAsTask(call, cmd, attr.bytes);
}

function openPinned(call: Call, name: string): number {
  const given = readAttr(call, GET.size);
  const path = call.task.readString(given.u64(GET.pathname), PATH_MAX) ?? failWith(ERRNO.EFAULT);
  if (path.byteLength === PATH_MAX) failWith(ENAMETOOLONG);
  const place = openPlace(call, path, startFolder(call, given));
  call.requireCaller();
  if (call.serves("bpf")) call.decide("bpf", pathCommand(name, CMD.BPF_OBJ_GET, call.word(2), place.path));
  const attr = new Attr(given.size, GET.size);
  attr.bytes.set(given.bytes);
  const there = place.name();
  setPath(attr, there);
  return bpfAsTask(call, CMD.BPF_OBJ_GET, attr.bytes, [there], "cgroup");
}

const ENAMETOOLONG = 36;

/** Decides whether an object's fd may be issued, by the kind of the object. */
function decideObject(call: Call, fd: number): void {
  const name = fileNameOf(fd);
  const decide = DECIDE[FILE_NAMES[name] ?? "unknown"];
  if (decide === undefined)
    deny("unknown_object", `the gate does not know objects of kind \`${name}\``, {
      about: { hook: "bpf", subject: { name } },
    });
  decide(call, fd);
}

/**
 * The kinds of objects that the kernel opens by id or path. BTF is not among them, because the gate does not decide on
 * it.
 */
const DECIDE: Readonly<Partial<Record<ObjectKind | "unknown", (call: Call, fd: number) => void>>> = {
  program: (call, fd) => {
    const info = reported(programInfo(fd));
    const subject = call.listener.objects.program(info.id);
    if (subject === null) return denyExisting(call, "bpf_prog", "program", { name: info.name, id: info.id });
    const program = loaded(subject, info);
    call.isAbout("bpf_prog", program);
    decideLoaded(call, program, true);
  },
  map: (call, fd) => {
    const info = reported(mapInfo(fd));
    const { id } = info;
    const { objects } = call.listener;
    const subjectOf = () => ({ name: info.name, digest: liveMap(info, fd, "rw").digest, id });
    if (objects.isPrivateCopy(id))
      deny("withheld", `map ${id} was created by the gate for only one program`, {
        about: { hook: "bpf_map", subject: subjectOf() },
        repeatKey: `map ${id}`,
      });
    if (objects.map(id) === undefined && call.settings.existing !== "allow")
      denyExisting(call, "bpf_map", "map", subjectOf());
    decideMap(call, info, fd, 0);
  },
  link: (call, fd) => {
    const id = checked(linkedProgram(fd));
    if (call.listener.objects.program(id) !== null) return;
    denyExisting(call, "bpf", "link of program", { name: `link of program ${id}`, id });
  },
};

/**
 * Denies an object whose fd the gate did not issue to these tasks, unless `gate.existing` is `allow`. Tools that list
 * ids open each object repeatedly, so only the first denial of each object is logged, and later ones are counted.
 */
function denyExisting(
  call: Call,
  hook: HookName,
  kind: "program" | "map" | "link of program",
  subject: DeniedSubject & { readonly id: number },
): void {
  if (call.settings.existing === "allow") return;
  const what = `${kind} ${subject.id}`;
  deny("existing", `${what} was not handed out here: gate.existing must be \`allow\` to open it`, {
    about: { hook, subject },
    repeatKey: what,
  });
}
