import { BOOKMARK_SIZE, failLost } from "../call/bookmark.js";
import { memoryFile, readAt } from "../sys/file.js";
import { close } from "../sys/pidfd.js";
import { type ContainerState, MAX_STATE, readState, stateText } from "./container-state.js";
import { isListener } from "./handover.js";
import type { ServiceManager } from "./service-manager.js";

/**
 * What an fd's name is, where a service manager keeps it for an agent: a number in base 36. All names come back in one string of the
 * environment, of which the kernel takes 128 KiB (MAX_ARG_STRLEN of linux/binfmts.h): the shorter they are, the more there can be.
 */
const NAME = /^c([0-9a-z]{1,8})$/;

/**
 * Containers in the fd store of the service manager, so that the next agent goes on with them. Each is kept under a name of its
 * own as two fds: the listener, and a file in memory with a bookmark and then the text of whose it is, for which a name is too
 * short. As long as a listener is kept, calls under its filter wait for an agent instead of failing.
 */
export class KeptContainers {
  readonly #kept = new Map<number, { readonly name: string; readonly file: number }>();
  #last = 0;

  constructor(private readonly manager: ServiceManager) {}

  /** Gives what was kept to `taken`, with the file for its bookmark, and has dropped what cannot be used. */
  restore(taken: (listener: number, state: ContainerState, bookmark: number) => void): void {
    for (const [name, fds] of this.manager.kept) {
      const number = Number.parseInt(NAME.exec(name)?.[1] ?? "", 36);
      const listener = fds.find(isListener);
      const file = fds.find((fd) => !isListener(fd));
      const read = Number.isNaN(number) || file === undefined ? null : readKept(file);
      if (listener === undefined || file === undefined || read === null) {
        for (const fd of fds) close(fd);
        this.manager.drop(name); // its container ended meanwhile, and the service manager dropped the listener by itself
        continue;
      }
      for (const fd of fds) if (fd !== listener && fd !== file) close(fd);
      this.#last = Math.max(this.#last, number);
      this.#kept.set(listener, { name, file });
      failLost(listener, read.mark);
      taken(listener, read.state, file);
    }
  }

  /** Gives the file for its bookmark; negative where it is not kept. */
  keep(listener: number, state: ContainerState): number {
    const contents = Buffer.concat([Buffer.alloc(BOOKMARK_SIZE), Buffer.from(stateText(state))]);
    const file = memoryFile("countersign-container", contents);
    if (file < 0) return file;
    const name = `c${(this.#last + 1).toString(36)}`;
    if (!this.manager.keep(name, [listener, file])) {
      close(file);
      return NOT_KEPT;
    }
    this.#last += 1;
    this.#kept.set(listener, { name, file });
    return file;
  }

  drop(listener: number): void {
    const kept = this.#kept.get(listener);
    if (kept === undefined) return;
    this.#kept.delete(listener);
    close(kept.file);
    this.manager.drop(kept.name);
  }
}

const NOT_KEPT = -1;
/** A state is written anew, in which some characters take more. */
const MAX_KEPT = 6 * MAX_STATE;

function readKept(file: number): { readonly mark: bigint; readonly state: ContainerState } | null {
  const bytes = readAt(file, MAX_KEPT);
  if (bytes === null || bytes.byteLength < BOOKMARK_SIZE) return null;
  const mark = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  try {
    return { mark, state: readState(Buffer.from(bytes.subarray(BOOKMARK_SIZE)).toString("utf8")) };
  } catch {
    return null;
  }
}
