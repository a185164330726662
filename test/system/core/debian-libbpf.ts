import { execFileSync } from "node:child_process";
import { join } from "node:path";
import type { Variant } from "../../../src/bpf/core/variant.js";
import { available, debianArchive, keep, Unavailable } from "./debian-archive.js";

interface Row {
  /** How it relocates. */
  readonly variant: Variant;
  /** Tested programs with attach targets that only later versions know. */
  readonly unknown: readonly string[];
}

/** The versions of libbpf that Debian's suites have. */
export const DEBIAN_LIBBPF = {
  // bookworm-backports; `fentry/MODULE:FUNCTION` and `kprobe.session` are new in libbpf 1.5
  "1.4.6": { variant: "libbpf-1.5", unknown: ["of_a_named_module", "of_xfs", "session"] },
  // trixie
  "1.5.0": { variant: "libbpf-1.5", unknown: [] },
  // forky and sid
  "1.7.0": { variant: "libbpf-1.6", unknown: [] },
} as const satisfies Record<string, Row>;

export type LibbpfVersion = keyof typeof DEBIAN_LIBBPF;

/** A folder with libbpf.so.1 of a version; or why it cannot be had on this machine. */
export function debianLibbpf(version: LibbpfVersion): { readonly folder: string } | string {
  return available(() => {
    const archive = debianArchive();
    const found = archive.versions("libbpf1").find((each) => each.startsWith(`1:${version}-`));
    if (found === undefined) throw new Unavailable(`no suite of Debian has libbpf ${version}`);
    const { folder } = keep(`libbpf1_${found}`, (work) => {
      execFileSync("dpkg-deb", ["-x", archive.download("libbpf1", work, found), work]);
    });
    return { folder: join(folder, "usr/lib/x86_64-linux-gnu") };
  });
}
