import type { Config, LogConfig } from "../../config/config.js";
import { ERRNO, errorName } from "../../errno.js";
import { CountersignError } from "../../error.js";
import { ProgramStore } from "../../log/program-store.js";
import { RotatingFile } from "../../log/rotating.js";
import { placing } from "../../path-places.js";
import type { Mode } from "../../policy/model/mode.js";
import { landlockAbi, SCOPES_ABI } from "../../sys/landlock.js";
import { requirePlatform } from "../../sys/libc.js";
import { close } from "../../sys/pidfd.js";
import type { Ending } from "../../sys/process.js";
import type { Warning } from "../../warning.js";
import { runStateText } from "../agent/container/container-state.js";
import { bpfFilter } from "../call/filter.js";
import type { Count } from "../decisions/tally.js";
import type { ReportedDenial } from "../messages/messages.js";
import { errorOfEvent } from "../supervisor/event-errors.js";
import { GateSupervisor } from "../supervisor/gate-supervisor.js";
import type { SupervisorEvent } from "../supervisor/supervisor-event.js";
import type { AgentLink } from "../task/blocking/agent-link.js";
import { CommandProcess } from "./command-process.js";
import { inheritance } from "./inheritance.js";
import { lowerJitThresholds } from "./jit-thresholds.js";
import { takeLogFd } from "./log-fd.js";
import { protectGate } from "./protection.js";
import { mayConfine, restrictionsIn } from "./restrictions.js";
import { passSignals } from "./signals.js";
import { lowerV8ThreadPriority } from "./v8-thread-priority.js";

/** The result of a command that ran behind the gate. */
export interface RunResult {
  readonly ending: Ending;
  /** `audit`: this was a dry run, and operations counted as denied were allowed. */
  readonly mode: Mode;
  readonly counts: Readonly<Record<Count, number>>;
  /** Distinct denials, at most 100, in the order in which they first occurred. */
  readonly denials: readonly ReportedDenial[];
  /** In audit, the number of restrictions that remained (docs/run.md); null if verdicts were enforced. */
  readonly restrictions: number | null;
}

/** Options of {@link runCommand}. */
export interface RunOptions {
  readonly config: Config;
  /** The command's arguments as their original bytes. */
  readonly command: readonly Uint8Array[];
  /** An inherited fd to which decisions are logged, instead of the configuration's log. */
  readonly logFd?: number | undefined;
  /**
   * Path of the socket of a sealed machine's agent, which is asked about each bpf(2) call that this gate's policies
   * allow, and whose tickets let programs load; null for none.
   */
  readonly agent?: string | null;
  /** Receives events that the user must see while the command runs. */
  readonly say: (error: CountersignError) => void;
  readonly warn: (warning: Warning) => void;
}

/**
 * Runs a command and its descendants behind a gate. The command starts when the gate serves its listener; if anything
 * fails before, it does not start. A signal that arrives before ends the run like a command that it ends. Throws
 * GATE_UNSUPPORTED, GATE_NESTED, GATE_FAILED, and the errors of the configuration.
 */
export async function runCommand({ config: given, command, logFd, agent, say, warn }: RunOptions): Promise<RunResult> {
  requirePlatform();
  if (given.mode === "enforce") requireScopes(landlockAbi());
  const denials: ReportedDenial[] = [];
  const inherited = inheritance();
  const taken = logFd === undefined ? null : takeLogFd(logFd, inherited, given.log);
  const own = taken === null ? given.log : null;
  const held = own === null ? null : placing(given, () => new RotatingFile(own));
  const log = held === null ? (taken?.log ?? null) : { ...own!, first: held.lasting };
  const config = { ...given, log: placing(given, () => withOpenFolder(log)) };
  const restoreV8ThreadPriority = lowerV8ThreadPriority();
  const process = new CommandProcess(command, taken?.rest ?? inherited, config.mode);
  const expose = config.mode === "enforce" ? protectGate() : () => undefined;
  const stopPassingSignals = passSignals(process);
  let listener = -1;
  const onEvent = (event: SupervisorEvent) => {
    switch (event.is) {
      case "denial":
        denials.push(event);
        break;
      case "warning":
        warn(event.warning);
        break;
      case "taskKilled":
      case "throttled":
      case "replaced":
      case "unlogged":
      case "shadowStopped":
        say(errorOfEvent(event));
        break;
      case "lost":
        // once the listener is closed, every pending and every later call fails with ENOSYS (seccomp_unotify(2))
        close(listener);
        say(event.error);
    }
  };
  const resultOf = async (supervisor: GateSupervisor, ending: Ending): Promise<RunResult> => {
    restoreV8ThreadPriority(); // the decision thread ends only after V8's threads have
    await supervisor.stop();
    const counts = supervisor.tally.read(); // after the shadow has decided everything
    const restrictions = config.mode === "audit" ? restrictionsIn(config.mode).length : null;
    return { ending, counts, denials, mode: config.mode, restrictions };
  };
  const starting = GateSupervisor.start(config, onEvent, undefined, agent ? linkTo(agent) : null);
  try {
    // the engine and the launcher start in parallel; the filter depends on the hooks that the engine decides on
    const filtering = starting.then((supervisor) => {
      process.filter(supervisor.fastest);
      return supervisor;
    });
    const [supervisor] = await Promise.all([filtering, process.listener().then((fd) => (listener = fd))]);
    await supervisor.listen(listener, null, supervisor.fastest);
    process.go();
    lowerJitThresholds();
    return await resultOf(supervisor, await process.ended);
  } catch (error) {
    process.kill();
    const supervisor = await starting.catch(() => null); // a failed start is reported by `error`
    const signal = process.interruption;
    if (supervisor !== null && signal !== null) return await resultOf(supervisor, { code: null, signal });
    await supervisor?.stop().catch(() => undefined);
    throw error;
  } finally {
    restoreV8ThreadPriority();
    expose();
    stopPassingSignals();
  }
}

/** How this gate's threads ask the agent at a socket. */
function linkTo(socket: string): AgentLink {
  const id = `countersign-run-${process.pid}-${Math.round(performance.timeOrigin)}`;
  return { socket, state: runStateText(id, process.pid), filter: bpfFilter(), mayFilter: mayConfine() };
}

/** The log with its folder for programs open, because the command may put another one in its place. */
function withOpenFolder(log: LogConfig | null): LogConfig | null {
  if (log?.programs === undefined) return log;
  const { lasting } = new ProgramStore(log.programs);
  return { ...log, programs: { ...log.programs, folder: lasting } };
}

/** Throws GATE_UNSUPPORTED if Landlock has no scopes. `abi`: the kernel's Landlock ABI, or a negative errno. */
function requireScopes(abi: number): void {
  if (abi >= SCOPES_ABI) return;
  const message =
    abi < 0 ? `Landlock cannot be used: ${errorName(-abi)}` : `Landlock has no scopes here: its ABI is ${abi}`;
  throw new CountersignError("GATE_UNSUPPORTED", message, {
    remedy:
      abi === -ERRNO.EPERM || abi === -ERRNO.EACCES
        ? "allow landlock_create_ruleset in the seccomp profile that this shell runs under"
        : "use Linux 6.12 or later with Landlock enabled (`lsm=landlock,…`), so that the command cannot reach the gate",
  });
}
