import { WAITS, type Wait } from "../task/blocking/blocking-op.js";
import type { CallRecording } from "../task/blocking/call-recording.js";
import { Notification } from "../task/blocking/notification.js";
import { ANALYSIS_TIMEOUT } from "./next-action.js";

/** The reason of a denial after the task was killed because it made the gate wait. */
export function stalled({ notification }: CallRecording, wait: Wait, milliseconds: number): string {
  const { tid } = new Notification(notification);
  return `stalled: task ${tid} kept ${WAITS[wait]} for ${milliseconds} ms and was killed`;
}

/** The reason of a denial after the analysis of the load was terminated. */
export function unanalysed(): string {
  return `the analysis of its program did not end within ${ANALYSIS_TIMEOUT} ms`;
}
