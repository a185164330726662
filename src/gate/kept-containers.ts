import { randomBytes } from "node:crypto";
import { type ContainerState, MAX_STATE, readState, stateText } from "./container-state.js";
import { isListener } from "./handover.js";
import type { ServiceManager } from "./service-manager.js";
import { readAt, sealedFile } from "./sys/file.js";
import { close } from "./sys/pidfd.js";

/** What an fd's name begins with, where a service manager keeps it for an agent. */
const PREFIX = "countersign-";

/**
 * Containers in the fd store of the service manager, so that the next agent goes on with them. Each is kept under a name of its
 * own as two fds: the listener, and a sealed file in memory that says whose it is, since a name is too short for that. As long
 * as a listener is kept, calls under its filter wait for an agent instead of failing.
 */
export class KeptContainers {
  readonly #names = new Map<number, string>();

  constructor(private readonly manager: ServiceManager) {}

  /** Gives what was kept to `taken`, and has dropped what cannot be used. */
  restore(taken: (listener: number, state: ContainerState) => void): void {
    for (const [name, fds] of this.manager.kept) {
      const listener = fds.find(isListener);
      const state = name.startsWith(PREFIX) ? stateAmong(fds) : null;
      for (const fd of fds) if (state === null || fd !== listener) close(fd);
      if (listener === undefined || state === null) {
        this.manager.drop(name); // its container ended meanwhile, and the service manager dropped the listener by itself
        continue;
      }
      this.#names.set(listener, name);
      taken(listener, state);
    }
  }

  keep(listener: number, state: ContainerState): void {
    const file = sealedFile("countersign-container", Buffer.from(stateText(state)));
    if (file < 0) return;
    const name = `${PREFIX}${randomBytes(16).toString("hex")}`;
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
