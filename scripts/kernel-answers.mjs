// kernel-answers.mjs exits with 0 if this kernel answers a BPF_PROG_LOAD, whatever the answer is; with 1 and the reason
// if it does not within a minute. A kernel that was flooded with loads can deadlock while it frees programs. Every
// later load and every seccomp filter then waits in uninterruptible sleep, and so would every test of the gate.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const PATIENCE = 60_000;
const SYS_bpf = 321; // x86-64: arch/x86/entry/syscalls/syscall_64.tbl
const BPF_PROG_LOAD = 5;
const SOCKET_FILTER = 1;

if (process.argv[2] === "load") await load();
else ask();

/** Loads in a child process, which is abandoned if the kernel blocks it. */
function ask() {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), "load"], { stdio: "ignore", detached: true });
  const late = setTimeout(() => {
    console.log(`the kernel did not answer BPF_PROG_LOAD within ${PATIENCE / 1000} s: restart the machine`);
    process.exit(1);
  }, PATIENCE);
  child.on("exit", () => clearTimeout(late));
}

/** Loads `r0 = 0; exit`. It does not use the gate or its code, because it shows whether these can be tested. */
async function load() {
  if (process.platform !== "linux" || process.arch !== "x64") return;
  const { default: koffi } = await import("koffi");
  const syscall = koffi.load(null).func("syscall", "long", ["long", "long", "void *", "long"]);
  const insns = Buffer.from("b7000000000000009500000000000000", "hex");
  const license = Buffer.from("GPL\0");
  const attr = Buffer.alloc(128);
  attr.writeUInt32LE(SOCKET_FILTER, 0);
  attr.writeUInt32LE(insns.length / 8, 4);
  attr.writeBigUInt64LE(BigInt(koffi.address(insns)), 8);
  attr.writeBigUInt64LE(BigInt(koffi.address(license)), 16);
  syscall(SYS_bpf, BPF_PROG_LOAD, attr, attr.length);
}
