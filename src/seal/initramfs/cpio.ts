/** A file or folder of an archive. */
export interface CpioEntry {
  /** Without a slash at its beginning. */
  readonly path: string;
  /** Permissions: 0o755. */
  readonly permissions: number;
  /** Null for a folder. */
  readonly contents: Uint8Array | null;
}

const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const TRAILER = "TRAILER!!!";

/**
 * An archive in the `newc` format (Documentation/driver-api/early-userspace/buffer-format.rst) with root as owner and
 * no times, so that the same entries give the same bytes. A folder precedes what is in it.
 */
export function cpio(entries: readonly CpioEntry[]): Uint8Array {
  const parts = entries.map(({ path, permissions, contents }, index) =>
    record(path, index + 1, (contents === null ? S_IFDIR : S_IFREG) | permissions, contents ?? new Uint8Array(0)),
  );
  return Buffer.concat([...parts, record(TRAILER, 0, 0, new Uint8Array(0))]);
}

/** Header, name and contents, each padded to 4 bytes. */
function record(name: string, inode: number, mode: number, contents: Uint8Array): Buffer {
  const text = Buffer.from(`${name}\0`);
  // c_magic, then c_ino, c_mode, c_uid, c_gid, c_nlink, c_mtime, c_filesize, c_maj, c_min, c_rmaj, c_rmin, c_namesize,
  // c_chksum
  const links = (mode & 0o170000) === S_IFDIR ? 2 : 1;
  const numbers = [inode, mode, 0, 0, links, 0, contents.length, 0, 0, 0, 0, text.length, 0];
  const header = `070701${numbers.map((number) => number.toString(16).padStart(8, "0")).join("")}`;
  return Buffer.concat([padded(Buffer.concat([Buffer.from(header), text])), padded(contents)]);
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)]);
}
