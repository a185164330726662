import type { Container } from "../../policy/current.js";
import { readAsker } from "../call/current.js";
import { readNotification } from "../call/notification.js";
import { close, openThread, signalProcess } from "../sys/pidfd.js";
import { stillWaits } from "../sys/seccomp.js";
import type { Visit } from "./visit.js";

const SIGKILL = 9;

/**
 * Ends the task of a visit: only that brings back whoever waits for its memory. Its thread's id, or null where it does not wait
 * any more. Who it was is in the visit from then on.
 */
export function endTask(visit: Visit, container: Container | null): number | null {
  const { id, tid } = readNotification(visit.notification);
  const pidfd = openThread(tid, tid);
  try {
    const asker = pidfd < 0 ? null : readAsker(tid, pidfd, container);
    if (asker === null || !stillWaits(visit.listener, new Uint8Array(BigUint64Array.of(id).buffer))) return null;
    visit.current ??= { ...asker.current };
    signalProcess(pidfd, SIGKILL);
    return tid;
  } finally {
    close(pidfd);
  }
}
