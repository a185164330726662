import { ERRNO } from "../../../errno.js";
import { oneLine } from "../../../error.js";
import { openPlainPath, PLACE, readLink } from "../../../sys/file.js";
import { addressOf } from "../../../sys/libc.js";
import { NR } from "../../../sys/numbers.js";
import { callAsTask } from "../../call/as-task.js";
import { type Attr, FLAG, GET } from "../../call/attr.js";
import type { Call } from "../../call/call.js";
import { checked, deny, failWith } from "../../call/failure.js";

/**
 * A file in a task's file system, looked up once with the task's credentials: later changes of names and links do not
 * change the file that was decided on. `path` is its path, for policies; {@link name} is a path by which the kernel
 * finds it.
 */
class Place {
  constructor(
    readonly fd: number,
    readonly path: string,
  ) {}

  /** Returns a path to the file, or to a name in it if it is a folder. Valid only in this thread, which has the fd. */
  name(within = ""): Uint8Array {
    return Buffer.from(`/proc/thread-self/fd/${this.fd}${within === "" ? "" : `/${within}`}\0`, "latin1");
  }
}

/** A new name in a folder. */
export interface NewName {
  readonly folder: Place;
  readonly name: string;
}

const AT_FDCWD = -100;

/**
 * Returns the folder that relative paths of BPF_OBJ_PIN and BPF_OBJ_GET begin at: AT_FDCWD, the gate's copy of the
 * task's fd, or a negative errno if the task does not have it.
 */
export function startFolder(call: Call, given: Attr): number {
  const number = given.s32(GET.pathFd);
  if ((given.u32(GET.fileFlags) & FLAG.pathFd) === 0) return number === 0 ? AT_FDCWD : failWith(ERRNO.EINVAL);
  return number === AT_FDCWD ? AT_FDCWD : call.task.fd(number);
}

/** Puts the absolute path of a place into attr. With BPF_F_PATH_FD, the kernel does not use path_fd then. */
export function setPath(attr: Attr, path: Uint8Array): void {
  attr.setPointer(GET.pathname, addressOf(path));
  if (attr.u32(GET.fileFlags) & FLAG.pathFd) attr.setU32(GET.pathFd, AT_FDCWD >>> 0);
}

/**
 * Looks a path up. Fails with the kernel's errno. Denies a path that leads through a link in /proc to a process's own
 * files, since for the gate those would be its own. The file is held open as long as the call lasts.
 */
export function openPlace(call: Call, path: Uint8Array, directory = AT_FDCWD): Place {
  // if the task has exited, the copied path may come from another process, and there are no credentials to use
  call.requireCaller();
  const name = Uint8Array.of(...path, 0);
  const fd = call.task.own("place", () =>
    callAsTask(call, NR.openat2, [directory, name, PLACE, PLACE.byteLength], [], "mount"),
  );
  if (fd !== -ERRNO.ELOOP) return placed(fd);
  const text = oneLine(Buffer.from(path).toString());
  return deny("proc_link", `\`${text}\` leads through a link of a process in /proc, or through too many links`);
}

/** Opens the task's executable, to which `/proc/self/exe` refers for the task. */
export function openOwnExecutable({ task }: Call): Place {
  return placed(task.own("place", () => openPlainPath(`/proc/${task.tid}/exe`)));
}

/** Looks up the folder of a path whose last part is a new name. */
export function openNewName(call: Call, path: Uint8Array, directory = AT_FDCWD): NewName {
  const text = Buffer.from(path).toString("latin1");
  // a trailing slash stays part of the name, so that the kernel returns its own error for it
  const name = /[^/]*\/*$/.exec(text)?.[0] ?? "";
  const before = text.slice(0, text.length - name.length);
  if (text === "") failWith(ERRNO.ENOENT);
  if (/^\/*$/.test(name)) failWith(ERRNO.EEXIST);
  return { folder: openPlace(call, Buffer.from(before === "" ? "." : before, "latin1"), directory), name };
}

function placed(fd: number): Place {
  return new Place(checked(fd), readLink(`/proc/thread-self/fd/${fd}`) ?? "");
}
