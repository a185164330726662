import { closeSync, readSync, writeSync } from "node:fs";
import { ERRNO, errorName } from "../../errno.js";
import { oneLine } from "../../error.js";
import type { Mode } from "../../policy/model/mode.js";
import { enterDomain } from "../../sys/landlock.js";
import { closeOnExec, defaultSignals, execute, refuseNewPrivileges, setOpenFiles } from "../../sys/process.js";
import { installFilter } from "../../sys/seccomp.js";
import { type FilterKind, gateFilter } from "../call/filter.js";
import { decodeExecRequest, type ExecRequest, FILTER_BYTES } from "./exec-request.js";
import { mayConfine } from "./restrictions.js";

/**
 * Entry point of the launcher, the process that `countersign run` starts and that then executes the command. In this
 * order it:
 * 1. sets no_new_privs, unless it has CAP_SYS_ADMIN (Landlock and seccomp need one of the two);
 * 2. enters the Landlock domain, except in audit;
 * 3. waits for the gate to choose the filter, and installs it;
 * 4. sends the listener's fd number to the gate, and waits until the gate has copied the fd;
 * 5. executes the command.
 * The launcher is a process of its own that shares no memory with the gate, so the command never runs without the
 * filter, and cannot reach a thread of the gate.
 *
 * Arguments: the fd of a socket to the gate; the soft limit of open files to restore (0: unchanged); the fds that the
 * command inherits, separated by commas; the mode, `enforce` or `audit`. Protocol on the socket: the gate sends one
 * byte for the filter (see {@link FILTER_BYTES}); the launcher replies with one line, `listener N` or
 * `failed STEP ERRNO`; the gate sends an {@link ExecRequest}.
 */
function launch([gate = "", openFiles = "0", fds = "", mode = ""]: readonly string[]): never {
  // node would start its debugger for SIGUSR1, which ends a command
  defaultSignals();
  const socket = Number(gate);
  closeOnExec(socket, true);
  confine(socket, mode === "audit" ? "audit" : "enforce");
  const request = decodeExecRequest(readToEnd(socket));
  // the gate has exited, so the command must not run
  if (request === null) process.exit(FAILED);
  closeSync(socket);
  for (const fd of [0, 1, 2, ...fds.split(",").filter(Boolean).map(Number)]) closeOnExec(fd, false);
  if (Number(openFiles) > 0) setOpenFiles(Number(openFiles));
  const error = executeInPath(request);
  process.stderr.write(
    `countersign: \`${oneLine(text(request.words[0]))}\` cannot be executed: ${errorName(-error)}\n`,
  );
  process.exit(error === -ERRNO.ENOENT ? NOT_FOUND : NOT_EXECUTABLE);
}

/** Exit codes for a command that did not start, the same as those of a shell (POSIX XCU 2.8.2). */
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;
const FAILED = 125;

function confine(gate: number, mode: Mode): void {
  const step = (name: string, result: number): number => {
    if (result >= 0) return result;
    writeSync(gate, `failed ${name} ${-result}\n`);
    process.exit(FAILED);
  };
  // with CAP_SYS_ADMIN neither a domain nor a filter needs no_new_privs, and set-uid programs keep working
  if (!mayConfine()) step("no_new_privs", refuseNewPrivileges());
  // the domain protects the gate from the command, and in audit there is nothing to protect
  if (mode === "enforce") step("landlock", enterDomain());
  const listener = step("seccomp", installFilter(gateFilter(mode, readFilter(gate))));
  writeSync(gate, `listener ${listener}\n`);
}

function readFilter(gate: number): FilterKind {
  const byte = Buffer.alloc(1);
  // the gate has exited, so the command must not run
  if (readSync(gate, byte, 0, 1, null) === 0) process.exit(FAILED);
  return byte[0] === FILTER_BYTES.fast ? "fast" : "full";
}

function readToEnd(fd: number): Uint8Array {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const chunk = Buffer.alloc(64 * 1024);
    const length = readSync(fd, chunk, 0, chunk.length, null);
    if (length === 0) return Buffer.concat(chunks);
    chunks.push(chunk.subarray(0, length));
  }
}

/**
 * Like execvp(3): a name without a slash is looked up in PATH, and EACCES is reported only if no other file was found.
 */
function executeInPath({ words, environment }: ExecRequest): number {
  const name = words[0] ?? new Uint8Array();
  if (name.includes(SLASH)) return executeFile(name, words, environment);
  let error: number = -ERRNO.ENOENT;
  for (const folder of searchPath(environment)) {
    const path = folder === "" ? name : Buffer.concat([Buffer.from(`${folder}/`, "latin1"), name]);
    const result = executeFile(path, words, environment);
    if (result === -ERRNO.EACCES) error = result;
    else if (result !== -ERRNO.ENOENT && result !== -ERRNO.ENOTDIR) return result;
  }
  return error;
}

const SLASH = 0x2f;

/** The folders of PATH, decoded as Latin-1: one character is one byte. */
function searchPath(environment: readonly Uint8Array[]): readonly string[] {
  const variables = environment.map((each) => Buffer.from(each).toString("latin1"));
  const path = variables.find((each) => each.startsWith("PATH="));
  return (path?.slice("PATH=".length) ?? "/usr/local/bin:/usr/bin:/bin").split(":");
}

/** Like execvp(3), runs a file that the kernel cannot execute (ENOEXEC), such as a script without `#!`, by /bin/sh. */
function executeFile(path: Uint8Array, words: readonly Uint8Array[], environment: readonly Uint8Array[]): number {
  const result = execute(path, words, environment);
  if (result !== -ERRNO.ENOEXEC) return result;
  const shell = Buffer.from("/bin/sh");
  return execute(shell, [shell, path, ...words.slice(1)], environment);
}

function text(bytes: Uint8Array = new Uint8Array()): string {
  return Buffer.from(bytes).toString();
}

launch(process.argv.slice(2));
