import { basename, dirname } from "node:path";
import { openPinned } from "../../sys/bpf-objects.js";
import { openFolder, openFolderWithin, unlinkIn } from "../../sys/file.js";
import { close } from "../../sys/pidfd.js";
import { keyOf, type ObjectName, type PinReference } from "../model/references.js";
import { mountNamespaces } from "../mounts/mount-namespaces.js";
import { Opened } from "../reads/opened.js";
import { KERNEL } from "../reads/reads.js";
import { textOf } from "../reads/values.js";
import { describedObject, descriptionOfFd } from "../references/descriptor.js";
import { visibleProcesses } from "../references/processes.js";
import { done, notDetached } from "./not-detached.js";

/**
 * Removes a pin in any mount namespace. Its folder is opened first, through no symbolic link: a container that moves
 * its folders leads the removal to no file outside of this one.
 */
export function removePin(object: ObjectName, { path, mountNamespace }: PinReference): number {
  const namespace = mountNamespaces(KERNEL, visibleProcesses(KERNEL)).find(({ number }) => number === mountNamespace);
  if (namespace === undefined) throw notDetached(`mount namespace ${mountNamespace} has gone`, "scan again");
  const root = done(openFolder(namespace.root), `opening ${namespace.root}`);
  try {
    const folder = done(openFolderWithin(root, dirname(path)), `opening ${dirname(path)}`);
    try {
      const pinned = new Opened(() => openPinned(`/proc/self/fd/${folder}/${basename(path)}`));
      const description = pinned.use(descriptionOfFd);
      pinned.close();
      const now = describedObject(textOf(description) ?? "");
      if (now === null || keyOf(now) !== keyOf(object))
        throw notDetached(`${path} no longer pins ${object.kind} ${object.id}`, "scan again");
      return done(unlinkIn(folder, basename(path)), `removing ${path}`);
    } finally {
      close(folder);
    }
  } finally {
    close(root);
  }
}
