/**
 * Real BPF objects: those of examples/, and what Debian's packages install as files of their own or inside the programs
 * that load them.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";

export interface InstalledObject {
  /** `xdp-tools/xdpfilt_alw_all.o`, `libbpf-tools/opensnoop`. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

const EXAMPLES = join(import.meta.dirname, "../../examples");

/** This project's own examples, the big-endian ones aside. */
export function exampleObjects(): InstalledObject[] {
  return readdirSync(EXAMPLES)
    .filter((name) => name.endsWith(".o") && !name.endsWith(".be.o"))
    .map((name) => ({ name: `examples/${name}`, bytes: readFileSync(join(EXAMPLES, name)) }));
}

/** Objects that a package installs as `*.o`. Throws where the package is not installed. */
export function objectFiles(...packages: string[]): InstalledObject[] {
  return packages.flatMap((name) =>
    filesOf(name)
      .filter((path) => path.endsWith(".o"))
      .map((path) => ({ name: `${name}/${basename(path)}`, bytes: readFileSync(path) })),
  );
}

/**
 * Objects that the programs of a package carry inside (libbpf skeletons). Throws where the package is not installed.
 */
export function embeddedObjects(name: string): InstalledObject[] {
  return filesOf(name)
    .filter((path) => /\/s?bin\//.test(path) && statSync(path).isFile())
    .flatMap((path) => {
      const found = objectsInside(readFileSync(path));
      const numbered = (index: number) => (found.length === 1 ? "" : `.${index}`);
      return found.map((bytes, index) => ({ name: `${name}/${basename(path)}${numbered(index)}`, bytes }));
    });
}

function filesOf(name: string): string[] {
  return execFileSync("dpkg", ["-L", name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).split("\n");
}

const MAGIC = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]); // \x7fELF, ELFCLASS64, ELFDATA2LSB
const EM_BPF = 247;

/**
 * Little-endian BPF objects in a file, each from its ELF header to the end of its section headers, which llc writes
 * last.
 */
function objectsInside(file: Buffer): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = file.indexOf(MAGIC, 1); at !== -1; at = file.indexOf(MAGIC, at + 1)) {
    if (file.readUInt16LE(at + 18) !== EM_BPF) continue;
    const sections = Number(file.readBigUInt64LE(at + 40));
    const size = sections + file.readUInt16LE(at + 58) * file.readUInt16LE(at + 60);
    found.push(file.subarray(at, at + size));
  }
  return found;
}
