import { addressOf, Fixed, syscall } from "./libc.js";
import { NR } from "./numbers.js";

const AT_FDCWD = -100;
const O_CLOEXEC = 0o2000000;
const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const F_ADD_SEALS = 1033;
/** F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE of linux/fcntl.h. */
const ALL_SEALS = 0xf;

/** Encodes a text as UTF-8 with a NUL at its end. */
export function cString(text: string): Uint8Array {
  return Buffer.from(`${text}\0`, "utf8");
}

/** Opens a file for reading, close-on-exec; a negative errno on failure. */
export function openFile(path: string): number {
  return syscall(NR.openat, AT_FDCWD, cString(path), O_CLOEXEC, 0);
}

const O_PATH = 0o10000000;
const O_DIRECTORY = 0o200000;

/** Opens a folder in which names can be looked up (O_PATH); a negative errno on failure. */
export function openFolder(path: string): number {
  return syscall(NR.openat, AT_FDCWD, cString(path), O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
}

const O_NONBLOCK = 0o4000;

/** Opens a file in a folder for reading, without waiting for a writer; a negative errno on failure. */
export function openIn(folder: number, name: string): number {
  return syscall(NR.openat, folder, cString(name), O_NONBLOCK | O_CLOEXEC, 0);
}

/**
 * RESOLVE_NO_MAGICLINKS of linux/openat2.h: do not follow links such as /proc/self/root, which would lead to files of
 * the gate.
 */
const RESOLVE_NO_MAGICLINKS = 2;

/** struct open_how for openat2(2): opens a path with O_PATH, without following magic links of /proc. */
export const PLACE = new Uint8Array(
  BigUint64Array.of(BigInt(O_PATH | O_CLOEXEC), 0n, BigInt(RESOLVE_NO_MAGICLINKS)).buffer,
);

/** RESOLVE_NO_SYMLINKS and RESOLVE_IN_ROOT of linux/openat2.h. */
const WITHIN_ROOT = 4 | 0x10;

/**
 * Opens a folder (O_PATH) by its path from a root folder, through no symbolic link: whoever can write in the path leads
 * it nowhere else. Returns a negative errno on failure.
 */
export function openFolderWithin(root: number, path: string): number {
  const how = new Uint8Array(
    BigUint64Array.of(BigInt(O_PATH | O_DIRECTORY | O_CLOEXEC), 0n, BigInt(WITHIN_ROOT)).buffer,
  );
  return syscall(NR.openat2, root, cString(path), how, how.byteLength);
}

/** Removes a name from a folder; 0 or a negative errno. */
export function unlinkIn(folder: number, name: string): number {
  return syscall(NR.unlinkat, folder, cString(name), 0);
}

/** Opens a path with O_PATH and follows all links, including those of /proc; a negative errno on failure. */
export function openPlainPath(path: string): number {
  return syscall(NR.openat, AT_FDCWD, cString(path), O_PATH | O_CLOEXEC, 0);
}

/**
 * Opens a cgroup by its id, close-on-exec; a negative errno on failure. struct file_handle: size u32 0 · type s32 4 ·
 * bytes 8, which are the id for FILEID_KERNFS (linux/exportfs.h).
 */
export function openCgroup(mount: string, id: bigint): number {
  const root = openFile(mount);
  if (root < 0) return root;
  const handle = new DataView(new ArrayBuffer(16));
  handle.setUint32(0, 8, true);
  handle.setInt32(4, FILEID_KERNFS, true);
  handle.setBigUint64(8, id, true);
  const fd = syscall(NR.open_by_handle_at, root, handle, O_PATH | O_CLOEXEC);
  syscall(NR.close, root);
  return fd;
}

const FILEID_KERNFS = 0xfe;

const scratch = Buffer.alloc(16 * 1024);

/**
 * Reads at most 16 KiB of a file in /proc with one read(2), so that the content is consistent; null if it cannot be
 * read.
 */
export function readSmall(path: string): string | null {
  const fd = openFile(path);
  if (fd < 0) return null;
  const length = syscall(NR.read, fd, scratch, scratch.byteLength);
  syscall(NR.close, fd);
  return length < 0 ? null : scratch.toString("utf8", 0, length);
}

/** Reads the target of a symbolic link; null on failure. */
export function readLink(path: string): string | null {
  const length = syscall(NR.readlinkat, AT_FDCWD, cString(path), scratch, 4096);
  return length < 0 ? null : scratch.toString("utf8", 0, length);
}

/** Reads a whole file from its start; null if it is longer than `limit` bytes or cannot be read. */
export function readAt(fd: number, limit: number): Uint8Array | null {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const chunk = new Uint8Array(256 * 1024);
    const count = syscall(NR.pread64, fd, chunk, chunk.byteLength, length);
    if (count < 0) return null;
    if (count === 0) return Buffer.concat(chunks, length);
    chunks.push(chunk.subarray(0, count));
    length += count;
    if (length > limit) return null;
  }
}

