import type { IssuedObject } from "../call/issued-objects.js";
import { CURSOR_SIZE } from "../call/notification-cursor.js";
import { type ContainerState, MAX_STATE, readState, stateText } from "./container-state.js";
import { issuedObjectText, readIssuedObject } from "./issued-object-text.js";
import { Journal } from "./journal.js";

/** A state is written anew, in which some characters take more. */
const MAX_HEAD = 6 * MAX_STATE;
/** Bytes for issued objects; and how many of them are used when the file is rewritten. */
const MAX_OBJECTS = 4 * 1024 * 1024;
const ROOM_TAKEN = MAX_OBJECTS / 2;

/**
 * The state of a container beside one of its listeners: a journal that begins with a notification cursor. Its first
 * line is the container's state, each other line an issued object.
 */
export class KeptFile {
  private constructor(
    private readonly journal: Journal,
    readonly state: ContainerState,
  ) {}

  /** Null where there can be none. */
  static create(state: ContainerState): KeptFile | null {
    const journal = Journal.create("countersign-container", CURSOR_SIZE, stateText(state), MAX_OBJECTS);
    return journal === null ? null : new KeptFile(journal, state);
  }

  /** What an agent before this one has left; null for what is no such file. */
  static open(fd: number): Opened | null {
    const issued: IssuedObject[] = [];
    const opened = Journal.open(fd, CURSOR_SIZE, MAX_HEAD, MAX_OBJECTS, (line) => {
      const object = readIssuedObject(line);
      if (object !== null) issued.push(object);
      return object !== null;
    });
    if (opened === null) return null;
    const { journal, bytes, first } = opened;
    const mark = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
    try {
      return { file: new KeptFile(journal, readState(first)), mark, issued };
    } catch {
      return null;
    }
  }

  get fd(): number {
    return this.journal.fd;
  }

  /** Adds issued objects; false if there is no room. */
  add(issued: readonly IssuedObject[]): boolean {
    return this.journal.add(issued.map(issuedObjectText));
  }

  /** Has nothing but this, of which the last ones are kept where there is no room for all. */
  replace(issued: readonly IssuedObject[]): void {
    const lines: string[] = [];
    let room = ROOM_TAKEN;
    for (const object of issued.toReversed()) {
      const line = issuedObjectText(object);
      room -= Buffer.byteLength(line) + 1;
      if (room < 0) break;
      lines.unshift(line);
    }
    this.journal.replace(lines);
  }
}

export interface Opened {
  readonly file: KeptFile;
  /** The notification id at the cursor; 0 if there is none. */
  readonly mark: bigint;
  /** Oldest first. */
  readonly issued: readonly IssuedObject[];
}
