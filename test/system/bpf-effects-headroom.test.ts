import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { factsOfObject } from "../../src/bpf/object.js";
import { BpfCompiler } from "../support/compile-bpf.js";

const PROGRAM = join(import.meta.dirname, "programs/effects/d01_xdp_headroom.bpf.c");
const compiler = new BpfCompiler();
const folder = mkdtempSync(join(tmpdir(), "countersign-headroom-"));
afterAll(() => {
  compiler.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Number of bytes that the program adds to each packet. */
const ADDED = 192;

/**
 * In a network namespace of its own: sends packets over a veth, each of which the program drops, until one gets memory
 * of an earlier one. Prints the program's value: the packets, and the most marks of an earlier one that it found.
 */
const SCRIPT = `
set -e
ip link add v0 type veth peer name v1
ip addr add 10.9.0.1/16 dev v0
ip link set v0 up
ip link set v1 up
ip link set dev v1 xdp obj "$1" sec xdp
map=$(bpftool -j map show name headroom | sed 's/.*"id":\\([0-9]*\\).*/\\1/')
for packet in $(seq 250); do
  (echo >/dev/udp/10.9.1.$packet/9) 2>/dev/null || true
  value=$(bpftool -j map lookup id $map key 0 0 0 0)
  case $value in *'"marks":0'*) ;; *'"marks"'*) break ;; esac
done
echo "$value"
`;

it("finds what an earlier packet left in the headroom that bpf_xdp_adjust_head adds", (context) => {
  const object = compiler.compile(PROGRAM, ["-O2", "-mcpu=v3", "-Wno-everything"]);
  if (typeof object === "string") return context.skip(object);
  const [program] = factsOfObject(object).programs;
  expect(program?.effects).toMatchObject({ reads_kernel_memory: true });
  expect(program?.evidence.map(({ because }) => because)).toContain(
    "lets `bpf_xdp_adjust_head` add headroom to the packet, which the kernel does not clear",
  );

  if (process.getuid?.() !== 0) return context.skip("needs root to attach a program to a device");
  const veth = ["ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1"];
  if (spawnSync("unshare", ["--net", ...veth]).status !== 0) return context.skip("needs veth");
  const path = join(folder, "object.o");
  writeFileSync(path, object);
  const printed = execFileSync("unshare", ["--net", "bash", "-c", SCRIPT, "bash", path], { encoding: "utf8" });
  const marks = Number(/"marks":(\d+)/.exec(printed)?.[1]);
  expect(marks).toBeGreaterThan(ADDED / 2);
});
