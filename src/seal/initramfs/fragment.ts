import { gzipSync } from "node:zlib";
import { type CpioEntry, cpio } from "./cpio.js";

/** `rdinit=` of the kernel's command line: the loader, which seals and then becomes /init. */
export const SEAL_INIT = "/countersign/init";

/** The agent of a fragment (loader/agent.h). */
export interface FragmentAgent {
  /** The program, then its arguments after argv[0]. */
  readonly command: readonly string[];
  /** Its files, below {@link AGENT_FOLDER}. */
  readonly files: readonly CpioEntry[];
}

/** The root directory of the agent in an archive. */
export const AGENT_FOLDER = "countersign/agent";

/**
 * A fragment of an initramfs: an archive that the boot loader or the UKI puts beside others. It has the loader as
 * {@link SEAL_INIT}, the guard's image, and an agent if there is one. It is compressed with gzip, which every kernel of
 * Debian's can read.
 */
export function fragment(loader: Uint8Array, image: Uint8Array, agent: FragmentAgent | null = null): Uint8Array {
  const archive = cpio([
    { path: "countersign", permissions: 0o700, contents: null },
    { path: "countersign/init", permissions: 0o700, contents: loader },
    { path: "countersign/image", permissions: 0o400, contents: image },
    ...(agent === null ? [] : agentEntries(agent)),
  ]);
  const compressed = gzipSync(archive, { level: agent === null ? 9 : LARGE_LEVEL });
  // An archive without compression that follows must begin at a multiple of 4 bytes.
  return Buffer.concat([compressed, Buffer.alloc(-compressed.length & 511)]);
}

/** Node has 100 MB, for which level 9 takes four times as long and saves 1%. */
const LARGE_LEVEL = 6;

function agentEntries({ command, files }: FragmentAgent): readonly CpioEntry[] {
  return [
    { path: "countersign/command", permissions: 0o400, contents: Buffer.from(`${command.join("\0")}\0`) },
    // the agent's file system is mounted here
    { path: "countersign/root", permissions: 0o700, contents: null },
    ...files,
  ];
}
