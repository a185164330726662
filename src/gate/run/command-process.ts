import { type ChildProcess, spawn } from "node:child_process";
import type { Duplex } from "node:stream";
import { entryFile } from "../../engine/threads/entries.js";
import { errorName } from "../../errno.js";
import { CountersignError, type ErrorCode } from "../../error.js";
import type { Mode } from "../../policy/model/mode.js";
import { close, exitStatus, openProcess, takeFd } from "../../sys/pidfd.js";
import { closeOnExec, type Ending, releaseStandard, takeStop } from "../../sys/process.js";
import type { FilterKind } from "../call/filter.js";
import { encodeExecRequest, FILTER_BYTES } from "./exec-request.js";
import type { Inheritance } from "./inheritance.js";

/**
 * The process that becomes the command. It starts as the launcher, which installs the filter and waits; after
 * {@link go} it executes the command. It shares terminal, standard streams, working directory and process group with
 * the gate, and inherits what the gate inherited.
 */
export class CommandProcess {
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  readonly #channel: Duplex;
  readonly #pidfd: number;
  #isReleased = false;
  #interruption: NodeJS.Signals | null = null;

  constructor(
    private readonly words: readonly Uint8Array[],
    private readonly inherits: Inheritance,
    mode: Mode,
  ) {
    const { fds, openFiles } = inherits;
    const channel = firstFree(fds);
    for (const fd of fds) closeOnExec(fd, false);
    this.#child = spawn(process.execPath, [entryFile("launcher"), `${channel}`, `${openFiles}`, fds.join(","), mode], {
      stdio: ["inherit", "inherit", "inherit", ...Array<"ignore">(channel - 3).fill("ignore"), "pipe"],
    });
    // an inherited pipe must reach end of file when the command closes it, so the gate does not keep it open
    for (const fd of fds) close(fd);
    releaseStandard();
    this.#channel = this.#child.stdio[channel] as Duplex;
    this.#channel.on("error", () => undefined); // the end of the process is reported by `ended`
    this.#pidfd = openProcess(this.pid);
    this.ended = new Promise((resolve, reject) => {
      this.#child.once("exit", (code, signal) => {
        // a terminal sends its signals to the launcher itself
        if (!this.#isReleased && signal !== null && ENDING.has(signal)) this.#interruption ??= signal;
        resolve(this.#ending(code, signal));
      });
      this.#child.once("error", (cause) => reject(unlaunched(cause)));
    });
    this.ended.catch(() => undefined); // not an unhandled rejection: callers await `ended`
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Tells the launcher to install a filter. */
  filter(kind: FilterKind): void {
    this.#channel.write(Uint8Array.of(FILTER_BYTES[kind]));
  }

  /** Waits for the filter and returns a copy of its listener. Throws GATE_NESTED, GATE_UNSUPPORTED, GATE_FAILED. */
  async listener(): Promise<number> {
    const line = await Promise.race([firstLine(this.#channel), this.ended.then(() => "failed launcher 0")]);
    const [word = "", first = "", second = ""] = line.split(" ");
    if (word !== "listener") throw refusal(first, Number(second));
    const listener = this.#pidfd < 0 ? this.#pidfd : takeFd(this.#pidfd, Number(first));
    if (listener >= 0) return listener;
    throw refusal("listener", -listener);
  }

  /** Tells the launcher to execute the command. */
  go(): void {
    this.#isReleased = true;
    this.#channel.end(encodeExecRequest({ words: this.words, environment: this.inherits.environment }));
  }

  /**
   * Sends a signal to the command. Before {@link go}, one that would end the command ends the launcher instead, which
   * would handle SIGUSR1 in another way than the command: see {@link interruption}.
   */
  signal(signal: NodeJS.Signals): void {
    if (this.#isReleased || !ENDING.has(signal)) this.#child.kill(signal);
    else {
      this.#interruption ??= signal;
      this.kill();
    }
  }

  /** The signal that ended the launcher before it was told to execute the command; null if none did. */
  get interruption(): NodeJS.Signals | null {
    return this.#interruption;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /**
   * The signal that stopped the process since the last call, or null. The gate then stops too, because a shell expects
   * that of the process that it started.
   */
  takeStop(): number | null {
    return this.pid === 0 ? null : takeStop(this.pid);
  }

  /** Node has no names for real-time signals and reports code 0 for them; the pidfd tells the signal. */
  #ending(code: number | null, signal: NodeJS.Signals | null): Ending {
    const number = code === 0 && signal === null ? (exitStatus(this.#pidfd) ?? 0) & 0x7f : 0;
    close(this.#pidfd);
    if (this.#interruption !== null) return { code: null, signal: this.#interruption };
    return number === 0 ? { code, signal } : { code: null, signal: number };
  }
}

/** Signals that others send to end a command that does not handle them. */
const ENDING: ReadonlySet<string> = new Set(["SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2"]);

/** The lowest number above the standard fds that is not among `fds`. */
function firstFree(fds: readonly number[]): number {
  let free = 3;
  while (fds.includes(free)) free += 1;
  return free;
}

function firstLine(channel: Duplex): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    channel.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const end = text.indexOf("\n");
      if (end >= 0) resolve(text.slice(0, end));
    });
    channel.once("close", () => resolve("failed launcher 0"));
  });
}

const SYSTEM_CALL =
  "check the limits of open files, processes and memory (`ulimit -a`); otherwise report this, with `uname -r`";

/** Error code and remedy for each failed step of the launcher, by errno; "" is any other errno. */
const REFUSALS: Readonly<Record<string, Readonly<Record<string, readonly [code: ErrorCode, remedy: string]>>>> = {
  no_new_privs: {
    "": ["GATE_UNSUPPORTED", "allow prctl(PR_SET_NO_NEW_PRIVS) in the seccomp profile that this shell runs under"],
  },
  landlock: {
    EPERM: ["GATE_UNSUPPORTED", "allow landlock_restrict_self in the seccomp profile that this shell runs under"],
    E2BIG: [
      "GATE_UNSUPPORTED",
      "start the gate outside: this shell is in 16 Landlock domains, and the kernel allows no more",
    ],
    "": ["GATE_UNSUPPORTED", "use Linux 6.12 or later with Landlock enabled (`lsm=landlock,…`)"],
  },
  seccomp: {
    EBUSY: ["GATE_NESTED", "start the gate outside of it: a filter tree can have one listener"],
    EPERM: ["GATE_UNSUPPORTED", "allow seccomp(2) in the seccomp profile that this shell runs under"],
    ENOMEM: ["GATE_UNSUPPORTED", "start the gate outside: this shell has as many seccomp filters as the kernel allows"],
    "": ["GATE_UNSUPPORTED", "use a kernel with CONFIG_SECCOMP_FILTER, and Linux 5.19 or later"],
  },
  listener: {
    EPERM: [
      "GATE_UNSUPPORTED",
      "set `kernel.yama.ptrace_scope` to 0 or 1, or give the gate CAP_SYS_PTRACE: it has to copy the command's memory",
    ],
    "": ["GATE_FAILED", SYSTEM_CALL],
  },
  launcher: { "": ["GATE_FAILED", SYSTEM_CALL] },
};

function refusal(step: string, errno: number): CountersignError {
  const rows = REFUSALS[step] ?? REFUSALS.launcher!;
  const name = errorName(errno);
  const [code, remedy] = rows[name] ?? rows[""]!;
  const message =
    code === "GATE_NESTED"
      ? "this shell runs under a gate or a seccomp listener already"
      : `the ${step} of the command could not be set up: ${name}`;
  return new CountersignError(code, message, { remedy });
}

function unlaunched(cause: Error): CountersignError {
  return new CountersignError("GATE_FAILED", `the launcher cannot be started: ${cause.message}`, {
    remedy: "install the package again, and check the limits of processes and memory (`ulimit -a`)",
    cause,
  });
}
