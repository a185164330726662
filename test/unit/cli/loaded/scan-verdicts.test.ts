import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { EFFECTS, type EffectName } from "../../../../src/bpf/model/facts.js";
import { openEngine } from "../../../../src/cli/input/open-engine.js";
import { type ScanVerdict, scanVerdicts } from "../../../../src/cli/loaded/scan-verdicts.js";
import type { ScannedProgram } from "../../../../src/loaded/facts/scanned-program.js";
import type { Scan } from "../../../../src/loaded/model/scan.js";
import { ROOT_ON_HOST } from "../../../../src/policy/model/current.js";
import { NO_PROGRAM, usedMap } from "../../../support/translated.js";

/** Of each configuration. */
const COMMON =
  "maps: { seen: { writable: { entries: 10, bytes: 1KiB } } }\nkeyrings: { platform: { trust: [key.pem] } }\n";
const folder = mkdtempSync(join(tmpdir(), "scan-verdicts-"));
afterAll(() => rmSync(folder, { recursive: true }));
const { publicKey } = generateKeyPairSync("ed25519");
writeFileSync(join(folder, "key.pem"), publicKey.export({ type: "spki", format: "pem" }));

function program(name: string, effects: readonly EffectName[], given: Partial<ScannedProgram> = {}): ScannedProgram {
  const all = Object.fromEntries(EFFECTS.map((effect) => [effect, effects.includes(effect)]));
  return {
    report: { ...NO_PROGRAM, id: 7, type: "kprobe", name, uid: 1000 },
    effects: { ...all, read_only: effects.length === 0 } as never,
    ...{ attachType: null, attachTo: null, evidence: [], digest: null, maps: [] },
    ...given,
  };
}

/** Verdicts of a policy with these lines after its imports; `on_fault` is that of the attachment. */
async function verdicts(
  lines: string,
  programs: readonly ScannedProgram[],
  maps: Scan["maps"] = [],
  onFault = "deny",
): Promise<readonly ScanVerdict[]> {
  const [policy, config] = [join(folder, "policy.js"), join(folder, "countersign.yaml")];
  writeFileSync(policy, `import { deny, map_update, verify_program } from "countersign";\n${lines}\n`);
  const attachment = `{ policy: policy.js, on_fault: ${onFault} }`;
  writeFileSync(config, `version: 1\n${COMMON}attachments: [${attachment}]\n`);
  const engine = await openEngine(config, "check", null);
  try {
    const examined = { subjects: programs };
    const scan = { maps } as unknown as Scan;
    return await scanVerdicts(engine, scan, examined, (uid) => ({ ...ROOT_ON_HOST, uid }));
  } finally {
    engine.close();
  }
}

const KERNEL_READ = `export const bpf_prog_load = ({ effects }) => effects.reads_kernel_memory ? deny("reads") : 0;`;
const ofLoad = async (lines: string, one: ScannedProgram) => {
  const [load] = await verdicts(lines, [one]);
  return [load!.verdict, load!.reason];
};

