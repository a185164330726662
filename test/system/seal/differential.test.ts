/**
 * Each reference policy, sealed by a list, decides as the policy does: loads of all example objects, and loads that
 * differ from these in one property that a statement covers, are made in a guest without and with the guard. The guard
 * may deny a load that the policy allows only if `seal build` says that it needs a ticket or that the guard never
 * allows it, or because the list has another load; it may never allow one that the policy denies.
 */
import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, it } from "vitest";
import type { ProgramSubject } from "../../../src/bpf/model/facts.js";
import { TargetKernel } from "../../../src/cli/kernel/target-kernel.js";
import { readConfig } from "../../../src/config/config.js";
import { Engine } from "../../../src/engine/decision/engine.js";
import { classify } from "../../../src/engine/files/file-content.js";
import { questionsAbout } from "../../../src/engine/files/file-questions.js";
import { FileSignatures } from "../../../src/engine/files/file-signatures.js";
import { ERRNO } from "../../../src/errno.js";
import { ROOT_ON_HOST } from "../../../src/policy/model/current.js";
import { parseList } from "../../../src/seal/list.js";
import { SEAL_INIT, sealFragment } from "../../../src/seal/sealing.js";
import { runCommand } from "../../support/command-line.js";
import { own, Workplace } from "../../support/workplace.js";
import { subjectOf } from "./differential/expected.js";
import { loadFile } from "./differential/load-file.js";
import { type ObjectLoad, objectLoads } from "./differential/object-loads.js";
import { type Variation, variationsOf } from "./differential/variations.js";
import { SealGuest } from "./guests/seal-guest.js";
import type { SealKernel } from "./guests/seal-kernels.js";
import { compileProgram } from "./guests/sealed-guest.js";
import { testedKernels } from "./guests/tested-kernels.js";

const POLICIES = ["verify-all", "allow-unsigned-tc", "debug-read-only", "container-lockdown"] as const;
/** A guest makes the loads under each policy: the short form has one that asks for signatures. */
const isNightly = process.env.COUNTERSIGN_NIGHTLY !== undefined;
const SEALED = POLICIES.filter((name) => isNightly || name === "verify-all");

/** What one load did: the errno of BPF_PROG_LOAD, or of what came before it. */
interface Outcome {
  readonly setup: boolean;
  readonly errno: number;
}

interface Replayed {
  readonly of: ObjectLoad;
  readonly variation: Variation;
  /** Of the policy; null if no kernel takes the load. */
  readonly allowed: boolean | null;
  /** `listed`, `denied`, `ticket` or `never`, as `seal build` says of the program. */
  readonly row: string;
  readonly plain: Outcome;
  readonly sealed: Outcome;
}

const EXAMPLES = readdirSync(own("examples")).filter((name) => name.endsWith(".o"));

/** The loads of each policy on each kernel, which several tests look at. */
const replayed = new Map<string, Promise<readonly Replayed[] | string>>();

function replay(kernel: SealKernel, policy: string): Promise<readonly Replayed[] | string> {
  const key = `${kernel} ${policy}`;
  const known = replayed.get(key) ?? replayNow(kernel, policy);
  replayed.set(key, known);
  return known;
}

/** Makes all loads in two guests, without and with the guard; the reason if there can be no guest. */
async function replayNow(kernel: SealKernel, policy: string): Promise<readonly Replayed[] | string> {
  const guest = SealGuest.make(kernel);
  if (typeof guest === "string") return guest;
  const place = workplaceFor(policy);
  const target = await TargetKernel.open(guest.kernel.image, { progress: async () => ({ step() {}, stop() {} }) });
  const objects = EXAMPLES.map((name) => own(`examples/${name}`));
  const { out, err } = await runCommand(
    ...["seal", "build", "--config", place.config, "--btf", guest.kernel.image, "--any-maps", "--json"],
    ...["--modules", "all-signed", "--out", place.at("lists"), ...objects],
  );
  const rows: readonly { file: string; name: string; result: string }[] = out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
  expect(rows.length, err).toBeGreaterThan(0);
  const [listFile] = readdirSync(place.at("lists"));
  const list = parseList(readFileSync(place.at(`lists/${listFile}`)));
  const engine = await Engine.open(readConfig(place.config));
  const asked = await target.use(() =>
    objects.flatMap((file) =>
      objectLoads(file, readFileSync(file), target.kernel).flatMap((of) => {
        const signed = statementsOf(engine, file, of.program.name);
        const row = rows.find((each) => each.file === file && each.name === of.program.name)!.result;
        return variationsOf(of).map((variation) => {
          const known = variation.counts === "none" || variation.counts === "setting" ? signed : NO_STATEMENT;
          const subject = subjectOf(variation.load, target.kernel, known);
          const allowed = subject === null ? null : isAllowed(engine, subject);
          return { of, variation, row, allowed };
        });
      }),
    ),
  );
  engine.close();
  guest.file("bin/replay-loads", compileProgram("replay-loads"), 0o755);
  guest.file("lib/loads", loadFile(asked.map(({ variation }) => variation.load)));
  // The loads are the same for each policy
  const plain = unsealed.get(kernel) ?? outcomesOf(guest.run(SCRIPT, { seconds: SECONDS }).output);
  unsealed.set(kernel, plain);
  const fragments = [sealFragment({ mode: "enforce", list }, "halt")];
  const sealed = outcomesOf(
    guest.run(SCRIPT, { fragments, commandLine: `rdinit=${SEAL_INIT}`, seconds: SECONDS }).output,
  );
  guest.remove();
  expect([plain.length, sealed.length]).toEqual([asked.length, asked.length]);
  return asked.map((load, index) => ({ ...load, plain: plain[index]!, sealed: sealed[index]! }));
}

