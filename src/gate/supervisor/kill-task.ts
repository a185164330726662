import type { Container } from "../../policy/model/current.js";
import { close, openThread, signalProcess } from "../../sys/pidfd.js";
import { stillWaits } from "../../sys/seccomp.js";
import type { CallRecording } from "../task/blocking/call-recording.js";
import { Notification } from "../task/blocking/notification.js";
import { copyOf, readCaller } from "../task/caller.js";

const SIGKILL = 9;

/**
 * Kills the task of a call, because nothing else ends a wait for its memory. First stores the task's facts in the
 * recording, for the log. Returns the task's thread id, or null if the call is no longer pending.
 */
export function killTask(recording: CallRecording, container: Container | null): number | null {
  const { tid } = new Notification(recording.notification);
  const pidfd = openThread(tid, tid);
  try {
    const caller = pidfd < 0 ? null : readCaller(tid, pidfd, container);
    if (caller === null || !stillWaits(recording.listener, recording.notification)) return null;
    recording.current ??= copyOf(caller.current);
    signalProcess(pidfd, SIGKILL);
    return tid;
  } finally {
    close(pidfd);
  }
}
