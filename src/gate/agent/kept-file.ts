import { ftruncateSync, writeSync } from "node:fs";
import { BOOKMARK_SIZE } from "../call/bookmark.js";
import type { Handed } from "../call/objects.js";
import { memoryFile, readAt } from "../sys/file.js";
import { type ContainerState, MAX_STATE, readState, stateText } from "./container-state.js";
import { handedText, readHanded } from "./handed-text.js";

/** A state is written anew, in which some characters take more. */
const MAX_HEAD = 6 * MAX_STATE;
/** Bytes for what was handed out; and how many of them are taken where all of it is written anew. */
const MAX_OBJECTS = 4 * 1024 * 1024;
const ROOM_TAKEN = MAX_OBJECTS / 2;

/**
 * What is kept of a container beside a listener of it: a file in memory that outlives the agent. It begins with a bookmark; lines
 * follow, the first one of whose the listener is, each other one of an object that was handed out. An agent can be killed while it
 * writes: what stands there from the first line on that is not whole counts for nothing.
 */
export class KeptFile {
  private constructor(
    readonly fd: number,
    readonly state: ContainerState,
    /** Bytes before the first object, and before what comes next. */
    private readonly head: number,
    private end: number,
  ) {}

  /** Null where there can be none. */
  static create(state: ContainerState): KeptFile | null {
    const contents = Buffer.concat([Buffer.alloc(BOOKMARK_SIZE), Buffer.from(`${stateText(state)}\n`)]);
    const fd = memoryFile("countersign-container", contents);
    return fd < 0 ? null : new KeptFile(fd, state, contents.byteLength, contents.byteLength);
  }

  /** What an agent before this one has left; null for what is no such file. */
  static open(fd: number): Opened | null {
    const bytes = readAt(fd, MAX_HEAD + MAX_OBJECTS);
    if (bytes === null || bytes.byteLength < BOOKMARK_SIZE) return null;
    const mark = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
    const [head = null, ...lines] = linesOf(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    if (head === null) return null;
    let state: ContainerState;
    try {
      state = readState(head.text);
    } catch {
      return null;
    }
    const handed: Handed[] = [];
    let { end } = head;
    for (const line of lines) {
      const object = readHanded(line.text);
      if (object === null) break;
      handed.push(object);
      end = line.end;
    }
    return { file: new KeptFile(fd, state, head.end, end), mark, handed };
  }

  /** Adds what was handed out; false where there is no room for it. */
  add(handed: readonly Handed[]): boolean {
    const text = Buffer.from(handed.map((object) => `${handedText(object)}\n`).join(""));
    if (this.end + text.byteLength > this.head + MAX_OBJECTS) return false;
    return this.#write(text);
  }

  /** Has nothing but this, of which the last ones are kept where there is no room for all. */
  replace(handed: readonly Handed[]): void {
    const lines: string[] = [];
    let room = ROOM_TAKEN;
    for (const object of handed.toReversed()) {
      const line = `${handedText(object)}\n`;
      room -= Buffer.byteLength(line);
      if (room < 0) break;
      lines.unshift(line);
    }
    this.end = this.head;
    this.#write(Buffer.from(lines.join("")));
  }

  /** What stood there beyond is gone, so that nothing that was not written whole is ever followed by something. */
  #write(text: Uint8Array): boolean {
    try {
      ftruncateSync(this.fd, this.end);
      for (let done = 0; done < text.byteLength; )
        done += writeSync(this.fd, text, done, text.byteLength - done, this.end + done);
      this.end += text.byteLength;
      return true;
    } catch {
      return false; // no memory: it is not found after the next start
    }
  }
}

export interface Opened {
  readonly file: KeptFile;
  /** What the bookmark says; 0 for nothing. */
  readonly mark: bigint;
  /** Oldest first. */
  readonly handed: readonly Handed[];
}

/** Whole lines behind the bookmark, and where each one ends. */
function linesOf(bytes: Buffer): { readonly text: string; readonly end: number }[] {
  const lines: { text: string; end: number }[] = [];
  for (let start = BOOKMARK_SIZE; ; ) {
    const found = bytes.indexOf(NEWLINE, start);
    if (found < 0) return lines;
    lines.push({ text: bytes.toString("utf8", start, found), end: found + 1 });
    start = found + 1;
  }
}

const NEWLINE = 0x0a;
