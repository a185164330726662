import { ERRNO } from "../../errno.js";
import type { Call } from "../call/call.js";
import { openPlainPath, PLACE, readLink } from "../sys/file.js";
import { NR } from "../sys/numbers.js";

/**
 * A place in a task's file system that was looked up once, as the task: whatever becomes of names and links afterwards, what
 * was decided on is what is used. `path` is where it is, for a policy; {@link name} leads the kernel there.
 */
export class Place {
  constructor(
    readonly fd: number,
    readonly path: string,
  ) {}

  /** For the gate's own thread, in the gate's own mount namespace. */
  name(within = ""): Uint8Array {
    return Buffer.from(`/proc/thread-self/fd/${this.fd}${within === "" ? "" : `/${within}`}\0`, "latin1");
  }
}

/** A name that is to be made in a folder. */
export interface NewName {
  readonly folder: Place;
  readonly name: string;
}

const AT_FDCWD = -100;

/**
 * Looks a path up. A negative errno as the kernel's; ELOOP for one that leads through a link of /proc to a process's own files,
 * since those would be the gate's. It is held as long as the call is.
 */
export function openPlace(call: Call, path: Uint8Array, directory = AT_FDCWD): Place | number {
  // a path out of the memory of a task that is gone may be anything, and there is nobody to look it up as
  if (!call.stillWaits) return -ERRNO.ESRCH;
  const name = Uint8Array.of(...path, 0);
  return placed(
    call.task.own("place", () => call.asTask(NR.openat2, [directory, name, PLACE, PLACE.byteLength], [], "path")),
  );
}

/** The executable of the task itself, which is what `/proc/self/exe` means to it. */
export function openOwnExecutable({ task }: Call): Place | number {
  return placed(task.own("place", () => openPlainPath(`/proc/${task.tid}/exe`)));
}

/** Looks up the folder that a new name is to be in. */
export function openNewName(call: Call, path: Uint8Array, directory = AT_FDCWD): NewName | number {
  const text = Buffer.from(path).toString("latin1");
  // a slash at the end belongs to the name: the kernel has its own answer to it
  const name = /[^/]*\/*$/.exec(text)?.[0] ?? "";
  const before = text.slice(0, text.length - name.length);
  if (text === "") return -ERRNO.ENOENT;
  if (/^\/*$/.test(name)) return -ERRNO.EEXIST;
  const folder = openPlace(call, Buffer.from(before === "" ? "." : before, "latin1"), directory);
  return typeof folder === "number" ? folder : { folder, name };
}

function placed(fd: number): Place | number {
  return fd < 0 ? fd : new Place(fd, readLink(`/proc/thread-self/fd/${fd}`) ?? "");
}
