import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const HOME = "usr/lib/countersign";

/**
 * Files and folders of the project that are installed as they are: from, to, and which of a folder's files by their
 * paths in it. The layout of an npm package stays, since files find each other by it.
 */
const COPIED = [
  ["bin", `${HOME}/bin`, /^(?!countersign\.js$)/],
  ["dist", `${HOME}/dist`, /^(?!types\/)(?!.*\.cache$)/],
  ["properties", `${HOME}/properties`, /./],
  ["policies", `${HOME}/policies`, /^(?!.*\.test\.ts$)/],
  ["examples", `${HOME}/examples`, /(?:\.o|^embed\.mjs)$/],
  ["schema", `${HOME}/schema`, /./],
  ["types", `${HOME}/types`, /./],
  ["deploy", `${HOME}/deploy`, /^(?!debian\/|Containerfile$|.*\.service$)/],
  ["package.json", `${HOME}/package.json`],
  ["deploy/countersign-agent.service", "usr/lib/systemd/system/countersign-agent.service"],
  ["deploy/debian/etc", "etc/countersign", /./],
  ["deploy/debian/lintian-overrides", "usr/share/lintian/overrides/countersign"],
  ["README.md", "usr/share/doc/countersign/README.md"],
  ["docs", "usr/share/doc/countersign/docs", /./],
];

/** The packages that are loaded at run time, with the files of each: those of a sealed machine's agent. */
const LOADED = JSON.parse(readFileSync(join(root, "src/seal/agent/loaded-packages.json"), "utf8"));
/** Debian's libc is glibc. */
const OTHER_LIBC = /^musl_/;

/** Folders that hold what is written on the machine. */
const EMPTY = [{ path: "var/log/countersign", mode: 0o750, contents: null }];

/**
 * All files but documents of the package for an architecture of node. `native` is the folder of koffi's binaries for
 * it.
 * @param {string} cpu
 * @param {string} native
 * @returns {import("./tree.mjs").PackageFile[]}
 */
export function installedFiles(cpu, native) {
  const copied = COPIED.flatMap(([from, to, matching]) => {
    const path = join(root, from);
    if (matching === undefined) return [file(path, to)];
    return below(path)
      .filter((name) => matching.test(name))
      .map((name) => file(join(path, name), `${to}/${name}`));
  });
  const packages = LOADED.filter(({ architecture }) => architecture === undefined || architecture === cpu).flatMap(
    ({ name, files, architecture }) => {
      const folder = architecture === undefined ? join(root, "node_modules", name) : native;
      return below(folder)
        .filter((path) => new RegExp(files).test(path) && !OTHER_LIBC.test(path))
        .map((path) => file(join(folder, path), `${HOME}/node_modules/${name}/${path}`));
    },
  );
  return [...copied, command(), link(), ...packages, ...EMPTY];
}

/** The command runs with the system's node, for which the code cache is made, whatever the path finds. */
function command() {
  const text = readFileSync(join(root, "bin/countersign.js"), "utf8");
  const contents = text.replace(/^#!.*\n/, "#!/usr/bin/node\n");
  return { path: `${HOME}/bin/countersign.js`, mode: 0o755, contents };
}

const link = () => ({
  path: "usr/bin/countersign",
  mode: 0o777,
  contents: null,
  link: "../lib/countersign/bin/countersign.js",
});

/** A copy; it can be executed if the original starts with `#!`, whatever the mode of the original is. */
function file(from, path) {
  const contents = readFileSync(from);
  return { path, mode: contents.subarray(0, 2).toString("latin1") === "#!" ? 0o755 : 0o644, contents };
}

/** The paths of all files in a folder, relative to it, in ascending order. */
function below(folder) {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort();
}