/**
 * Creates a memory file with these bytes that cannot be changed (F_ADD_SEALS of fcntl(2)); a negative errno on failure.
 */
export function sealedFile(name: string, bytes: Uint8Array): number {
  const fd = memoryFile(name, bytes);
  if (fd < 0) return fd;
  const failed = syscall(NR.fcntl, fd, F_ADD_SEALS, ALL_SEALS);
  if (failed === 0) return fd;
  syscall(NR.close, fd);
  return failed;
}

/** Creates a memory file with these bytes (memfd_create(2)); a negative errno on failure. */
export function memoryFile(name: string, bytes: Uint8Array): number {
  const fd = syscall(NR.memfd_create, cString(name), MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return fd;
  const failed = fill(fd, bytes);
  if (failed === 0) return fd;
  syscall(NR.close, fd);
  return failed;
}

/** Writes the first `length` bytes to the start of a file. */
export function writeStart(fd: number, bytes: Uint8Array, length: number): void {
  syscall(NR.pwrite64, fd, bytes, length, 0);
}

function fill(fd: number, bytes: Uint8Array): number {
  const sized = syscall(NR.ftruncate, fd, bytes.byteLength);
  if (sized < 0) return sized;
  const start = addressOf(bytes);
  let done = 0;
  while (done < bytes.byteLength) {
    const count = syscall(NR.pwrite64, fd, start + done, bytes.byteLength - done, done);
    if (count < 0) return count;
    done += count;
  }
  return 0;
}

/** The inode number of an open file (statx(2)); null on failure. */
export function inodeOf(fd: number): bigint | null {
  return isKnown(fd) ? status.memory.getBigUint64(32, true) : null;
}

/** A text that identifies an open file and its mount: mount id, device and inode number (statx(2)); null on failure. */
export function placeOf(fd: number): string | null {
  if (!isKnown(fd)) return null;
  const { memory } = status;
  return `${memory.getBigUint64(144, true)} ${deviceIn(memory)} ${memory.getBigUint64(32, true)}`;
}

/** Whether an open file is in memory of the kernel that no mount shows, as each memfd without huge pages is. */
export function isMemoryFile(fd: number): boolean {
  if (!isKnown(fd)) return false;
  const device = deviceIn(status.memory);
  const own = memoryFile("place", new Uint8Array(0));
  const isSame = own >= 0 && isKnown(own) && deviceIn(status.memory) === device;
  if (own >= 0) syscall(NR.close, own);
  return isSame;
}

function isKnown(fd: number): boolean {
  return syscall(NR.statx, fd, EMPTY_PATH.address, AT_EMPTY_PATH, STATX_INO | STATX_MNT_ID, status.address) === 0;
}

/** struct statx: stx_ino 32 · stx_dev_major 136 · stx_dev_minor 140 · stx_mnt_id 144. */
function deviceIn(memory: DataView): string {
  return `${memory.getUint32(136, true)}:${memory.getUint32(140, true)}`;
}

/** struct statx. */
const status = new Fixed(new DataView(new ArrayBuffer(256)));
const EMPTY_PATH = new Fixed(Uint8Array.of(0));
const AT_EMPTY_PATH = 0x1000;
const STATX_INO = 0x100;
const STATX_MNT_ID = 0x1000;
