import { ERRNO } from "../../../errno.js";
import { addressOf } from "../../../sys/libc.js";
import { type Attr, FLAG, GET } from "../../call/attr.js";
import type { Call } from "../../call/call.js";
import { failWith } from "../../call/failure.js";
import { PLAIN, type Plan } from "./copied-command.js";
import { PATH_MAX } from "./fields.js";
import { heldBy } from "./held.js";
import { openNewName } from "./place.js";

const { pathname, bpfFd, fileFlags, pathFd } = GET;
const ENAMETOOLONG = 36;

/** Plans BPF_OBJ_PIN, which has the fields of BPF_OBJ_GET: looks the folder of the new path up. */
export function planPin(call: Call, given: Attr): Plan {
  const fd = call.task.fd(given.s32(bpfFd));
  if (fd < 0 || heldBy(call, fd) === null) failWith(ERRNO.EINVAL); // for a closed fd, too (bpf_fd_probe_obj)
  const path = call.task.readString(given.u64(pathname), PATH_MAX) ?? failWith(ERRNO.EFAULT);
  if (path.byteLength === PATH_MAX) failWith(ENAMETOOLONG);
  const byFd = (given.u32(fileFlags) & FLAG.pathFd) !== 0;
  if (!byFd && given.s32(pathFd) !== 0) failWith(ERRNO.EINVAL);
  return {
    ...PLAIN,
    handledOffsets: [pathname, pathname + 4, pathFd],
    resolve: ({ attr, held }) => {
      const directory = byFd && given.s32(pathFd) >= 0 ? call.task.fd(given.s32(pathFd)) : undefined;
      const { folder, name } = openNewName(call, path, directory);
      const there = folder.name(name);
      held.push(there);
      attr.setPointer(pathname, addressOf(there));
      attr.setU32(fileFlags, given.u32(fileFlags) & ~FLAG.pathFd);
      return { path: `${folder.path === "/" ? "" : folder.path}/${name}` };
    },
  };
}
