import { close } from "../../../sys/pidfd.js";
import type { IssuedObject } from "../../call/issued-objects.js";
import { failUnanswered } from "../../call/notification-cursor.js";
import type { ContainerState } from "../container/container-state.js";
import { ContainerJournal } from "./container-journal.js";
import { isListener } from "./handover.js";
import { MAPS_NAME } from "./map-journal.js";
import type { ServiceManager } from "./service-manager.js";

/**
 * Names of containers' fds in the fd store: a number in base 36. The service manager returns all names in one
 * environment variable, which the kernel limits to 128 KiB (MAX_ARG_STRLEN of linux/binfmts.h), so short names allow
 * more containers.
 */
const NAME = /^c([0-9a-z]{1,8})$/;

/** A listener from the fd store, with the file of its cursor, and the issued objects that the file contains. */
export interface Restored {
  readonly listener: number;
  readonly state: ContainerState;
  readonly cursor: number;
  readonly issued: readonly IssuedObject[];
}

/**
 * Stores listeners in the fd store of the service manager, so that the next agent can serve them. Each has its own name
 * and two fds: the listener, and a {@link ContainerJournal}. As long as the fd store has a listener, calls under its
 * filter wait for an agent instead of failing. Objects issued to a container are recorded in the journal of its oldest
 * listener.
 */
export class FdStoreContainers {
  readonly #kept = new Map<number, { readonly name: string; readonly file: ContainerJournal }>();
  /** Journals of each container, by container id; the oldest is first. */
  readonly #files = new Map<string, ContainerJournal[]>();
  #last = 0;

  /** `issuedTo` returns all objects issued to a container, by the container's id. */
  constructor(
    private readonly manager: ServiceManager,
    private readonly issuedTo: (container: string) => readonly IssuedObject[],
  ) {}

  /** Calls `taken` for each container in the fd store, and drops entries that cannot be used. */
  restore(taken: (restored: Restored) => void): void {
    const kept = Array.from(this.manager.kept, ([name, fds]) => ({ name, fds, number: numberOf(name) }));
    for (const { name, fds, number } of kept
      .filter(({ name }) => name !== MAPS_NAME)
      .sort((one, other) => one.number - other.number)) {
      const listener = fds.find(isListener);
      const file = fds.find((fd) => !isListener(fd));
      const opened = number === 0 || file === undefined ? null : ContainerJournal.open(file);
      if (listener === undefined || file === undefined || opened === null) {
        for (const fd of fds) close(fd);
        this.manager.drop(name); // the container has ended, and the service manager dropped the listener by itself
        continue;
      }
      for (const fd of fds) if (fd !== listener && fd !== file) close(fd);
      this.#last = Math.max(this.#last, number);
      this.#add(listener, name, opened.file);
      failUnanswered(listener, opened.mark);
      taken({ listener, state: opened.file.state, cursor: file, issued: opened.issued });
    }
  }

  /** Stores a listener. Returns the fd of the file with its cursor; negative if it could not be stored. */
  keep(listener: number, state: ContainerState): number {
    const file = ContainerJournal.create(state);
    if (file === null) return NOT_KEPT;
    const name = `c${(this.#last + 1).toString(36)}`;
    if (!this.manager.keep(name, [listener, file.fd])) {
      close(file.fd);
      return NOT_KEPT;
    }
    this.#last += 1;
    this.#add(listener, name, file);
    return file.fd;
  }

  /** Records objects that were issued to a container. */
  record(container: string, issued: readonly IssuedObject[]): void {
    const file = this.#files.get(container)?.[0];
    if (file?.add(issued) === false) file.replace(this.issuedTo(container));
  }

  drop(listener: number): void {
    const kept = this.#kept.get(listener);
    if (kept === undefined) return;
    const { id } = kept.file.state;
    const [first, ...others] = this.#files.get(id) ?? [];
    const left = first === kept.file ? others : [first!, ...others.filter((file) => file !== kept.file)];
    this.#kept.delete(listener);
    if (left.length > 0) this.#files.set(id, left);
    else this.#files.delete(id);
    if (first === kept.file) left[0]?.replace(this.issuedTo(id));
    close(kept.file.fd);
    this.manager.drop(kept.name);
  }

  #add(listener: number, name: string, file: ContainerJournal): void {
    this.#kept.set(listener, { name, file });
    const files = this.#files.get(file.state.id) ?? [];
    files.push(file);
    this.#files.set(file.state.id, files);
  }
}

/** Returns the number of a name; 0 if it is no name of a container's fds. */
function numberOf(name: string): number {
  return Number.parseInt(NAME.exec(name)?.[1] ?? "0", 36);
}

const NOT_KEPT = -1;
