import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const collectGarbage = garbageCollector();

/** Whether garbage collection keeps what a WeakRef refers to, which it does until the current turn has ended. */
export async function isKept(reference: WeakRef<WeakKey>): Promise<boolean> {
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();
  return reference.deref() !== undefined;
}

/**
 * V8's function that collects garbage. The flag is set only while it is taken: files of tests share a process, and each
 * context that is created while it is set has a global `gc`, which a policy's context must not have.
 */
function garbageCollector(): () => void {
  setFlagsFromString("--expose-gc");
  try {
    return runInNewContext("gc") as () => void;
  } finally {
    setFlagsFromString("--no-expose-gc");
  }
}
