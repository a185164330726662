import { mkdtempSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, type TestContext } from "vitest";
import { CountersignError } from "../../src/error.js";
import type { FilterKind } from "../../src/gate/call/filter.js";
import { CommandProcess } from "../../src/gate/run/command-process.js";
import type { Mode } from "../../src/policy/model/mode.js";
import { close } from "../../src/sys/pidfd.js";
import { until } from "./until.js";

/**
 * A system call: its number and arguments. Bytes are put into the program's memory, and the argument is their address.
 */
export type MadeCall = readonly [number: number, ...words: (number | bigint | Uint8Array)[]];

const BASE = 0x400000n;
/** Size of the ELF header and of one program header. */
const HEADERS = 64 + 56;

/** Opcodes of `mov REGISTER, imm64` for the registers of the call's arguments, in their order. */
const REGISTERS = ["48bf", "48be", "48ba", "49ba", "49b8", "49b9"].map((opcode) => Buffer.from(opcode, "hex"));
const MOV_RAX = Buffer.from("48b8", "hex");
const SYSCALL = Buffer.from("0f05", "hex");
/** neg rax; mov rdi, rax; mov eax, 60; syscall: exit(-result) */
const EXIT = Buffer.from("48f7d84889c7b83c0000000f05", "hex");

/** A static executable for x86-64 that makes the calls and exits with the errno of the last one. */
export function callingProgram(calls: readonly MadeCall[]): Uint8Array {
  const length = calls.reduce((sum, call) => sum + 10 * call.length + SYSCALL.length, EXIT.length);
  let memory = Buffer.alloc(0);
  const place = (word: number | bigint | Uint8Array): bigint => {
    if (!(word instanceof Uint8Array)) return BigInt.asUintN(64, BigInt(word));
    const address = BASE + BigInt(HEADERS + length + memory.length);
    memory = Buffer.concat([memory, word]);
    return address;
  };
  const load = (opcode: Buffer, word: number | bigint | Uint8Array) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(place(word));
    return Buffer.concat([opcode, bytes]);
  };
  const code = calls.map(([number, ...words]) =>
    Buffer.concat([load(MOV_RAX, number), ...words.map((word, at) => load(REGISTERS[at]!, word)), SYSCALL]),
  );
  const body = Buffer.concat([...code, EXIT, memory]);
  const file = Buffer.alloc(HEADERS);
  file.write("\x7fELF\x02\x01\x01", "latin1");
  file.writeUInt16LE(2, 16); // ET_EXEC
  file.writeUInt16LE(62, 18); // EM_X86_64
  file.writeUInt32LE(1, 20);
  file.writeBigUInt64LE(BASE + BigInt(HEADERS), 24); // e_entry
  file.writeBigUInt64LE(64n, 32); // e_phoff
  for (const [at, value] of [64, 56, 1].entries()) file.writeUInt16LE(value, 52 + 2 * at); // e_ehsize, e_phentsize, e_phnum
  file.writeUInt32LE(1, 64); // PT_LOAD
  file.writeUInt32LE(7, 68); // readable, writable and executable
  for (const at of [80, 88]) file.writeBigUInt64LE(BASE, at);
  for (const at of [96, 104]) file.writeBigUInt64LE(BigInt(HEADERS + body.length), at);
  file.writeBigUInt64LE(4096n, 112);
  return Buffer.concat([file, body]);
}

/** A process under the gate's filter, which has not executed its command. */
export interface FilteredProcess {
  readonly command: CommandProcess;
  readonly listener: number;
  /** Closes the listener. The end of the test closes it, too. */
  close(): void;
  /** Lets the process execute the command, and waits until it has. */
  execute(): Promise<void>;
}

/** Errors on machines and in sandboxes in which no process can have a listener. */
const LACKING: ReadonlySet<string> = new Set(["GATE_NESTED", "GATE_UNSUPPORTED"]);

/**
 * Starts a process that is going to execute a command, by the launcher, which installs the filter. It needs no
 * privileges. Skips the test where processes can have no listener.
 */
export async function filteredProcess(
  context: TestContext,
  words: readonly string[],
  kind: FilterKind = "full",
  mode: Mode = "audit",
): Promise<FilteredProcess> {
  if (process.platform !== "linux" || process.arch !== "x64") context.skip("needs Linux on x86-64");
  const inherits = { openFiles: 0, fds: [], environment: [Buffer.from("PATH=/usr/bin:/bin")] };
  const command = new CommandProcess(
    words.map((word) => Buffer.from(word)),
    inherits,
    mode,
  );
  onTestFinished(() => command.kill());
  command.filter(kind);
  try {
    const listener = await command.listener();
    let open = true;
    const closeOnce = () => {
      if (open) close(listener);
      open = false;
    };
    onTestFinished(closeOnce);
    const executed = () => expect(readlinkSync(`/proc/${command.pid}/exe`)).not.toBe(process.execPath);
    const execute = async () => {
      command.go();
      await until(executed, 1);
    };
    return { command, listener, close: closeOnce, execute };
  } catch (error) {
    if (error instanceof CountersignError && LACKING.has(error.code))
      context.skip(`needs a seccomp listener: ${error.message}`);
    throw error;
  }
}

/** The path of an executable with {@link callingProgram}. The end of the test removes it. */
export function programFile(...calls: readonly MadeCall[]): string {
  const folder = mkdtempSync(join(tmpdir(), "countersign-calls-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "calls");
  writeFileSync(path, callingProgram(calls), { mode: 0o755 });
  return path;
}
