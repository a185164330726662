import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { BpfObject, factsOfObject } from "../../../src/bpf/object.js";
import { statementOf } from "../../../src/bpf/statement.js";
import { kernelTags } from "../../support/kernel-tags.js";
import { exampleObjects, objectFiles } from "../../support/real-objects.js";
import { recordsOf } from "../../support/records.js";
import { changesWhenLoaded } from "../../support/relocation.js";
import { Workplace } from "../../support/workplace.js";
import { BIN, expectNoneLoadedSince, needs, needsGate, programs } from "./site.js";

/** Loads each object with bpftool, into a BPF file system of its own, and says how that ended: `path: status`. */
const LOAD = `
for object in "$@"; do
  mount -t bpf bpf /sys/fs/bpf || exit 9
  bpftool prog loadall "$object" /sys/fs/bpf/programs > /dev/null 2>&1
  echo "$object: $?"
  umount /sys/fs/bpf
done
`;

describe("programs signed from their files", () => {
  beforeEach((context) => {
    needsGate(context);
    needs(context, "bpftool", "xdp-loader");
  });

  /** Objects of which nothing is relocated as they are loaded, and which this kernel loads, as files. */
  const loadable = (workplace: Workplace): readonly string[] => {
    const paths = [...exampleObjects(), ...objectFiles("xdp-tools", "libxdp1")]
      .filter(({ bytes }) => {
        const object = new BpfObject(bytes);
        return object.functions.length > 0 && !object.functions.some((of) => changesWhenLoaded(object.program(of)));
      })
      .map(({ name, bytes }) => workplace.write(name, bytes));
    const tags = kernelTags(paths);
    return typeof tags === "string" ? [] : paths.filter((path) => tags.has(path));
  };
  const countersign = (...words: readonly string[]) =>
    spawnSync(process.execPath, [BIN, ...words], { encoding: "utf8", timeout: 120_000 });
  /** Loads objects behind the gate: how each loader ended, and the verdicts by digest. */
  const live = (workplace: Workplace, paths: readonly string[]) => {
    rmSync(workplace.at("log.jsonl"), { force: true });
    const words = ["run", "--quiet", "--config", workplace.config, "--", "unshare", "-m", "sh", "-c", LOAD, "sh"];
    const { stdout, stderr } = countersign(...words, ...paths);
    expect(stderr).toBe("");
    const decided = recordsOf(workplace.at("log.jsonl")).filter(
      ({ hook, loader_probe }) => hook === "bpf_prog_load" && loader_probe === undefined,
    );
    return {
      endings: stdout.trim().split("\n"),
      verdicts: new Map(decided.map(({ subject, verdict }) => [subject.digest, verdict])),
    };
  };

  it("load behind verify-all with unmodified bpftool, and not without their signatures", async (context) => {
    const workplace = new Workplace(
      "  - policy: policies/verify-all.js\n    limits: { timeout: 10s }\n",
      "log: { file: log.jsonl }",
    );
    workplace.policy("verify-all.js");
    const paths = loadable(workplace);
    if (paths.length === 0) context.skip("needs a kernel that lets root load BPF");
    const digests = new Set(
      paths.flatMap((path) => factsOfObject(readFileSync(path)).programs.map(({ digest }) => digest)),
    );
    // examples and packages, with maps, global data and several programs
    expect(paths.length).toBeGreaterThanOrEqual(15);
    expect(digests.size).toBeGreaterThanOrEqual(20);

    const before = programs();
    const unsigned = live(workplace, paths);
    expect(unsigned.endings).toEqual(paths.map((path) => `${path}: 255`));
    expect(new Set(unsigned.verdicts.values())).toEqual(new Set([-61]));
    await expectNoneLoadedSince(before);

    const { key, certificate } = workplace.signer.pem;
    const signer = ["--key", workplace.write("signer.key", key), "--cert", workplace.write("signer.pem", certificate)];
    const signed = countersign("sign", ...signer, "--programs", "--out", workplace.at("signatures"), ...paths);
    expect([signed.status, signed.stderr]).toEqual([0, ""]);
    const { endings, verdicts } = live(workplace, paths);
    expect(endings).toEqual(paths.map((path) => `${path}: 0`));
    expect(verdicts).toEqual(new Map([...digests].map((digest) => [digest, 0])));

    // one signature that is over the statement of another object: that object alone is refused
    const [first = "", second = ""] = paths.map((path) => statementOf(readFileSync(path)).statement.sha256);
    writeFileSync(workplace.at(`signatures/${first}.p7s`), readFileSync(workplace.at(`signatures/${second}.p7s`)));
    expect([...live(workplace, paths.slice(0, 1)).verdicts.values()]).toContain(-129);
    expect(live(workplace, paths.slice(1, 2)).endings).toEqual([`${paths[1]}: 0`]);
    rmSync(workplace.folder, { recursive: true });
  });
});
