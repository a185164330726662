import { CountersignError } from "../../../error.js";
import { closeOnExec } from "../../../sys/process.js";
import { sendDatagram } from "../../../sys/socket.js";

/** The first of the fds that systemd hands to a service (SD_LISTEN_FDS_START of sd_listen_fds(3)). */
const FIRST_FD = 3;
/** An fd's name (sd_notify(3), FDNAME=): printable ASCII without a colon. */
const FD_NAME = /^[!-9;-~]{1,255}$/;

/**
 * The service manager that started this process, which is notified by the protocol of sd_notify(3). It keeps fds while
 * the service is down (systemd.service(5), FileDescriptorStoreMax=). Without a service manager, all methods do nothing.
 */
export class ServiceManager {
  readonly #socket: string | null;
  /** Fds that the service manager kept, by name; "" for those without one. This process owns them now. */
  readonly kept: ReadonlyMap<string, readonly number[]>;
  /** Watchdog interval in milliseconds; 0 if there is no watchdog. */
  readonly #watchdog: number;
  #alive: NodeJS.Timeout | null = null;

  /**
   * Removes the variables of the protocol from the environment, so that child processes do not use them. Throws
   * GATE_FAILED if LISTEN_FDS is no valid number.
   */
  constructor(environment: NodeJS.ProcessEnv, pid = process.pid) {
    const taken = Object.fromEntries(VARIABLES.map((name) => [name, environment[name]]));
    for (const name of VARIABLES) delete environment[name];
    const { NOTIFY_SOCKET: socket, LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES, WATCHDOG_PID, WATCHDOG_USEC } = taken;
    this.#socket = socket !== undefined && /^[/@]./.test(socket) ? socket : null;
    this.kept = Number(LISTEN_PID) === pid ? takeFds(Number(LISTEN_FDS), LISTEN_FDNAMES ?? "") : new Map();
    const watched = WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === pid;
    const interval = Math.floor(Number(WATCHDOG_USEC ?? 0) / 1000);
    this.#watchdog = watched && Number.isSafeInteger(interval) ? interval : 0;
  }

  /** Reports that the service is ready, and starts to send watchdog notifications if they are enabled. */
  ready(): void {
    this.#tell("READY=1");
    if (this.#watchdog === 0 || this.#alive !== null) return;
    this.#alive = setInterval(() => this.#tell("WATCHDOG=1"), Math.max(1, this.#watchdog / 2));
    this.#alive.unref();
  }

  /** Reports a reload, which ends with the next `ready`. systemd requires the time of CLOCK_MONOTONIC with it. */
  reloading(): void {
    this.#tell("RELOADING=1", `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
  }

  stopping(): void {
    this.#tell("STOPPING=1");
  }

  /**
   * Stores fds under a name. Returns false if there is no service manager or sending failed. The service manager drops
   * an fd by itself when its other end is closed.
   */
  keep(name: string, fds: readonly number[]): boolean {
    if (!FD_NAME.test(name))
      throw new CountersignError("INTERNAL", `\`${name}\` is not the name of an fd`, { remedy: "report this" });
    return this.#tell("FDSTORE=1", `FDNAME=${name}`, fds);
  }

  /** Makes the service manager drop all fds of a name. Does nothing for fds without a name. */
  drop(name: string): void {
    if (name === "") return;
    this.#tell("FDSTOREREMOVE=1", `FDNAME=${name}`);
  }

  #tell(first: string, second = "", fds: readonly number[] = []): boolean {
    if (this.#socket === null) return false;
    return sendDatagram(this.#socket, Buffer.from(`${first}\n${second}`), fds) === 0;
  }
}

const VARIABLES = [
  "NOTIFY_SOCKET",
  "LISTEN_PID",
  "LISTEN_FDS",
  "LISTEN_FDNAMES",
  "WATCHDOG_PID",
  "WATCHDOG_USEC",
] as const;

/** More fds than a process can have (the default of fs.nr_open); a larger number cannot come from systemd. */
const MAX_FDS = 1 << 20;

function takeFds(count: number, names: string): ReadonlyMap<string, readonly number[]> {
  if (!Number.isSafeInteger(count) || count < 0 || count > MAX_FDS)
    throw new CountersignError("GATE_FAILED", "LISTEN_FDS is not a number of fds", { remedy: "leave it to systemd" });
  const kept = new Map<string, number[]>();
  const each = names === "" ? [] : names.split(":");
  for (let index = 0; index < count; index += 1) {
    const fd = FIRST_FD + index;
    if (closeOnExec(fd, true) < 0) continue;
    const name = each[index] ?? "";
    if (kept.has(name)) kept.get(name)?.push(fd);
    else kept.set(name, [fd]);
  }
  return kept;
}