describe("what a configuration would decide about a loaded program", () => {
  it("is certain where all facts that are asked are known", async () => {
    const byType = `export const bpf_prog_load = ({ type }) => type === "xdp" ? deny("no xdp") : 0;`;
    expect(await ofLoad(byType, program("a", []))).toEqual(["allowed", null]);
    const xdp = program("a", [], { report: { ...NO_PROGRAM, type: "xdp" } });
    expect(await ofLoad(byType, xdp)).toEqual(["denied", "policy: no xdp"]);
  });

  it("is denied by what it can at most do, and says so", async () => {
    expect(await ofLoad(KERNEL_READ, program("a", ["reads_kernel_memory"]))).toEqual([
      "denied",
      expect.stringMatching(/^policy: reads.*, by what it can at most do$/),
    ]);
    expect(await ofLoad(KERNEL_READ, program("a", ["reads_user_memory"]))).toEqual(["allowed", null]);
  });

  it("is not allowed because of an effect that the program may not have", async () => {
    const lines = `export const bpf_prog_load = ({ effects }) => effects.decides ? 0 : deny("must decide");`;
    expect(await ofLoad(lines, program("a", ["decides"]))).toEqual([
      "not decided",
      expect.stringContaining("`decides`, which is unknown here"),
    ]);
    expect(await ofLoad(lines, program("a", []))).toEqual(["denied", "policy: must decide"]);
  });

  it("is not allowed where a policy counts effects without naming them", async () => {
    const lines = `export const bpf_prog_load = ({ effects }) => Object.values(effects).some((is) => is) ? 0 : deny("idle");`;
    const [verdict] = await ofLoad(lines, program("a", ["decides"]));
    expect(verdict).not.toBe("allowed");
  });

  it.each(["digest", "license", "insns", "insn_cnt", "helpers", "statements", "signature", "kernel_signature"])(
    "is not decided where a policy reads %s",
    async (fact) => {
      const lines = `export const bpf_prog_load = (prog) => prog.${fact} === 1 ? 0 : 0;`;
      expect(await ofLoad(lines, program("a", []))).toEqual([
        "not decided",
        expect.stringContaining(`the fact \`${fact}\`, which is unknown here`),
      ]);
      expect((await verdicts(lines, [program("a", [])], [], "allow"))[0]!.verdict).toBe("not decided");
    },
  );

  it("is not decided where a policy verifies the program", async () => {
    const lines = `export const bpf_prog_load = (prog) => verify_program(prog, "platform");`;
    const [verdict, reason] = await ofLoad(lines, program("a", []));
    expect([verdict, reason]).toEqual(["not decided", expect.stringContaining("which is unknown here")]);
  });

  it("is what a policy decides with the digest where the kernel shows it", async () => {
    const lines = `export const bpf_prog_load = ({ digest }) => digest.startsWith("ab") ? 0 : deny("other");`;
    expect(await ofLoad(lines, program("a", [], { digest: "ab".repeat(32) }))).toEqual(["allowed", null]);
    expect(await ofLoad(lines, program("a", [], { digest: "cd".repeat(32) }))).toEqual(["denied", "policy: other"]);
  });

  it("is denied by one policy although another one does not decide", async () => {
    const lines = `export const bpf_prog_load = (prog) => prog.type === "kprobe" ? deny("no") : prog.digest === "" ? 0 : 0;`;
    expect(await ofLoad(lines, program("a", []))).toEqual(["denied", "policy: no"]);
  });

  it("is about the load and the hand-out, for the uid of the loader, and leaves no writes", async () => {
    const lines = `
      export const bpf_prog_load = (prog, { uid }) => {
        map_update("seen", prog.name, 1);
        return uid === 1000 ? 0 : deny("not " + uid);
      };
      export const bpf_prog = ({ loaded }) => loaded.verified_insns > 5 ? deny("long") : 0;`;
    const long = program("b", [], { report: { ...NO_PROGRAM, id: 8, name: "b", uid: 5, verifiedInsns: 9 } });
    const found = await verdicts(lines, [program("a", []), long]);
    expect(found.map(({ id, hook, verdict, reason }) => [id, hook, verdict, reason])).toEqual([
      [7, "bpf_prog_load", "allowed", null],
      [7, "bpf_prog", "allowed", null],
      [8, "bpf_prog_load", "denied", "policy: not 5"],
      [8, "bpf_prog", "denied", "policy: long"],
    ]);
  });

  it("is that nobody was asked where no policy serves the hook", async () => {
    const { report } = usedMap(5, "hash", { name: "counts" });
    const found = await verdicts(KERNEL_READ, [program("a", [])], [report]);
    expect(found.map(({ hook, verdict }) => [hook, verdict])).toEqual([
      ["bpf_prog_load", "allowed"],
      ["bpf_prog", "nobody asked"],
      ["bpf_map_create", "nobody asked"],
      ["bpf_map", "nobody asked"],
    ]);
  });
});

it("decides about maps by their creation and hand-out", async () => {
  const { report } = usedMap(5, "hash", { name: "counts", flags: 8 });
  const lines = `
    export const bpf_map_create = ({ memory }) => memory > 10 ? deny("large") : 0;
    export const bpf_map = ({ access }) => access === "r" ? 0 : deny("writable");`;
  expect((await verdicts(lines, [], [report])).map(({ of, id, verdict }) => [of, id, verdict])).toEqual([
    ["map", 5, "denied"],
    ["map", 5, "allowed"],
  ]);
});
