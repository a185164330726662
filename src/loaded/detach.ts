import { attachmentKey, attachmentsOf } from "./detach/attachment.js";
import { confirmed } from "./detach/confirm.js";
import { recordInKernelLog } from "./detach/kernel-record.js";
import { notDetached } from "./detach/not-detached.js";
import { type Removal, removalOf } from "./detach/removal.js";
import { remove } from "./detach/remove.js";
import type { ObjectName } from "./model/references.js";
import type { Scan } from "./model/scan.js";
import { presentScan } from "./scan.js";

/** What removing each attachment of an object would be. */
export interface Removals {
  readonly scan: Scan;
  readonly removals: readonly Removal[];
}

/** Scans, and changes nothing. Throws SCAN_NO_ACCESS, and SCAN_NOT_DETACHED if there is no such object. */
export async function removalsOf(object: ObjectName): Promise<Removals> {
  const { scan } = await presentScan();
  const attachments = attachmentsOf(scan, object);
  if (attachments === null)
    throw notDetached(
      `there is no ${object.kind} ${object.id}`,
      `\`countersign scan\` lists the ${object.kind}s with their ids`,
    );
  return { scan, removals: attachments.map((attachment) => removalOf(scan, object, attachment)) };
}

/**
 * Scans again, and removes this attachment if the object and its place are those of the scan that `before` is. The
 * kernel's log says first what is removed. Throws SCAN_NOT_DETACHED if nothing was removed, or if it is there again.
 */
export async function removeConfirmed(
  before: Scan,
  object: ObjectName,
  removal: Removal,
  record: string,
): Promise<void> {
  const { scan } = await presentScan();
  const now = confirmed(before, scan, object, removal);
  recordInKernelLog(record);
  try {
    remove(object, now);
  } catch (error) {
    recordInKernelLog(`${(error as Error).message}: not done: ${record}`);
    throw error;
  }
  const after = (await presentScan()).scan;
  if (now.attachment.by === "link" && now.attachment.link.type === "netfilter") return;
  const key = attachmentKey(now.attachment);
  if (attachmentsOf(after, object)?.some((one) => attachmentKey(one) === key) !== true) return;
  throw notDetached(
    `it was removed, and ${object.kind} ${object.id} is there again`,
    "end the process that attaches it again, or remove it from that process's configuration",
  );
}
