import type { Container } from "../policy/current.js";
import { notificationBuffer } from "./notification.js";
import type { Objects } from "./objects.js";

/** One filter's listener: every task under that filter is heard here. */
export class Listener {
  /** Milliseconds since the epoch before which it is not listened to: its tasks made the gate wait. */
  quietUntil = 0;
  stalls = 0;
  readonly buffer = notificationBuffer();

  constructor(
    readonly fd: number,
    /** Frozen, and another one where labels have changed. */
    public container: Container | null,
    readonly objects: Objects,
  ) {}
}
