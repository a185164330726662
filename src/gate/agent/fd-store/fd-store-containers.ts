import { close } from "../../../sys/pidfd.js";
import type { IssuedObject } from "../../call/issued-objects.js";
import { failUnanswered } from "../../call/notification-cursor.js";
import { type ContainerState, unknownState } from "../container/container-state.js";
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

/** A listener from the fd store, with what its file contains. */
export interface Restored {
  readonly listener: number;
  /** That of {@link unknownState} if there is no file or it cannot be read. */
  readonly state: ContainerState;
  /** Fd of the file for the listener's cursor; negative if there is none. */
  readonly cursor: number;
  readonly issued: readonly IssuedObject[];
  /** Why the container is rejected; null if it was served. */
  readonly rejected: string | null;
}

/**
 * Stores listeners in the fd store of the service manager, so that the next agent can serve them. Each has its own name
 * and two fds: the listener, and a {@link ContainerJournal}. As long as the fd store has a listener, calls under its
 * filter wait for an agent instead of failing. Objects issued to a container are recorded in the journal of its oldest
 * listener. Listeners of rejected containers are stored in the same way, and their journals say so.
 */
export class FdStoreContainers {
  /** By listener. `file` is null for a listener whose journal could not be read. */
  readonly #kept = new Map<number, { readonly name: string; readonly file: ContainerJournal | null }>();
  /** Journals of each container, by container id; the oldest is first. */
  readonly #files = new Map<string, ContainerJournal[]>();
  #last = 0;

  /** `issuedTo` returns all objects issued to a container, by the container's id. */
  constructor(
    private readonly manager: ServiceManager,
    private readonly issuedTo: (container: string) => readonly IssuedObject[],
  ) {}

  /**
   * Calls `taken` for each listener in the fd store, whatever its name and its journal are: none is closed while a task
   * can have its filter. Drops entries without a listener.
   */
  restore(taken: (restored: Restored) => void): void {
    const kept = Array.from(this.manager.kept, ([name, fds]) => ({ name, fds, number: numberOf(name) }));
    for (const { name, fds, number } of kept
      .filter(({ name }) => name !== MAPS_NAME)
      .sort((one, other) => one.number - other.number)) {
      this.#last = Math.max(this.#last, number);
      const [listener, ...more] = fds.filter(isListener);
      const [file, ...others] = fds.filter((fd) => !isListener(fd));
      for (const fd of others) close(fd);
      const opened = number === 0 || file === undefined ? null : ContainerJournal.open(file);
      if (file !== undefined && (listener === undefined || opened === null)) close(file);
      if (listener === undefined) {
        this.manager.drop(name); // the container has ended, and the service manager dropped the listener by itself
        continue;
      }
      // the service manager drops a listener by itself at the end of its last task: only the first needs the name
      for (const fd of more) taken(unreadable(fd));
      if (opened === null) {
        this.#kept.set(listener, { name, file: null });
        taken(unreadable(listener));
        continue;
      }
      const { file: journal, issued, rejected } = opened;
      if (rejected === null) this.#add(listener, name, journal);
      else this.#kept.set(listener, { name, file: journal });
      failUnanswered(listener, opened.mark);
      taken({ listener, state: journal.state, cursor: journal.fd, issued, rejected });
    }
  }

  /**
   * Stores a listener. `rejected`: why the container is rejected; null if it is served. Returns the fd of the file with
   * its cursor; negative if it could not be stored.
   */
  keep(listener: number, state: ContainerState, rejected: string | null = null): number {
    const file = ContainerJournal.create(state);
    if (file === null) return NOT_KEPT;
    const name = `c${(this.#last + 1).toString(36)}`;
    if (rejected !== null) file.reject(rejected);
    if (!this.manager.keep(name, [listener, file.fd])) {
      close(file.fd);
      return NOT_KEPT;
    }
    this.#last += 1;
    if (rejected === null) this.#add(listener, name, file);
    else this.#kept.set(listener, { name, file });
    return file.fd;
  }

  /** Records that the container of a stored listener was rejected. */
  reject(listener: number, reason: string): void {
    const file = this.#kept.get(listener)?.file;
    if (file === undefined || file === null) return;
    this.#unlist(file);
    file.reject(reason);
  }

  /** Records objects that were issued to a container. */
  record(container: string, issued: readonly IssuedObject[]): void {
    const file = this.#files.get(container)?.[0];
    if (file?.add(issued) === false) file.replace(this.issuedTo(container));
  }

  drop(listener: number): void {
    const kept = this.#kept.get(listener);
    if (kept === undefined) return;
    this.#kept.delete(listener);
    this.manager.drop(kept.name);
    if (kept.file === null) return;
    this.#unlist(kept.file);
    close(kept.file.fd);
  }

  /** Records no more objects in a journal. If it has those of its container, the next journal gets what is left. */
  #unlist(file: ContainerJournal): void {
    const { id } = file.state;
    const files = this.#files.get(id) ?? [];
    const left = files.filter((each) => each !== file);
    if (left.length > 0) this.#files.set(id, left);
    else this.#files.delete(id);
    if (files[0] === file) left[0]?.replace(this.issuedTo(id));
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

/** A listener of which only the fd store knows. */
function unreadable(listener: number): Restored {
  const rejected = "its record in the fd store cannot be read";
  return { listener, state: unknownState(0), cursor: NOT_KEPT, issued: [], rejected };
}
