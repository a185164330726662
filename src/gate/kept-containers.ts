import { type ContainerState, MAX_STATE, readState, stateText } from "./container-state.js";
import { isListener } from "./handover.js";
import type { ServiceManager } from "./service-manager.js";
import { readAt, sealedFile } from "./sys/file.js";
import { close } from "./sys/pidfd.js";

/**
 * What an fd's name is, where a service manager keeps it for an agent: a number in base 36. All names come back in one string of the
 * environment, of which the kernel takes 128 KiB (MAX_ARG_STRLEN of linux/binfmts.h): the shorter they are, the more there can be.
 */
const NAME = /^c([0-9a-z]{1,8})$/;

/**
 * Containers in the fd store of the service manager, so that the next agent goes on with them. Each is kept under a name of its
 * own as two fds: the listener, and a sealed file in memory that says whose it is, since a name is too short for that. As long
 * as a listener is kept, calls under its filter wait for an agent instead of failing.
 */
export class KeptContainers {
  readonly #names = new Map<number, string>();
  #last = 0;

  constructor(private readonly manager: ServiceManager) {}

  /** Gives what was kept to `taken`, and has dropped what cannot be used. */
  restore(taken: (listener: number, state: ContainerState) => void): void {
    for (const [name, fds] of this.manager.kept) {
      const number = Number.parseInt(NAME.exec(name)?.[1] ?? "", 36);
      const listener = fds.find(isListener);
      const state = Number.isNaN(number) ? null : stateAmong(fds);
      for (const fd of fds) if (state === null || fd !== listener) close(fd);
      if (listener === undefined || state === null) {
        this.manager.drop(name); // its container ended meanwhile, and the service manager dropped the listener by itself
        continue;
      }
      this.#last = Math.max(this.#last, number);
      this.#names.set(listener, name);
      taken(listener, state);
    }
  }

  keep(listener: number, state: ContainerState): void {
    const file = sealedFile("countersign-container", Buffer.from(stateText(state)));
    if (file < 0) return;
    this.#last += 1;
    const name = `c${this.#last.toString(36)}`;
    if (this.manager.keep(name, [listener, file])) this.#names.set(listener, name);
    close(file);
  }

  drop(listener: number): void {
    const name = this.#names.get(listener);
    if (name === undefined) return;
    this.#names.delete(listener);
    this.manager.drop(name);
  }
}

function stateAmong(fds: readonly number[]): ContainerState | null {
  const file = fds.find((fd) => !isListener(fd));
  const bytes = file === undefined ? null : readAt(file, MAX_KEPT);
  if (bytes === null) return null;
  try {
    return readState(Buffer.from(bytes).toString("utf8"));
  } catch {
    return null;
  }
}

/** A state is written anew, in which some characters take more. */
const MAX_KEPT = 6 * MAX_STATE;
