import { spawnSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import { recordsOf } from "../../support/records.js";
import { own, Workplace } from "../../support/workplace.js";
import { amount } from "../nightly.js";
import { BIN, type Logged, needs, needsGate } from "./site.js";

/** Example objects that this project's kernels can load. */
const OBJECTS = [
  "drop-telnet",
  "exec-log",
  "kill-writer",
  "peek-tc",
  "last-word",
  "rate-limit",
  "switch-watch",
  "xdp-steer",
].slice(0, amount(4, 8));
const ATTACHMENTS = ["allow-unsigned-tc", "debug-read-only", "container-lockdown"];
const MAPS = "maps: { debug_read_only: { file: debug.json } }\nlog: { file: log.jsonl }";

describe("a policy that ships", () => {
  beforeEach((context) => {
    needsGate(context);
    needs(context, "bpftool");
  });

  const place = (policy: string): Workplace => {
    const workplace = new Workplace(`  - policy: policies/${policy}.js\n    limits: { timeout: 10s }\n`, MAPS);
    workplace.write("debug.json", '{ "uid": 0 }');
    workplace.policy(`${policy}.js`);
    return workplace;
  };
  const countersign = (...words: readonly string[]) =>
    spawnSync(process.execPath, [BIN, ...words], { encoding: "utf8", timeout: 60_000 });
  /**
   * Loads an object's programs behind the gate: how the loader ended, and the verdict on each program that was asked
   * about.
   */
  const live = (workplace: Workplace, object: string) => {
    rmSync(workplace.at("log.jsonl"), { force: true });
    // what is pinned by name goes to a BPF file system that lasts as long as the loader
    const script = 'mount -t bpf none /sys/fs/bpf && exec bpftool prog loadall "$0" /sys/fs/bpf/pinned';
    const words = ["run", "--quiet", "--config", workplace.config, "--", "unshare", "-m", "sh", "-c", script, object];
    const { status, stderr } = countersign(...words);
    const decided = recordsOf(workplace.at("log.jsonl")).filter(
      ({ hook, loader_probe }) => hook === "bpf_prog_load" && loader_probe === undefined,
    );
    return {
      status,
      stderr,
      verdicts: Object.fromEntries(decided.map(({ subject, verdict }) => [subject.name, verdict])),
    };
  };
  /** The verdicts on the programs of each of the same files, decided offline. */
  const offline = (workplace: Workplace, objects: readonly string[]) => {
    const { stdout } = countersign("check", "--json", "--config", workplace.config, ...objects);
    const files = [JSON.parse(stdout)].flat() as { decisions: Logged[] }[];
    return files.map(({ decisions }) =>
      Object.fromEntries(decisions.map(({ subject, verdict }) => [subject.name, verdict])),
    );
  };

  for (const policy of ATTACHMENTS)
    it(`${policy} decides on live loads as on the files that they come from`, () => {
      const workplace = place(policy);
      let asked = 0;
      const objects = OBJECTS.map((name) => own(`examples/${name}.o`));
      const offered = offline(workplace, objects);
      for (const [at, object] of objects.entries()) {
        const [name, expected] = [OBJECTS[at]!, offered[at]!];
        const { verdicts, status } = live(workplace, object);
        // a loader gives up at the first denial; every verdict that was given is that of the file
        expect(verdicts, name).toEqual(Object.fromEntries(Object.keys(verdicts).map((key) => [key, expected[key]])));
        expect(status === 0, name).toBe(Object.values(expected).every((verdict) => verdict === 0));
        asked += Object.keys(verdicts).length;
      }
      expect(asked).toBeGreaterThanOrEqual(OBJECTS.length);
      rmSync(workplace.folder, { recursive: true });
    });

  it("verify-all lets a signed program through under unmodified bpftool, and refuses it unsigned", () => {
    const workplace = place("verify-all");
    const object = own("examples/peek-tc.o");
    const unsigned = live(workplace, object);
    expect(unsigned.status).not.toBe(0);
    expect(unsigned.verdicts).toEqual({ peek: -61 });
    workplace.signPrograms(readFileSync(object));
    const signed = live(workplace, object);
    expect([signed.status, signed.stderr, signed.verdicts]).toEqual([0, "", { peek: 0 }]);
    rmSync(workplace.folder, { recursive: true });
  });
});
