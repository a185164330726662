import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { factsOfObject } from "../../src/bpf/object.js";
import { BpfCompiler } from "../support/compile-bpf.js";

const PROGRAM = join(import.meta.dirname, "programs/effects/c01_sk_storage.bpf.c");
const compiler = new BpfCompiler();
const folder = mkdtempSync(join(tmpdir(), "countersign-sk-storage-"));
afterAll(() => {
  compiler.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Joins 10 multicast groups with one socket; prints how many it could, and the code of the error. */
const JOIN = `
const socket = require("node:dgram").createSocket("udp4");
socket.bind(0, () => {
  let joined = 0;
  let code = "none";
  try {
    for (; joined < 10; joined++) socket.addMembership("224.1.1." + (joined + 1), "127.0.0.1");
  } catch (error) {
    code = error.code;
  }
  console.log(joined + " " + code);
  socket.close();
});`;

/** In mounts of its own: joins before and after the program is attached to a new cgroup. */
const SCRIPT = `
set -e
cd "$1"
mkdir cgroup bpf
mount -t cgroup2 none cgroup
mount -t bpf none bpf
mkdir "cgroup/$2"
trap 'rmdir "cgroup/$2"' EXIT
in_cgroup() { sh -c 'echo $$ >"$0/cgroup.procs"; exec "$1" -e "$2"' "cgroup/$1" "$2" "$3"; }
in_cgroup "$2" "$3" "$4"
bpftool prog load object.o bpf/program
bpftool cgroup attach "cgroup/$2" cgroup_inet_sock_create pinned bpf/program
in_cgroup "$2" "$3" "$4"
`;

it("finds that storage of sockets changes them, which makes their later calls fail", (context) => {
  const object = compiler.compile(PROGRAM, ["-O2", "-mcpu=v3", "-Wno-everything"]);
  if (typeof object === "string") return context.skip(object);
  const [program] = factsOfObject(object).programs;
  expect(program?.effects).toMatchObject({ changes_socket: true, read_only: false });

  if (process.getuid?.() !== 0) return context.skip("needs root to attach a program to a cgroup");
  writeFileSync(join(folder, "object.o"), object);
  const args = [folder, `countersign-${process.pid}`, process.execPath, JOIN];
  const printed = execFileSync("unshare", ["--mount", "sh", "-c", SCRIPT, "sh", ...args], { encoding: "utf8" });
  const [before, after] = printed.trim().split("\n");
  expect(before).toBe("10 none");
  expect(after).toMatch(/^[0-9] ENOBUFS$/);
});
