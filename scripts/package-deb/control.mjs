import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { debianVersion, maintainer } from "./identity.mjs";

const folder = fileURLToPath(new URL("../../deploy/debian", import.meta.url));

/** koffi's binaries need the libraries of C++; Debian's node depends on them, other builds of node do not. */
const DEPENDS = ["nodejs (>= 20.19)", "libc6 (>= 2.25)", "libgcc-s1", "libstdc++6"];

/** Scripts that dpkg runs, and other files of the control archive, with their modes. */
const SHIPPED = [
  ["postinst", 0o755],
  ["prerm", 0o755],
  ["postrm", 0o755],
  ["triggers", 0o644],
];

/**
 * The control files for these files of the package, and its version.
 * @returns {{ version: string, files: import("./tree.mjs").PackageFile[] }}
 */
export function controlFiles({ files, architecture, revision }) {
  const version = debianVersion(revision);
  const regular = files.filter(({ contents }) => contents !== null);
  const configuration = regular.filter(({ path }) => path.startsWith("etc/"));
  const texts = [
    ["control", 0o644, control({ version, architecture, size: sizeOf(files) })],
    ["conffiles", 0o644, lines(configuration.map(({ path }) => `/${path}`))],
    ["md5sums", 0o644, lines(regular.filter((each) => !configuration.includes(each)).map(md5Line))],
    ...SHIPPED.map(([name, mode]) => [name, mode, readFileSync(`${folder}/${name}`)]),
  ];
  return { version, files: texts.map(([name, mode, contents]) => ({ path: `DEBIAN/${name}`, mode, contents })) };
}

function control({ version, architecture, size }) {
  return `Package: countersign
Version: ${version}
Architecture: ${architecture}
Maintainer: ${maintainer()}
Installed-Size: ${size}
Depends: ${DEPENDS.join(", ")}
Suggests: bpftool, runc | crun
Section: admin
Priority: optional
Description: policies that decide which BPF programs may be loaded
 Countersign calls policies, which are small JavaScript or TypeScript functions
 in a sandbox, for each BPF program or kernel module that is about to be loaded.
 A policy sees what the program may do, who signed it, and which process or
 container loads it.
 .
 Policies are tested on object files, and enforced on commands and containers by
 a process in user space, or on the whole machine by BPF programs in the kernel.
`;
}

/** In KiB, as dpkg-gencontrol(1) estimates it: each file rounded up, and one for each link and folder. */
function sizeOf(files) {
  const folders = new Set(
    files.flatMap(({ path }) => path.split("/").map((_, at, parts) => parts.slice(0, at).join("/"))),
  );
  return files.reduce(
    (sum, { contents }) => sum + Math.max(1, Math.ceil((contents?.length ?? 0) / 1024)),
    folders.size,
  );
}

const md5Line = ({ path, contents }) => `${createHash("md5").update(contents).digest("hex")}  ${path}`;

const lines = (texts) =>
  [...texts]
    .sort()
    .map((text) => `${text}\n`)
    .join("");
