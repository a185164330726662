import { closeSync, readSync, writeSync } from "node:fs";
import { ERRNO } from "../errno.js";
import { gateFilter } from "./filter.js";
import { capabilities } from "./sys/credentials.js";
import { enterDomain } from "./sys/landlock.js";
import { closeOnExec, defaultSignals, execute, refuseNewPrivileges, setOpenFiles } from "./sys/process.js";
import { installFilter } from "./sys/seccomp.js";

/**
 * An entry of its own: what `countersign run` starts in the command's place, and what then becomes the command. In this order it enters the
 * Landlock domain, puts the filter on itself, tells the gate which of its fds the listener is, waits until the gate has
 * taken it, and executes the command. It has loaded nothing and shares no memory with the gate: there is no moment in
 * which the command runs outside the filter, or can reach a thread of the gate.
 *
 * Arguments: the soft limit of open files to restore (0: as it is), then the command. Fd 3 is a socket to the gate, on
 * which each side says one line: `listener N`, `go`; or `failed STEP ERRNO`.
 */
function launch(argv: readonly string[]): never {
  const [openFiles = "0", ...command] = argv;
  closeOnExec(GATE, true);
  confine();
  const go = Buffer.alloc(2);
  // an end without a word: the gate died, and the command must not run
  if (readSync(GATE, go, 0, 2, null) !== 2 || go.toString() !== "go") process.exit(FAILED);
  closeSync(GATE);
  for (const standard of [0, 1, 2]) closeOnExec(standard, false);
  if (Number(openFiles) > 0) setOpenFiles(Number(openFiles));
  defaultSignals();
  const error = executeInPath(command, process.env);
  process.stderr.write(`countersign: \`${command[0]}\` cannot be executed: ${describe(error)}\n`);
  process.exit(error === -ERRNO.ENOENT ? NOT_FOUND : NOT_EXECUTABLE);
}

const GATE = 3;
/** Exit codes of a command that did not start, as a shell has them (POSIX XCU 2.8.2). */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;
const FAILED = 125;
const CAP_SYS_ADMIN = 21n;

function confine(): void {
  step("landlock", enterDomain());
  // with CAP_SYS_ADMIN a filter needs no no_new_privs, and set-uid programs go on working
  if (((capabilities().effective >> CAP_SYS_ADMIN) & 1n) === 0n) step("no_new_privs", refuseNewPrivileges());
  const listener = step("seccomp", installFilter(gateFilter()));
  writeSync(GATE, `listener ${listener}\n`);
}

function step(name: string, result: number): number {
  if (result >= 0) return result;
  writeSync(GATE, `failed ${name} ${-result}\n`);
  process.exit(FAILED);
}

/** As execvp(3): a name without a slash is looked for in PATH, and a refusal is reported only where nothing was found. */
function executeInPath(command: readonly string[], environment: NodeJS.ProcessEnv): number {
  const [name = ""] = command;
  const variables = Object.entries(environment).map(([key, value]) => `${key}=${value}`);
  if (name.includes("/")) return executeFile(name, command, variables);
  let error: number = -ERRNO.ENOENT;
  for (const folder of (environment.PATH ?? "/usr/local/bin:/usr/bin:/bin").split(":")) {
    const result = executeFile(folder === "" ? name : `${folder}/${name}`, command, variables);
    if (result === -ERRNO.EACCES) error = result;
    else if (result !== -ERRNO.ENOENT && result !== -ERRNO.ENOTDIR) return result;
  }
  return error;
}

/** A script without a first line that names its interpreter is the shell's. */
function executeFile(path: string, command: readonly string[], variables: readonly string[]): number {
  const result = execute(path, command, variables);
  return result === -ERRNO.ENOEXEC ? execute("/bin/sh", ["/bin/sh", path, ...command.slice(1)], variables) : result;
}

function describe(error: number): string {
  const name = Object.entries(ERRNO).find(([, number]) => number === -error)?.[0];
  return name ?? `errno ${-error}`;
}

launch(process.argv.slice(2));
