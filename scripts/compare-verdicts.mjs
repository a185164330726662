// compare-verdicts.mjs CHECKOUT: whether this version decides as another one does. Both builds check all example
// objects with all policies that ship, for several callers; the configuration is upgraded from the other version by
// `config upgrade`. Prints how many answers were compared and each that differs. The other checkout needs its build.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const CALLERS = [[], ["--uid", "1000"], ["--label", "tier=edge"], ["--label", "tier=dev"], ["--comm", "bpftrace"]];

const here = fileURLToPath(new URL("..", import.meta.url));
const [other] = process.argv.slice(2);
if (other === undefined || other === "--help" || !existsSync(join(other, "bin/countersign.js"))) {
  console.log(
    "usage: node scripts/compare-verdicts.mjs CHECKOUT\n\nexample: node scripts/compare-verdicts.mjs ../countersign-0.2",
  );
  process.exit(other === "--help" ? 0 : 2);
}
const folder = mkdtempSync(join(tmpdir(), "countersign-compare-"));
try {
  const before = siteOf(resolve(other), "before");
  const objects = readdirSync(join(here, "examples")).filter((name) => name.endsWith(".o"));
  const signed = objects.filter((_, index) => index % 3 === 0).map((name) => join(here, "examples", name));
  before.run("sign", "--key", "keys/signer.key", "--cert", "certs/signer.pem", "--programs", ...signed);
  const policies = readdirSync(join(here, "policies")).filter((name) => /^[a-z-]+\.(js|ts)$/.test(name));
  writeFileSync(join(before.place, "countersign.yaml"), configurationOf(policies));
  writeFileSync(join(before.place, "budget.yaml"), "insns: 64\nmap_memory: 4096\n");
  writeFileSync(join(before.place, "debug.yaml"), "uid: 1000\n");
  cpSync(before.place, join(folder, "after"), { recursive: true });
  const after = siteOf(here, "after");
  for (const site of [before, after])
    for (const policy of policies)
      cpSync(join(site.checkout, "policies", policy), join(site.place, "policies", policy));
  after.run("config", "upgrade", "--write", "countersign.yaml");
  let compared = 0;
  const differences = [];
  for (const caller of CALLERS) {
    const words = ["check", "--json", ...caller, ...objects.map((name) => join(here, "examples", name))];
    const [old, present] = [before, after].map((site) => answersOf(JSON.parse(site.run(...words))));
    for (const name of new Set([...old.keys(), ...present.keys()])) {
      compared += 1;
      if (old.get(name) !== present.get(name))
        differences.push(
          `${caller.join(" ") || "root"}: ${name}\n  before: ${old.get(name)}\n  after:  ${present.get(name)}`,
        );
    }
  }
  for (const difference of differences) console.log(difference);
  console.log(`${compared} answers compared, ${differences.length} differ`);
  process.exitCode = compared > 0 && differences.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** A working directory in which a version's commands run. */
function siteOf(checkout, name) {
  const place = join(folder, name);
  const start = (cwd, words) => {
    const { stdout, stderr, status } = spawnSync(process.execPath, [join(checkout, "bin/countersign.js"), ...words], {
      cwd,
      encoding: "utf8",
      maxBuffer: 2 ** 28,
    });
    if (status === 2 && stdout === "") throw new Error(`${name}: ${words[0]}: ${stderr}`);
    return stdout;
  };
  if (!existsSync(place)) start(folder, ["init", place]);
  return { checkout, place, run: (...words) => start(place, words) };
}

function configurationOf(policies) {
  const attachments = policies.map((policy) => `  - { policy: policies/${policy} }`).join("\n");
  return `version: 1
keyrings: { platform: { trust: [certs/ca.pem] }, network: { trust: [certs/ca.pem] } }
maps:
  program_budget: { file: budget.yaml }
  debug_read_only: { file: debug.yaml }
  allowed_programs: { file: debug.yaml }
  container_policy: { file: debug.yaml }
attachments:
${attachments}
signatures: [signatures/]
`;
}

/**
 * What each attachment answered, and the verdict, by file, hook and subject. Names of codes are those of this version.
 */
function answersOf(files) {
  if (!Array.isArray(files)) throw new Error(JSON.stringify(files.error));
  const all = new Map();
  for (const { file, decisions, error } of files) {
    if (error !== null) all.set(file, error.code ?? error);
    for (const { hook, subject, verdict, denied_by, answers } of decisions) {
      const name = `${file} ${hook} ${subject.name}`;
      all.set(name, `${verdict} by ${denied_by?.attachment ?? denied_by?.code ?? "nobody"}`);
      for (const { attachment, verdict, denial, fault, steps } of answers)
        all.set(`${name}: ${attachment}`, `${verdict} ${denial?.reason ?? ""} ${codeOf(fault)} ${steps}`);
    }
  }
  return all;
}

function codeOf(fault) {
  return (fault?.code ?? "").replace("FUEL", "STEPS");
}
