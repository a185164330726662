import { CountersignError } from "../../error.js";
import { close } from "../sys/pidfd.js";
import { closeOnExec } from "../sys/process.js";
import { sendDatagram } from "../sys/socket.js";

/** The first of the fds that systemd hands to a service (SD_LISTEN_FDS_START of sd_listen_fds(3)). */
const FIRST_FD = 3;
/** An fd's name (sd_notify(3), FDNAME=): printable ASCII without a colon. */
const FD_NAME = /^[!-9;-~]{1,255}$/;

/**
 * The service manager that started this process, by the protocol of sd_notify(3): it is told what the service is at, and it
 * keeps fds for the time when the service is down (systemd.service(5), FileDescriptorStoreMax=). Where there is none,
 * nothing is told and nothing kept.
 */
export class ServiceManager {
  readonly #socket: string | null;
  /** Names and fds that it kept for this process, which owns them now. */
  readonly kept: ReadonlyMap<string, readonly number[]>;
  /** Milliseconds within which it wants a sign of life; 0 where it wants none. */
  readonly #watchdog: number;
  #alive: NodeJS.Timeout | null = null;

  /**
   * Takes what the environment says out of it, so that no process that this one starts takes it for its own. Throws
   * GATE_FAILED where fds were handed over and cannot be taken.
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

  /** The service does what it is for; from then on it gives signs of life where they are wanted. */
  ready(): void {
    this.#tell("READY=1");
    if (this.#watchdog === 0 || this.#alive !== null) return;
    this.#alive = setInterval(() => this.#tell("WATCHDOG=1"), Math.max(1, this.#watchdog / 2));
    this.#alive.unref();
  }

  /** It reads its configuration again, until it is `ready` again. The time is CLOCK_MONOTONIC's, as systemd wants it. */
  reloading(): void {
    this.#tell("RELOADING=1", `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`);
  }

  stopping(): void {
    this.#tell("STOPPING=1");
  }

  /** Has fds kept under a name; false where nobody keeps them. What nobody holds on the other side is dropped by itself. */
  keep(name: string, fds: readonly number[]): boolean {
    if (!FD_NAME.test(name)) throw new CountersignError("INTERNAL", `\`${name}\` is no name of an fd`);
    return this.#tell("FDSTORE=1", `FDNAME=${name}`, fds);
  }

  /** Has all fds of a name dropped. */
  drop(name: string): void {
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

/** More than a process can have; a number above it is none of systemd's. */
const MAX_FDS = 1 << 20;

function takeFds(count: number, names: string): ReadonlyMap<string, readonly number[]> {
  if (!Number.isSafeInteger(count) || count < 0 || count > MAX_FDS)
    throw new CountersignError("GATE_FAILED", "LISTEN_FDS is no number of fds", { remedy: "leave it to systemd" });
  const kept = new Map<string, number[]>();
  const each = names === "" ? [] : names.split(":");
  for (let index = 0; index < count; index += 1) {
    const fd = FIRST_FD + index;
    if (closeOnExec(fd, true) < 0) continue;
    const name = each[index];
    if (name === undefined) close(fd);
    else if (kept.has(name)) kept.get(name)?.push(fd);
    else kept.set(name, [fd]);
  }
  return kept;
}
