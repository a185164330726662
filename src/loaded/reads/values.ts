import { readdirSync, readlinkSync } from "node:fs";
import { components, type Raw, type Reads } from "./reads.js";
import { invalidArchive } from "./saved-error.js";
import { wholeFile } from "./whole-file.js";

/** What a function of node:fs returns, or the negative errno of the error that it throws. */
export function fileResult<T extends object | bigint>(act: () => T): T | number {
  try {
    return act();
  } catch (error) {
    const { errno } = error as NodeJS.ErrnoException;
    if (errno === undefined) throw error;
    return errno;
  }
}

/** The bytes of a file. */
export function fileRead(reads: Reads, path: string): Raw {
  return reads.bytes(components(path), () => fileResult(() => wholeFile(path)));
}

/** The text of a file; null if it cannot be read. */
export function textRead(reads: Reads, path: string, encoding: "utf8" | "latin1" = "utf8"): string | null {
  return textOf(fileRead(reads, path), encoding);
}

/** The text of a result; null for an errno. */
export function textOf(raw: Raw, encoding: "utf8" | "latin1" = "utf8"): string | null {
  return typeof raw === "number" ? null : textIn(raw, encoding);
}

/** The target of a symbolic link; null if it cannot be read. */
export function linkRead(reads: Reads, path: string): string | null {
  return textOf(reads.bytes(components(path), () => fileResult(() => readlinkSync(path, "buffer"))));
}

function textIn({ buffer, byteOffset, byteLength }: Uint8Array, encoding: "utf8" | "latin1"): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString(encoding);
}

/** The inode number of a namespace of a process; 0, which is none, if it cannot be read. */
export function namespaceRead(reads: Reads, task: number | "self", kind: string): number {
  const number = /^[a-z_]+:\[(\d+)\]$/.exec(linkRead(reads, `/proc/${task}/ns/${kind}`) ?? "")?.[1];
  return Number(number ?? 0);
}

/** An entry of a folder. */
export interface FolderEntry {
  readonly name: string;
  readonly type: "folder" | "file" | "other";
}

/** By the first character of a saved entry. */
const ENTRY_TYPES: Readonly<Record<string, FolderEntry["type"]>> = { d: "folder", f: "file", o: "other" };

/**
 * The entries of a folder, or a negative errno. The result is a text: for each entry a letter for its type and its
 * name, with a NUL at its end.
 */
export function namesRead(reads: Reads, folder: string): readonly FolderEntry[] | number {
  const name = `${components(folder)}/@names`.replace(/^\//, "");
  const text = reads.bytes(name, () =>
    fileResult(() =>
      Buffer.from(
        readdirSync(folder, { withFileTypes: true })
          .map((entry) => `${entry.isDirectory() ? "d" : entry.isFile() ? "f" : "o"}${entry.name}\0`)
          .join(""),
      ),
    ),
  );
  return typeof text === "number" ? text : stringsIn(text).map((entry) => folderEntry(entry, name));
}

function folderEntry(text: string, place: string): FolderEntry {
  const [type, name] = [ENTRY_TYPES[text.slice(0, 1)], text.slice(1)];
  if (type === undefined || name === "" || name === "." || name === ".." || name.includes("/"))
    throw invalidArchive("is no list of names", place);
  return { name, type };
}

/** Texts that end with a NUL each. */
function stringsIn(bytes: Uint8Array): readonly string[] {
  return textIn(bytes, "utf8").split("\0").slice(0, -1);
}

/** A list of numbers of 32 bits without a sign, or a negative errno. */
export function numbersRead(
  reads: Reads,
  name: string,
  read: () => readonly number[] | number,
): readonly number[] | number {
  const bytes = reads.bytes(name, () => {
    const result = read();
    return typeof result === "number" ? result : bytesOf(Uint32Array.from(result));
  });
  if (typeof bytes === "number") return bytes;
  if (bytes.byteLength % 4 !== 0) throw invalidArchive("is no list of numbers", name);
  const view = viewOf(bytes);
  return Array.from({ length: bytes.byteLength / 4 }, (_, index) => view.getUint32(4 * index, true));
}

/** Pairs of numbers, such as an attach type and the id of a program; a negative errno on failure. */
export function pairsRead(
  reads: Reads,
  name: string,
  read: () => readonly (readonly [number, number])[] | number,
): readonly (readonly [number, number])[] | number {
  const numbers = numbersRead(reads, name, () => {
    const result = read();
    return typeof result === "number" ? result : result.flat();
  });
  if (typeof numbers === "number") return numbers;
  if (numbers.length % 2 !== 0) throw invalidArchive("is no list of pairs of numbers", name);
  return Array.from({ length: numbers.length / 2 }, (_, index) => [numbers[2 * index]!, numbers[2 * index + 1]!]);
}

/** A number of 64 bits without a sign, or a negative errno. */
export function bigRead(reads: Reads, name: string, read: () => bigint | number): bigint | number {
  const bytes = reads.bytes(name, () => {
    const result = read();
    return typeof result === "number" ? result : bytesOf(BigUint64Array.of(result));
  });
  if (typeof bytes === "number") return bytes;
  if (bytes.byteLength !== 8) throw invalidArchive("is no number of 64 bits", name);
  return viewOf(bytes).getBigUint64(0, true);
}

/** A structure of the kernel, of which at least `size` bytes are there, or a negative errno. */
export function structureRead(
  reads: Reads,
  name: string,
  size: number,
  read: () => NodeJS.ArrayBufferView | number,
): DataView | number {
  const bytes = reads.bytes(name, () => {
    const result = read();
    return typeof result === "number" ? result : bytesOf(result);
  });
  if (typeof bytes === "number") return bytes;
  if (bytes.byteLength < size) throw invalidArchive(`has ${bytes.byteLength} bytes of ${size}`, name);
  return viewOf(bytes);
}

function bytesOf({ buffer, byteOffset, byteLength }: NodeJS.ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
