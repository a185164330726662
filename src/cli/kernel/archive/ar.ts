import { type ByteSource, PartSource, startOf } from "../source/byte-source.js";
import { malformed } from "../source/kernel-error.js";

/** The global header of ar(5). */
const MAGIC = Buffer.from("!<arch>\n");
const HEADER_SIZE = 60;
/** Maximum number of members. A Debian package has three, and some have one or two more (deb(5)). */
const MAX_MEMBERS = 16;

/** Whether these first bytes of a file are those of an archive of ar(1), such as a Debian package. */
export function isAr(start: Uint8Array): boolean {
  return MAGIC.equals(start.subarray(0, MAGIC.length));
}

/** Finds a member by its name. Throws KERNEL_MALFORMED if the archive violates its format or has too many members. */
export function memberOf(archive: ByteSource, matches: (name: string) => boolean): PartSource | null {
  const { place } = archive;
  if (!isAr(startOf(archive, MAGIC.length))) throw malformed(place, "is not an ar archive");
  let at = MAGIC.length;
  for (let members = 0; at < archive.size; members++) {
    if (members === MAX_MEMBERS) throw malformed(place, `has more than ${MAX_MEMBERS} members`);
    const header = Buffer.from(archive.read(at, HEADER_SIZE)).toString("latin1");
    const name = header.slice(0, 16).replace(/\/? *$/, "");
    const size = header.slice(48, 58).trimEnd();
    if (!header.endsWith("`\n") || !/^\d+$/.test(size)) throw malformed(place, `has no member at offset ${at}`);
    const start = at + HEADER_SIZE;
    if (matches(name)) return new PartSource(`${place}: ${name}`, archive, start, Number(size));
    // Members begin at even offsets.
    at = start + Number(size) + (Number(size) % 2);
  }
  return null;
}