/** What the loads did without the guard. */
const unsealed = new Map<SealKernel, readonly Outcome[]>();
const SCRIPT = "replay-loads /lib/loads";
/** The loads take a guest 20 seconds, and ten times as long on a busy machine. */
const SECONDS = 600;
const NO_STATEMENT = { statements: [], mismatches: [] } as const;

function outcomesOf(output: string): readonly Outcome[] {
  return [...output.matchAll(/^\d+ (setup|load) (\d+)$/gm)].map(([, what, errno]) => {
    return { setup: what === "setup", errno: Number(errno) };
  });
}

/** A configuration with one policy, and statements for every other example object. */
function workplaceFor(policy: string): Workplace {
  const place = new Workplace(
    `  - policy: policies/${policy}.js`,
    "maps: { debug_read_only: { file: empty.json } }\ndefault: { bpf_prog_load: deny }",
  );
  place.write("empty.json", "{}");
  place.policy(`${policy}.js`);
  const text = readFileSync(place.config, "utf8").replaceAll(
    "trust: [certs/ca.pem]",
    "trust: [certs/ca.pem], validity: ignore",
  );
  place.write("countersign.yaml", text);
  for (const name of SIGNED) place.signPrograms(readFileSync(own(`examples/${name}.o`)));
  return place;
}

const SIGNED = [
  "calm-tcp",
  "exec-guard",
  "exec-log",
  "kill-writer",
  "rate-limit",
  "tenant-quota",
  "xdp-steer",
  "last-word",
];

function statementsOf(engine: Engine, file: string, name: string): Pick<ProgramSubject, "statements" | "mismatches"> {
  const found = new FileSignatures(engine.signatures, null, engine.statements);
  const questions = questionsAbout(classify(file, readFileSync(file)), found, ["bpf_prog_load"]);
  const subjects = questions.map(({ subject }) => subject as ProgramSubject);
  const { statements, mismatches } = subjects.find((subject) => subject.name === name)!;
  return { statements, mismatches };
}

function isAllowed(engine: Engine, subject: ProgramSubject): boolean {
  return engine.decide({ hook: "bpf_prog_load", subject, current: ROOT_ON_HOST }).enforced_verdict === 0;
}

const title = ({ of, variation }: Replayed) => `${basename(of.object)} ${of.program.name}: ${variation.property}`;
const isDenied = ({ sealed }: Replayed) => sealed.errno === ERRNO.EPERM;
/** How many programs of the examples each policy has listed, at least. */
const LISTED: Readonly<Record<(typeof POLICIES)[number], number>> = {
  "verify-all": 6,
  "allow-unsigned-tc": 6,
  "debug-read-only": 3,
  "container-lockdown": 0,
};

describe.for(testedKernels())("on %s, sealed by a list", { timeout: 3000 * SECONDS }, (kernel) => {
  it.for(SEALED)("%s decides as the policy does, or asks for a ticket", async (policy, { skip }) => {
    const all = await replay(kernel, policy);
    if (typeof all === "string") return skip(all);
    const made = all.filter(({ plain }) => !plain.setup);
    const passes = made.filter(({ plain }) => plain.errno === 0);
    const having = (...counts: readonly Variation["counts"][]) =>
      passes.filter(({ variation }) => counts.includes(variation.counts));
    expect(made.length).toBeGreaterThan(150);
    expect(passes.length).toBeGreaterThan(100);
    expect(made.filter(({ plain }) => plain.errno === ERRNO.EPERM).map(title)).toEqual([]);

    // Nothing is allowed that the policy denies, but for what lists do not compare
    const denied = passes.filter(({ allowed, variation }) => allowed === false && variation.counts !== "uncompared");
    expect(denied.filter((load) => !isDenied(load)).map(title)).toEqual([]);
    // Each covered property that differs is denied, also where the policy would allow the other program
    expect(
      having("covered")
        .filter((load) => !isDenied(load))
        .map(title),
    ).toEqual([]);
    // What is listed can be loaded, whatever its name
    const listed = having("none").filter(({ row }) => row === "listed");
    expect(listed.filter(isDenied).map(title)).toEqual([]);
    expect(new Set(listed.map(({ of }) => of.program.name)).size).toBeGreaterThanOrEqual(LISTED[policy]);
    // What the policy allows is listed, or `seal build` says that it needs a ticket, or that the guard never allows it
    const missed = having("none").filter((load) => load.allowed === true && isDenied(load));
    expect(missed.filter(({ row }) => row !== "ticket" && row !== "never").map(title)).toEqual([]);
    // What is not listed cannot be loaded
    const others = passes.filter(({ row }) => row !== "listed");
    expect(others.filter((load) => !isDenied(load)).map(title)).toEqual([]);
  });

  it("lets loaders choose settings of signed programs, and nothing else", async ({ skip }) => {
    const all = await replay(kernel, "verify-all");
    if (typeof all === "string") return skip(all);
    const listed = all.filter(({ row, plain }) => row === "listed" && !plain.setup && plain.errno === 0);
    const settings = listed.filter(({ variation }) => variation.counts === "setting");
    expect(settings.map(title)).toContain("exec-log.o log_exec: .rodata.setting");
    expect(settings.filter(isDenied).map(title)).toEqual([]);
    const open = new Set(listed.filter((load) => !isDenied(load)).map(({ variation }) => variation.counts));
    expect([...open].sort()).toEqual(["none", "setting", "uncompared"]);
  });
});
