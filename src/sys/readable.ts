import { type Koffi, koffi } from "./native.js";

/** A watch over one fd. */
export interface Readable {
  /** The watch no longer keeps the process alive. */
  unref(): void;
  /** Ends the watch. Does not close the fd. */
  close(): void;
}

/**
 * Handles that are open. When a thread of node ends, it runs the event loop once more to close what is left
 * (CleanupHandles of src/env.cc). A handle whose fd is readable then calls a function when none can be called any more,
 * and node aborts (napi_fatal_error). So all are closed before, at the event `exit`.
 */
const open = new Set<ReturnType<Koffi["node"]["poll"]>>();

function closeAll(): void {
  for (const handle of open) handle.close();
  open.clear();
}

/** Calls `ready` whenever the fd is readable, or its other end is closed, until the watch is closed. */
export function whenReadable(fd: number, ready: () => void): Readable {
  if (open.size === 0) process.once("exit", closeAll);
  const handle = koffi().node.poll(fd, { readable: true, disconnect: true }, ready);
  open.add(handle);
  return {
    unref: () => handle.unref(),
    close: () => {
      if (!open.delete(handle)) return;
      handle.close();
      if (open.size === 0) process.off("exit", closeAll);
    },
  };
}
