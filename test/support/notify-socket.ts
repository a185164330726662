import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { ServiceManager } from "../../src/gate/agent/fd-store/service-manager.js";
import { must, syscall } from "../../src/sys/libc.js";
import { NR } from "../../src/sys/numbers.js";
import { close } from "../../src/sys/pidfd.js";
import { bindTo, receiveWithFds } from "../../src/sys/socket.js";

const AF_UNIX = 1;
const SOCK_DGRAM_NONBLOCK = 2 | 0o4000;

export interface Notification {
  readonly text: string;
  readonly fds: readonly number[];
}

/** The socket of a service manager (sd_notify(3)). The end of the test removes it. */
export class NotifySocket {
  readonly path: string;
  readonly #folder = mkdtempSync(join(tmpdir(), "countersign-notify-"));
  readonly #fd = must(syscall(NR.socket, AF_UNIX, SOCK_DGRAM_NONBLOCK, 0), "making the socket");
  #open = true;

  constructor() {
    this.path = join(this.#folder, "notify");
    must(bindTo(this.#fd, this.path), "binding the socket");
    onTestFinished(() => this.close());
  }

  /** The service manager as a service sees it that is started again with the fds that it kept, by their names. */
  manager(kept: Readonly<Record<string, readonly number[]>> = {}): ServiceManager {
    const manager = new ServiceManager({ NOTIFY_SOCKET: this.path });
    return Object.assign(manager, { kept: new Map(Object.entries(kept)) });
  }

  close(): void {
    if (this.#open) close(this.#fd);
    this.#open = false;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** The notifications since the last call, with copies of the fds in them. */
  received(): readonly Notification[] {
    const notifications: Notification[] = [];
    for (;;) {
      const bytes = new Uint8Array(4096);
      const { length, fds } = receiveWithFds(this.#fd, bytes);
      if (length < 0) return notifications;
      notifications.push({ text: Buffer.from(bytes.subarray(0, length)).toString(), fds });
    }
  }
}
