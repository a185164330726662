import { spawnSync } from "node:child_process";
import { readFileSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { available, debianArchive, keep, Unavailable } from "../../core/debian-archive.js";

/** What each of Debian's packages has: shim is signed by Microsoft's key, and grub by Debian's, which shim knows. */
const FILES = {
  "shim-signed": "usr/lib/shim/shimx64.efi.signed",
  "grub-efi-amd64-signed": "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed",
} as const;

/** Boot loaders that firmware with Microsoft's keys starts. */
export interface SignedGrub {
  readonly shim: Uint8Array;
  readonly grub: Uint8Array;
}

/** The newest ones. Returns the reason if they cannot be had on this machine. */
export function signedGrub(): SignedGrub | string {
  const kept = available(fetched);
  if (typeof kept === "string") return kept;
  const read = (name: keyof typeof FILES) => readFileSync(join(kept.folder, basename(FILES[name])));
  return { shim: read("shim-signed"), grub: read("grub-efi-amd64-signed") };
}

function fetched(): { readonly folder: string } {
  const archive = debianArchive();
  const versions = Object.keys(FILES).map((name) => `${name}_${archive.version(name)}`);
  return keep(versions.join("_"), (work) => {
    for (const [name, file] of Object.entries(FILES)) {
      const [deb, unpacked] = [archive.download(name, work), join(work, "unpacked")];
      const { status, stderr } = spawnSync("dpkg-deb", ["-x", deb, unpacked], { encoding: "utf8" });
      if (status !== 0) throw new Unavailable(`${basename(deb)}: ${stderr.trim()}`);
      renameSync(join(unpacked, file), join(work, basename(file)));
      for (const each of [deb, unpacked]) rmSync(each, { recursive: true });
    }
  });
}
