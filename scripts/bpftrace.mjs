// Prints the path of a bpftrace that runs. This is the installed one, unless it crashes at start. Debian 13 links it
// with a libLLVM that writes to constants at start, when bpftrace's copies of them are read-only already. In that case
// the script writes a copy of bpftrace to FOLDER without the program header that makes them read-only (PT_GNU_RELRO of
// elf.h). Exits with 3 and a reason if bpftrace is not installed.
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
 * Sets the type of PT_GNU_RELRO headers of a little-endian ELF64 file to PT_NULL. Offsets: e_phoff 32, e_phentsize 54,
 * e_phnum 56, p_type 0.
 */
function withoutRelro(elf) {
  const [size, count] = [elf.readUInt16LE(54), elf.readUInt16LE(56)];
  for (let index = 0; index < count; index += 1) {
    const at = Number(elf.readBigUInt64LE(32)) + index * size;
    if (elf.readUInt32LE(at) === 0x6474e552) elf.writeUInt32LE(0, at);
  }
  return elf;
}
