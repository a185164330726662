import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { beforeEach, describe, expect, it } from "vitest";
import type { DecisionRecord } from "../../../src/log/record.js";
import { recordsOf } from "../../support/records.js";
import { own, Workplace } from "../../support/workplace.js";
import { BIN, needs, needsGate } from "./site.js";

/** Objects that this kernel loads, with maps of each kind that libbpf makes. */
const EXAMPLES = ["drop-telnet", "exec-log", "kill-writer", "peek-tc", "rate-limit", "switch-watch", "xdp-steer"];

/** Those with CO-RE relocations. */
const FILLED_IN: ReadonlySet<string> = new Set(["switch-watch"]);

type Logged = Pick<DecisionRecord, "hook" | "subject" | "loader_probe" | "answers">;

const POLICY = `
import { note } from "countersign";
const map = ({ name, type, key_size, value_size, max_entries, flags, contents, memory, memory_per_cpu, access }) =>
  note(JSON.stringify({ name, type, key_size, value_size, max_entries, flags, contents, memory, memory_per_cpu, access }));
const program = ({ name, type, expected_attach_type, license, insn_cnt, helpers, digest }) =>
  note(JSON.stringify({ name, type, expected_attach_type, license, insn_cnt, helpers, digest }));
export const bpf_map_create = (subject) => { map(subject); return 0; };
export const bpf_map = (subject) => { map(subject); return 0; };
export const bpf_prog_load = (subject) => { program(subject); return 0; };
export const bpf_prog = (subject) => { program(subject); return 0; };
`;

describe("countersign check on an object", () => {
  beforeEach((context) => {
    needsGate(context);
    needs(context, "bpftool");
  });

  const countersign = (...words: readonly string[]) =>
    spawnSync(process.execPath, [BIN, ...words], { encoding: "utf8", timeout: 60_000 });
  /** What each decision was about, without the facts that are named as unknown. */
  const asked = (decisions: readonly Logged[], unknown: ReadonlyMap<string, readonly string[]>) =>
    decisions.map(({ hook, subject, answers }) => {
      const facts = Object.entries(JSON.parse(answers[0]?.notes[0] as string));
      const without = unknown.get(`${hook} ${subject.name}`) ?? [];
      return [hook, Object.fromEntries(facts.filter(([fact]) => !without.includes(fact)))];
    });

  for (const name of EXAMPLES)
    it(`asks about ${name} what a gate asks while bpftool loads it`, () => {
      const place = new Workplace("  - policy: all.js\n    limits: { timeout: 10s }\n", "log: { file: log.jsonl }");
      place.write("all.js", POLICY);
      const object = own(`examples/${name}.o`);

      const script = 'mount -t bpf none /sys/fs/bpf && exec bpftool prog loadall "$0" /sys/fs/bpf/pinned';
      const words = ["--", "unshare", "-m", "sh", "-c", script, object];
      const run = countersign("run", "--quiet", "--config", place.config, ...words);
      expect(run.status, run.stderr).toBe(0);
      const live = recordsOf(place.at("log.jsonl"));
      rmSync(place.at("log.jsonl"));
      expect(new Set(live.map(({ origin }) => origin))).toEqual(new Set(["run"]));

      const check = countersign("check", "--json", "--config", place.config, object);
      expect(check.status, check.stderr).toBe(0);
      const { decisions, differences } = JSON.parse(check.stdout) as {
        decisions: Logged[];
        differences: { hook: string; subject: string; unknown: string[] }[];
      };
      const unknown = new Map(differences.map((one) => [`${one.hook} ${one.subject}`, one.unknown]));
      const offline = asked(decisions, unknown);
      // libbpf's probes are its own affair
      const loaded = live.filter(
        ({ subject, loader_probe }) => loader_probe === undefined && !subject.name.startsWith("libbpf_"),
      );
      expect(asked(loaded, unknown).slice(-offline.length)).toEqual(offline);
      expect(differences.some((one) => one.unknown.includes("digest"))).toBe(FILLED_IN.has(name));
    });
});
