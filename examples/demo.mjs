// `npm run demo`: signs some of the example objects with a new test CA and has the shipped policies decide about each
// program, for an ordinary container, a locked-down container, a debugging account, and once in audit. All decisions
// come from the commands that a user has; this file only prints them as a table.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { styleText } from "node:util";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "countersign-demo-"));
const WIDTH = 100;

/** Signer of each object. */
const OBJECTS = {
  "drop-telnet": "the platform",
  "exec-log": "nobody",
  "kill-writer": "nobody",
  "legacy-count": "an impostor",
  "peek-tc": "the platform",
  "xdp-steer": "the platform",
};

const EVERY_OBJECT = Object.keys(OBJECTS).map((name) => `objects/${name}.o`);

const CONFIG = `version: 1
keyrings:
  platform: { trust: [platform/certs/ca.pem] }
maps:
  program_budget:
    file: budget.yaml
    keys: { enum: [cpus, helpers, insns, map_memory, verified_insns] }
    values: { type: integer, minimum: 0, maximum: 1099511627776 }
  debug_read_only:
    file: debug.yaml
    keys: { enum: [uid] }
    values: { type: integer, minimum: 0, maximum: 4294967295 }
attachments:
  - policy: policies/optional-signature.js
  - policy: policies/program-budget.ts
  - policy: policies/container-lockdown.js
    scope: { container: true }
  - policy: policies/no-kernel-read.js
    scope: { labels: tier=edge }
  - policy: policies/no-packet-redirect.js
    scope: { labels: "tier in (edge, prod)" }
  - policy: policies/debug-read-only.js
    scope: { container: false }
signatures: [signatures/]
log: { file: decisions.jsonl }
`;

/** The callers, one for each column of the table. */
const AUDIENCES = [
  { title: "ordinary", who: "an ordinary container", detail: "tier=dev", as: ["--label", "tier=dev"] },
  { title: "locked down", who: "a locked-down container", detail: "tier=edge", as: ["--label", "tier=edge"] },
  { title: "debugging", who: "the account for debugging", detail: "uid 1000", as: ["--uid", "1000"] },
  {
    title: "in audit",
    who: "the locked-down container, in audit",
    detail: "tier=edge",
    as: ["--label", "tier=edge"],
    config: "audit.yaml",
  },
];

say(bold("Countersign decides which BPF programs may load."), "");
layOut();
say(dim("A new test CA signs some objects. An impostor's CA with the same name and another key signs one:"));
for (const [signer, home] of [
  ["the platform", "platform"],
  ["an impostor", "impostor"],
]) {
  countersign("init", home);
  countersign(
    "sign",
    "--key",
    `${home}/keys/signer.key`,
    "--cert",
    `${home}/certs/signer.pem`,
    "--programs",
    ...signedBy(signer),
  );
}
say("", dim("Six policies decide about every program, for four callers:"));
const columns = AUDIENCES.map((audience) => ({ ...audience, decisions: check(audience) }));
say("", ...matrix(columns), "", ...columns.flatMap(reasons));
const count = readFileSync(join(folder, "decisions.jsonl"), "utf8").trimEnd().split("\n").length;
say(`${count} decisions, with the answer of each policy, are in ${bold(join(folder, "decisions.jsonl"))}`);
say(dim("The policies are in policies/; docs/tutorial.md goes on from here."));

/** A working directory, as its owner would have it. */
function layOut() {
  mkdirSync(join(folder, "objects"));
  cpSync(join(root, "policies"), join(folder, "policies"), { recursive: true });
  for (const name of Object.keys(OBJECTS))
    cpSync(join(root, "examples", `${name}.o`), join(folder, "objects", `${name}.o`));
  writeFileSync(join(folder, "countersign.yaml"), CONFIG);
  writeFileSync(join(folder, "audit.yaml"), `mode: audit\n${CONFIG}`);
  writeFileSync(join(folder, "budget.yaml"), "insns: 4096\nmap_memory: 1048576\n");
  writeFileSync(join(folder, "debug.yaml"), "uid: 1000\n");
}

/** Runs a command as a user would, and shows it. Exit code 1 means that something was denied; 2 ends the demo. */
function countersign(...words) {
  say(
    `  ${dim("$")} ${wrapped(["countersign", ...words].join(" ").replace(EVERY_OBJECT.join(" "), "objects/*.o"), 4, " \\")}`,
  );
  const command = [join(root, "bin/countersign.js"), ...words];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: folder, encoding: "utf8" });
  if (status === 0 || status === 1) return stdout;
  process.stderr.write(stderr);
  process.exit(2);
}

