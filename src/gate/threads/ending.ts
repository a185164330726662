import type { Container } from "../../policy/current.js";
import { copyOf, readAsker } from "../call/current.js";
import { Notification } from "../call/notification.js";
import { close, openThread, signalProcess } from "../sys/pidfd.js";
import { stillWaits } from "../sys/seccomp.js";
import type { Visit } from "./visit.js";

const SIGKILL = 9;

/**
 * Ends the task of a visit: only that brings back whoever waits for its memory. Its thread's id, or null where it does not wait
 * any more. Who it was is in the visit from then on.
 */
export function endTask(visit: Visit, container: Container | null): number | null {
  const { tid } = new Notification(visit.notification);
  const pidfd = openThread(tid, tid);
  try {
    const asker = pidfd < 0 ? null : readAsker(tid, pidfd, container);
    if (asker === null || !stillWaits(visit.listener, visit.notification)) return null;
    visit.current ??= copyOf(asker.current);
    signalProcess(pidfd, SIGKILL);
    return tid;
  } finally {
    close(pidfd);
  }
}
