// Prints the path of a bpftrace that runs. It is the machine's own, except where that one crashes before its first
// line: Debian 13 links it with a libLLVM that fills in its constants as it starts, and by then bpftrace's copies of
// them are read-only. A copy of bpftrace in FOLDER then leaves out the one program header that makes them so
// (PT_GNU_RELRO of elf.h); all else in it is the same. Exits with 3 and a reason where there is no bpftrace.
// usage: node scripts/bpftrace.mjs FOLDER
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [folder] = process.argv.slice(2);
const file = spawnSync("sh", ["-c", "command -v bpftrace"], { encoding: "utf8" }).stdout.trim();
if (file === "") {
  console.log("bpftrace is not installed");
  process.exit(3);
}
const runs = (path) => spawnSync(path, ["--version"]).status === 0;
if (runs(file)) console.log(file);
else {
  const copy = join(folder, "bpftrace");
  writeFileSync(copy, withoutRelro(readFileSync(file)), { mode: 0o755 });
  if (!runs(copy)) {
    console.log("bpftrace crashes as it starts");
    process.exit(3);
  }
  console.log(copy);
}

/**
 * A little-endian ELF64 whose headers of type PT_GNU_RELRO are PT_NULL: e_phoff 32 · e_phentsize 54 · e_phnum 56,
 * p_type 0.
 */
function withoutRelro(elf) {
  const [size, count] = [elf.readUInt16LE(54), elf.readUInt16LE(56)];
  for (let index = 0; index < count; index += 1) {
    const at = Number(elf.readBigUInt64LE(32)) + index * size;
    if (elf.readUInt32LE(at) === 0x6474e552) elf.writeUInt32LE(0, at);
  }
  return elf;
}
