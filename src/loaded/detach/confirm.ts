import type { LinkReport, MapReport, ProgramReport } from "../model/objects.js";
import type { ObjectName } from "../model/references.js";
import type { Scan } from "../model/scan.js";
import { attachmentKey, attachmentsOf } from "./attachment.js";
import { notDetached } from "./not-detached.js";
import { type Removal, removalOf } from "./removal.js";

const REMEDY = "nothing was removed; scan again, and look at what is there now";

/**
 * The same removal by a later scan. Throws SCAN_NOT_DETACHED unless the object, and a link's program, are those of the
 * earlier scan, and attached or pinned where they were: an id can name another object after a boot, and a pin another
 * one at any time.
 */
export function confirmed(before: Scan, after: Scan, object: ObjectName, removal: Removal): Removal {
  const name = `${object.kind} ${object.id}`;
  if (before.bootId !== after.bootId) throw notDetached("the machine has booted meanwhile", REMEDY);
  const attachments = attachmentsOf(after, object);
  if (attachments === null) throw notDetached(`${name} has gone`, REMEDY);
  if (identity(before, object) !== identity(after, object))
    throw notDetached(`${name} is another one than before`, REMEDY);
  const key = attachmentKey(removal.attachment);
  const now = attachments.find((one) => attachmentKey(one) === key);
  if (now === undefined) throw notDetached(`${name} is no longer where it was`, REMEDY);
  const { attachment } = removal;
  const ids = attachment.by === "link" ? [attachment.link.program] : [];
  for (const program of attachment.by === "structure" ? attachment.places.map((one) => one.program) : ids)
    if (program !== null && programIdentity(before, program) !== programIdentity(after, program))
      throw notDetached(`program ${program} is another one than before`, REMEDY);
  return removalOf(after, object, now);
}

/** What does not change while an object exists. */
function identity(scan: Scan, { kind, id }: ObjectName): string {
  switch (kind) {
    case "program":
      return programIdentity(scan, id);
    case "map":
      return mapIdentity(scan.maps.find((one) => one.id === id));
    case "link":
      return linkIdentity(scan.links.find((one) => one.id === id));
  }
}

function programIdentity({ programs }: Scan, id: number): string {
  const found: ProgramReport | undefined = programs.find((one) => one.id === id);
  return found === undefined
    ? ""
    : JSON.stringify([found.type, found.name, found.tag, String(found.loadTime), found.uid]);
}

function mapIdentity(map: MapReport | undefined): string {
  return map === undefined
    ? ""
    : JSON.stringify([map.type, map.name, map.keySize, map.valueSize, map.maxEntries, map.flags, map.btfId]);
}

function linkIdentity(link: LinkReport | undefined): string {
  return link === undefined ? "" : JSON.stringify([link.type, link.program]);
}
