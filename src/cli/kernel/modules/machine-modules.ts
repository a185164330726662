import { type Dirent, existsSync, readdirSync, readFileSync } from "node:fs";
import { release as runningRelease } from "node:os";
import { join } from "node:path";
import { CountersignError } from "../../../error.js";
import { FileSource } from "../source/byte-source.js";
import { pathsInInitramfs } from "./initramfs-files.js";
import { modulesOfFiles } from "./module-alias.js";
import type { MachineModules } from "./present-modules.js";

/** What a root directory says of the modules that its machine needs. */
export interface FoundModules extends MachineModules {
  /** For people: what was found, and what could not be read, a part for each source. */
  readonly notes: readonly string[];
}

/** Names of the initramfs of a release in /boot: of Debian, of Fedora and of SUSE. */
const INITRAMFS = [
  (release: string) => `boot/initrd.img-${release}`,
  (release: string) => `boot/initramfs-${release}.img`,
  (release: string) => `boot/initrd-${release}`,
];

/**
 * Reads the loaded modules, those of the initramfs and the devices of a root directory. The initramfs is that of the
 * release; if there is none yet, that of the running kernel. Throws FILE_UNREADABLE if the root has neither
 * proc/modules nor devices: a list of the rest would keep its machine from starting.
 */
export async function machineModules(root: string, release: string): Promise<FoundModules> {
  const loaded = loadedModules(root);
  const devices = deviceAliases(root);
  if (loaded === null && devices.length === 0)
    throw new CountersignError("FILE_UNREADABLE", "has neither proc/modules nor a modalias in sys/devices", {
      place: root,
      remedy: "run it on the machine itself, copy both from there, or name modules with `--modules FILE`",
    });
  const initramfs = await initramfsModules(root, release);
  return {
    ...{ loaded, devices, initramfs: initramfs.names },
    notes: [
      loaded === null ? "proc/modules is not there" : `${loaded.length} loaded`,
      initramfs.note,
      `${devices.length} devices`,
    ],
  };
}

function loadedModules(root: string): readonly string[] | null {
  const path = join(root, "proc/modules");
  if (!existsSync(path)) return null;
  const names = readFileSync(path, "utf8").split("\n");
  return names.map((line) => line.split(" ", 1)[0]!).filter((name) => name !== "");
}

interface InitramfsModules {
  readonly names: readonly string[] | null;
  readonly note: string;
}

async function initramfsModules(root: string, release: string): Promise<InitramfsModules> {
  const places = [...new Set([release, runningRelease()])].flatMap((each) => INITRAMFS.map((name) => name(each)));
  const place = places.find((each) => existsSync(join(root, each)));
  if (place === undefined) return { names: null, note: `no initramfs of ${release} in boot` };
  try {
    const file = new FileSource(join(root, place));
    try {
      const paths = await pathsInInitramfs(file);
      const names = new Set(modulesOfFiles(paths));
      return { names: [...names], note: `${names.size} in ${place}` };
    } finally {
      file.close();
    }
  } catch (error) {
    if (!(error instanceof CountersignError)) throw error;
    return { names: null, note: `${place} is left out: ${error.message}` };
  }
}

/** The contents of all files `modalias` below sys/devices, each once. A device can go away while they are read. */
function deviceAliases(root: string): readonly string[] {
  const found = new Set<string>();
  const folders = [join(root, "sys/devices")];
  for (const folder of folders)
    for (const entry of entriesOf(folder)) {
      const path = join(folder, entry.name);
      // sysfs: symbolic links lead to other devices, which have a folder of their own
      if (entry.isDirectory()) folders.push(path);
      else if (entry.name === "modalias" && entry.isFile()) found.add(textOf(path));
    }
  found.delete("");
  return [...found].sort();
}

function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "";
  }
}
