import type { IssuedObject } from "../../call/issued-objects.js";
import { CURSOR_SIZE } from "../../call/notification-cursor.js";
import { type ContainerState, MAX_STATE, readState, stateText } from "../container/container-state.js";
import { issuedObjectText, readIssuedObject } from "./issued-object-text.js";
import { Journal } from "./journal.js";

/** Encoding the state again may escape characters, so it can be longer than the input. */
const MAX_HEAD = 6 * MAX_STATE;
/** Maximum size in bytes of the issued objects, and their maximum size after the file was rewritten. */
const MAX_OBJECTS = 4 * 1024 * 1024;
const ROOM_TAKEN = MAX_OBJECTS / 2;

/**
 * The journal of one listener of a container. It begins with a notification cursor; its first line is the container's
 * state, and each other line is an issued object, or says that the agent rejected the container, and why. Versions that
 * do not know such a line ignore it and what follows.
 */
export class ContainerJournal {
  private constructor(
    private readonly journal: Journal,
    readonly state: ContainerState,
  ) {}

  /** Returns null if the memory file cannot be created. */
  static create(state: ContainerState): ContainerJournal | null {
    const journal = Journal.create("countersign-container", CURSOR_SIZE, stateText(state), MAX_OBJECTS);
    return journal === null ? null : new ContainerJournal(journal, state);
  }

  /** Reads the journal of an earlier agent; null if the file is not one. */
  static open(fd: number): Opened | null {
    const issued: IssuedObject[] = [];
    let rejected: string | null = null;
    const opened = Journal.open(fd, CURSOR_SIZE, MAX_HEAD, MAX_OBJECTS, (line) => {
      const reason = readRejection(line);
      rejected ??= reason;
      if (reason !== null) return true;
      const object = readIssuedObject(line);
      if (object !== null) issued.push(object);
      return object !== null;
    });
    if (opened === null) return null;
    const { journal, bytes, first } = opened;
    const mark = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
    try {
      return { file: new ContainerJournal(journal, readState(first)), mark, issued, rejected };
    } catch {
      return null;
    }
  }

  get fd(): number {
    return this.journal.fd;
  }

  /** Records that the agent rejected the container. */
  reject(reason: string): void {
    this.journal.add([JSON.stringify({ rejected: reason })]);
  }

  /** Adds issued objects. Returns false if there is no room. */
  add(issued: readonly IssuedObject[]): boolean {
    return this.journal.add(issued.map(issuedObjectText));
  }

  /** Replaces all issued objects by these. If there is no room for all, keeps the newest ones. */
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
  readonly file: ContainerJournal;
  /** The notification id at the cursor; 0 if there is none. */
  readonly mark: bigint;
  /** Oldest first. */
  readonly issued: readonly IssuedObject[];
  /** Why an agent rejected the container; null if it was served. */
  readonly rejected: string | null;
}

/** Returns the reason in a line that says that the container was rejected; null for any other line. */
function readRejection(line: string): string | null {
  if (!line.startsWith('{"rejected":')) return null;
  try {
    const { rejected } = JSON.parse(line) as { readonly rejected: unknown };
    return typeof rejected === "string" ? rejected : null;
  } catch {
    return null;
  }
}
