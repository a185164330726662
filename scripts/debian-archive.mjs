// Debian's packages, with apt lists of their own, so that the machine's are not touched. Used by
// scripts/kernel-facts.mjs, and by system tests (test/system/core/debian-archive.ts).
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What this machine or its package mirror lacks. */
export class Unavailable extends Error {}

export class DebianArchive {
  #folder;
  #options;
  /** Written after the lists were fetched. Their own times are those of the archive. */
  #stamp;

  /**
   * Throws Unavailable if this machine has no apt, or none of its sources is Debian's archive.
   * @param {string} folder for the lists
   * @param {readonly string[]} suites such as `trixie`
   */
  constructor(folder, suites) {
    this.#folder = folder;
    this.#stamp = join(folder, "updated");
    for (const each of ["lists/partial", "cache/archives/partial"]) mkdirSync(join(folder, each), { recursive: true });
    const uri = archiveOfMachine();
    const entry = (suite) => `deb [signed-by=${KEYRING} arch=amd64] ${uri} ${suite} main\n`;
    // the lists of other suites are not those of these
    if (writeWhole(join(folder, "sources.list"), suites.map(entry).join(""))) rmSync(this.#stamp, { force: true });
    writeWhole(join(folder, "status"), "");
    const options = {
      "Dir::Etc::sourcelist": join(folder, "sources.list"),
      "Dir::Etc::sourceparts": "-",
      "Dir::State::lists": join(folder, "lists"),
      "Dir::State::status": join(folder, "status"),
      "Dir::Cache": join(folder, "cache"),
      "APT::Sandbox::User": "root",
    };
    this.#options = Object.entries(options).flatMap(([key, value]) => ["-o", `${key}=${value}`]);
  }

  /** Fetches the lists of packages. Throws Unavailable, as the functions below. */
  update() {
    this.#ask("apt-get", "-qq", "update");
    writeFileSync(this.#stamp, "");
  }

  /**
   * Fetches the lists unless they are less than a day old: the archive removes older versions of packages. One process
   * does so at a time, and those that waited for it find them fetched.
   */
  updateDaily() {
    const fetched = statSync(this.#stamp, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (Date.now() - fetched < DAY) return;
    const unlessFetched = '[ -n "$(find "$0" -mmin -1440 2>/dev/null)" ] || { "$@" && : >"$0"; }';
    const words = ["sh", "-c", unlessFetched, this.#stamp, "apt-get", ...this.#options, "-qq", "update"];
    run("flock", [join(this.#folder, "lock"), ...words], "update", this.#folder);
  }

  /**
   * Names of packages of the kernel, in ascending order of their versions.
   * @param {RegExp} matching
   * @returns {string[]}
   */
  kernelPackages(matching) {
    const names = this.#ask("apt-cache", "pkgnames", "linux-").split("\n");
    return names.filter((name) => matching.test(name)).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  }

  /**
   * The newest version of a package.
   * @param {string} name
   * @returns {string}
   */
  version(name) {
    const newest = this.versions(name)[0];
    if (newest === undefined) throw new Unavailable(`no suite of Debian has ${name}`);
    return newest;
  }

  /**
   * The versions of a package, the newest first.
   * @param {string} name
   * @returns {string[]}
   */
  versions(name) {
    const lines = this.#ask("apt-cache", "madison", name).split("\n").filter(Boolean);
    return [...new Set(lines.map((line) => line.split("|")[1].trim()))];
  }

  /**
   * Downloads a package to a folder, unless any version of it is there already. Returns its path.
   * @param {string} name
   * @param {string} to
   * @param {string | null} version by default the newest
   * @returns {string}
   */
  download(name, to, version = null) {
    const wanted = version === null ? `${name}:amd64` : `${name}:amd64=${version}`;
    const found = () => readdirSync(to).find((file) => file.startsWith(`${name}_`) && file.endsWith(".deb"));
    if (found() === undefined) this.#ask("apt-get", "download", "-qq", wanted, to);
    const file = found();
    if (file === undefined) throw new Unavailable(`${name} cannot be fetched`);
    return join(to, file);
  }

  #ask(command, ...args) {
    const cwd = args[0] === "download" ? args.pop() : this.#folder;
    return run(command, [...this.#options, ...args], args.join(" "), cwd);
  }
}

const DAY = 24 * 60 * 60 * 1000;

/**
 * Writes a file that other processes may read meanwhile: they see what was there, or all of it. Returns false if it has
 * this text already.
 */
function writeWhole(path, text) {
  if (existsSync(path) && readFileSync(path, "utf8") === text) return false;
  writeFileSync(`${path}.${process.pid}`, text);
  renameSync(`${path}.${process.pid}`, path);
  return true;
}

const KEYRING = "/usr/share/keyrings/debian-archive-keyring.pgp";

/** The address of Debian's archive in the machine's own sources of apt, whose lists need not have been fetched. */
function archiveOfMachine() {
  const words = ["indextargets", "--no-release-info", "--format", "$(REPO_URI) $(COMPONENT)", "Created-By: Packages"];
  for (const line of run("apt-get", words, "indextargets").split("\n")) {
    const [uri, component] = line.split(" ");
    // every mirror's path ends so; the archive of security updates has another path, and suites of other names
    if (component === "main" && /\/debian\/?$/.test(uri)) return uri;
  }
  throw new Unavailable("no source of apt on this machine is Debian's archive");
}

function run(command, args, what, cwd) {
  const done = spawnSync(command, args, { cwd, encoding: "utf8", maxBuffer: 1 << 28 });
  if (done.status === 0) return done.stdout;
  throw new Unavailable(`${command} ${what}: ${done.error?.message ?? done.stderr.trim().split("\n").at(-1)}`);
}
