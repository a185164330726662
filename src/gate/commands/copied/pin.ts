import { ERRNO } from "../../../errno.js";
import { type Attr, GET } from "../../call/attr.js";
import type { Call } from "../../call/call.js";
import { failWith } from "../../call/failure.js";
import { PLAIN, type Plan } from "./copied-command.js";
import { PATH_MAX } from "./fields.js";
import { heldBy } from "./held.js";
import { openNewName, setPath, startFolder } from "./place.js";

const { pathname, bpfFd } = GET;
const ENAMETOOLONG = 36;

/** Plans BPF_OBJ_PIN, which has the fields of BPF_OBJ_GET: looks the folder of the new path up. */
export function planPin(call: Call, given: Attr): Plan {
  const fd = call.task.fd(given.s32(bpfFd));
  if (fd < 0 || heldBy(call, fd) === null) failWith(ERRNO.EINVAL); // for a closed fd, too (bpf_fd_probe_obj)
  const path = call.task.readString(given.u64(pathname), PATH_MAX) ?? failWith(ERRNO.EFAULT);
  if (path.byteLength === PATH_MAX) failWith(ENAMETOOLONG);
  return {
    ...PLAIN,
    handledOffsets: [pathname, pathname + 4],
    resolve: ({ attr, held }) => {
      const { folder, name } = openNewName(call, path, startFolder(call, given));
      const there = folder.name(name);
      held.push(there);
      setPath(attr, there);
      return { path: `${folder.path === "/" ? "" : folder.path}/${name}` };
    },
  };
}
