import { BOOKMARK_SIZE } from "../call/bookmark.js";
import type { Handed } from "../call/objects.js";
import { type ContainerState, MAX_STATE, readState, stateText } from "./container-state.js";
import { handedText, readHanded } from "./handed-text.js";
import { Journal } from "./journal.js";

/** A state is written anew, in which some characters take more. */
const MAX_HEAD = 6 * MAX_STATE;
/** Bytes for what was handed out; and how many of them are taken where all of it is written anew. */
const MAX_OBJECTS = 4 * 1024 * 1024;
const ROOM_TAKEN = MAX_OBJECTS / 2;

/**
 * What is kept of a container beside a listener of it: a journal that begins with a bookmark; its first line says whose the
 * listener is, each other one is of an object that was handed out.
 */
export class KeptFile {
  private constructor(
    private readonly journal: Journal,
    readonly state: ContainerState,
  ) {}

  /** Null where there can be none. */
  static create(state: ContainerState): KeptFile | null {
    const journal = Journal.create("countersign-container", BOOKMARK_SIZE, stateText(state), MAX_OBJECTS);
    return journal === null ? null : new KeptFile(journal, state);
  }

  /** What an agent before this one has left; null for what is no such file. */
  static open(fd: number): Opened | null {
    const handed: Handed[] = [];
    const opened = Journal.open(fd, BOOKMARK_SIZE, MAX_HEAD, MAX_OBJECTS, (line) => {
      const object = readHanded(line);
      if (object !== null) handed.push(object);
      return object !== null;
    });
    if (opened === null) return null;
    const { journal, bytes, first } = opened;
    const mark = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
    try {
      return { file: new KeptFile(journal, readState(first)), mark, handed };
    } catch {
      return null;
    }
  }

  get fd(): number {
    return this.journal.fd;
  }

  /** Adds what was handed out; false where there is no room for it. */
  add(handed: readonly Handed[]): boolean {
    return this.journal.add(handed.map(handedText));
  }

  /** Has nothing but this, of which the last ones are kept where there is no room for all. */
  replace(handed: readonly Handed[]): void {
    const lines: string[] = [];
    let room = ROOM_TAKEN;
    for (const object of handed.toReversed()) {
      const line = handedText(object);
      room -= Buffer.byteLength(line) + 1;
      if (room < 0) break;
      lines.unshift(line);
    }
    this.journal.replace(lines);
  }
}

export interface Opened {
  readonly file: KeptFile;
  /** What the bookmark says; 0 for nothing. */
  readonly mark: bigint;
  /** Oldest first. */
  readonly handed: readonly Handed[];
}
