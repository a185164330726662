// Generates docs/effects.md: the effects of each program in Debian's libbpf-tools and xdp-tools. Needs those packages.
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { importSources } from "./sources.mjs";
import { writeGenerated } from "./write-generated.mjs";

const SKIPPED = 3;
/** Maximum number of programs that a row names. */
const MOST_NAMES = 4;
const NEUTRAL = { odd: "every odd number", nonzero: "everything but 0" };

const { factsOfFile, EFFECTS, PROGRAM_TYPE_ROWS } = await importSources(`
  export { factsOfFile } from "./src/bpf/embedded.js";
  export { EFFECTS } from "./src/bpf/model/facts.js";
  export { PROGRAM_TYPE_ROWS } from "./src/bpf/tables/program-types.js";
`);

const page = readFileSync(new URL("effects-page.md", import.meta.url), "utf8").trimEnd();
const text = `${page.replace("VERDICTS", verdicts())}\n\n${tables()}`;
process.exitCode = writeGenerated({ "docs/effects.md": text });

/** One row for each set of program types with the same meaning of return values. */
function verdicts() {
  const groups = new Map();
  for (const { type, verdict, verdictBy = {} } of PROGRAM_TYPE_ROWS.values())
    for (const [attach, its] of [...Object.entries(verdictBy), [null, verdict]]) {
      const key = meaning(its);
      groups.set(key, [...(groups.get(key) ?? []), attach === null ? `\`${type}\`` : `\`${type}\` as \`${attach}\``]);
    }
  const rows = [...groups].map(([key, types]) => `| ${types.join(", ")} | ${key} |`);
  const head = "| type | leaves things as they were | redirects | bits | `read_only` |";
  return [head, "| --- | --- | --- | --- | --- |", ...rows].join("\n");
}

/** The cells of a row after its types. */
function meaning(verdict) {
  if (verdict === "ignored") return "whatever is returned | | | stays";
  if (verdict === "always") return "nothing | | 64 | ends";
  const { neutral, redirects, bits, decides } = verdict;
  const values = typeof neutral === "string" ? NEUTRAL[neutral] : neutral.join(", ") || "nothing";
  const elsewhere = redirects === "all" ? "every value" : redirects.join(", ");
  return `${values} | ${elsewhere} | ${bits} | ${decides === "record" ? "stays" : "ends"}`;
}

function tables() {
  return ["libbpf-tools", "xdp-tools", "libxdp1"]
    .map((name) => `### ${name} ${versionOf(name)}\n\n${table(name)}\n`)
    .join("\n");
}

/** One row for each tool and set of effects. */
function table(name) {
  const rows = ["| file | programs | type | read-only | may |", "| --- | --- | --- | --- | --- |"];
  for (const path of filesOf(name)) {
    const groups = new Map();
    for (const program of factsOf(path)) {
      const may = EFFECTS.filter((effect) => program.effects[effect]).join(", ");
      const key = `${program.type} | ${program.effects.read_only ? "yes" : "**no**"} | ${may}`;
      groups.set(key, [...(groups.get(key) ?? []), program.name]);
    }
    const file = basename(path).replace(/-libbpf$/, "");
    for (const [key, names] of groups) rows.push(`| ${file} | ${listed([...new Set(names)])} | ${key} |`);
  }
  return rows.join("\n");
}

function listed(names) {
  const some = names.slice(0, MOST_NAMES).map((name) => `\`${name}\``);
  return names.length > MOST_NAMES ? `${some.join(", ")} and ${names.length - MOST_NAMES} more` : some.join(", ");
}

/** The programs of a file; empty if it has none. */
function factsOf(path) {
  try {
    return factsOfFile(readFileSync(path)).programs;
  } catch (error) {
    if (error.code === "ELF_NO_PROGRAMS" || error.code === "ELF_UNSUPPORTED") return [];
    throw error;
  }
}

function filesOf(name) {
  const list = execFileSync("dpkg", ["-L", name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).split(
    "\n",
  );
  return list
    .filter((path) => /\.o$|\/s?bin\//.test(path) && statSync(path).isFile())
    .filter((path) => path.endsWith(".o") || readFileSync(path).subarray(1, 4).toString("latin1") === "ELF")
    .sort();
}

function versionOf(name) {
  try {
    return execFileSync("dpkg-query", ["-W", `-f=\${Version}`, name], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
  } catch {
    console.error(`needs the package ${name}`);
    process.exit(SKIPPED);
  }
}