function signedBy(signer) {
  return EVERY_OBJECT.filter((_, index) => Object.values(OBJECTS)[index] === signer);
}

/** Decisions on each program of each object, with the object's name. */
function check({ as, config }) {
  const answer = countersign(
    "check",
    ...(config ? ["--config", config] : []),
    ...as,
    "--log",
    "--json",
    ...EVERY_OBJECT,
  );
  return JSON.parse(answer).flatMap(({ file, decisions }) =>
    decisions.map((decision) => ({ ...decision, object: file.replace(/^objects\/|\.o$/g, "") })),
  );
}

/** A row for each program, a column for each caller. */
function matrix(columns) {
  const head = (key) => columns.map((column) => cell(column[key], 17)).join("");
  const programs = columns[0].decisions.filter(({ hook }) => hook === "bpf_prog_load");
  const rows = programs.map(({ object, subject }) => {
    const verdicts = columns.map(({ decisions }) => cell(...verdict(ofProgram(decisions, object, subject.name))));
    return `  ${cell(subject.name, 15)}${cell(OBJECTS[object], 16, dim)}${verdicts.join("")}`.trimEnd();
  });
  return [
    bold(`  ${cell("program", 15)}${cell("signed by", 16)}${head("title")}`.trimEnd()),
    dim(`  ${cell("", 31)}${head("detail")}`.trimEnd()),
    ...rows,
  ];
}

/** Two hooks decide about a program: bpf_prog_load, then bpf_prog. The first denial stands for both. */
function ofProgram(decisions, object, name) {
  const own = decisions.filter((decision) => decision.object === object && decision.subject.name === name);
  return own.find(({ enforced_verdict }) => enforced_verdict !== 0) ?? own[0];
}

function verdict({ verdict, enforced_verdict, errno }) {
  if (enforced_verdict === 0) return ["✓ allowed", 17, green];
  return verdict === 0 ? ["! would deny", 17, yellow] : [`✗ ${errno}`, 17, red];
}

/** The caller and one reason on each line, or a reference to an earlier caller with the same reasons. */
function reasons({ who, detail, decisions }, index, columns) {
  const why = reasonsOf(decisions);
  if (why.length === 0) return [];
  const before = columns.slice(0, index).find((column) => same(reasonsOf(column.decisions), why));
  const lines = why.map(({ denied, program, reason }) => {
    return `  ${denied ? red("✗") : yellow("!")} ${cell(program, 15)}${wrapped(reason, 19)}`;
  });
  const told = before === undefined ? lines : [`  ${yellow("!")} as for ${before.who}, but recorded and allowed`];
  return [`${bold(who)} ${dim(`(${detail})`)}`, ...told, ""];
}

/** Reasons of denials, applied or not, without the helpers' results, which are in the log. */
function reasonsOf(decisions) {
  return decisions.flatMap(({ subject, verdict, denied_by }) => {
    if (denied_by === null) return [];
    const reason = denied_by.reason.replace(/ \(verify_(?:program|signature) .*\)$/, "");
    return [{ denied: verdict !== 0, program: subject.name, reason }];
  });
}

function same(left, right) {
  const text = (list) => JSON.stringify(list.map(({ program, reason }) => [program, reason]));
  return text(left) === text(right);
}

/** Words in lines that end before the right edge, each after the first indented. */
function wrapped(text, indent, more = "") {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = `${lines.at(-1)} ${word}`.trimStart();
    if (indent + line.length + more.length <= WIDTH) lines[lines.length - 1] = line;
    else lines.push(word);
  }
  return lines.join(`${more}\n${" ".repeat(indent)}`);
}

function cell(text, width, style = (same) => same) {
  return style(text) + " ".repeat(Math.max(0, width - text.length));
}

function say(...lines) {
  process.stdout.write(`${lines.join("\n")}\n`);
}

function coloured(style, text) {
  const wanted = process.stdout.isTTY === true && !process.env.NO_COLOR;
  return wanted ? styleText(style, text) : text;
}

function bold(text) {
  return coloured("bold", text);
}

function dim(text) {
  return coloured("dim", text);
}

function red(text) {
  return coloured("red", text);
}

function green(text) {
  return coloured("green", text);
}

function yellow(text) {
  return coloured("yellow", text);
}
