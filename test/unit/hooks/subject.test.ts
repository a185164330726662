import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { TOKEN } from "../../../src/bpf/model/commands.js";
import { NO_STATEMENTS } from "../../../src/bpf/model/facts.js";
import { BpfObject } from "../../../src/bpf/object.js";
import { factsOfLoad } from "../../../src/bpf/prog-load.js";
import { callerWith } from "../../../src/cli/input/caller-options.js";
import { readCurrent } from "../../../src/config/current.js";
import { classify } from "../../../src/engine/files/file-content.js";
import { questionsAbout } from "../../../src/engine/files/file-questions.js";
import { FileSignatures } from "../../../src/engine/files/file-signatures.js";
import { programSubject } from "../../../src/engine/files/program-subject.js";
import { Attr, CREATE } from "../../../src/gate/call/attr.js";
import type { Call } from "../../../src/gate/call/call.js";
import { copiedCommand, pathCommand, registersOf } from "../../../src/gate/commands/copied/command-subject.js";
import type { Copy } from "../../../src/gate/commands/copied/copy.js";
import type { Held } from "../../../src/gate/commands/copied/held.js";
import type { Target } from "../../../src/gate/commands/copied/target.js";
import { attachTargetOf, targetOf } from "../../../src/gate/commands/copied/targets.js";
import { COPIED_COMMANDS } from "../../../src/gate/commands/copied-commands.js";
import { moduleSubject } from "../../../src/gate/commands/modules.js";
import { loaded } from "../../../src/gate/commands/objects/loaded.js";
import { createdMap, liveMap } from "../../../src/gate/commands/objects/map-subject.js";
import { callerOf, copyOf, unreadTask } from "../../../src/gate/task/caller.js";
import { HOOK_NAMES, LOAD_HOOKS, MAP_ACCESS } from "../../../src/hooks/catalogue.js";
import { ROOT_ON_HOST } from "../../../src/policy/model/current.js";
import { FACTS, SUBJECTS } from "../../../src/policy/model/facts.gen.js";
import { SignatureStore } from "../../../src/trust/store.js";
import { differences } from "../../support/declared-facts.js";
import { example } from "../../support/examples.js";
import { NO_SIGNATURES, subjectsOf } from "../../support/file-subjects.js";
import { liveLoad } from "../../support/live-load.js";
import { task } from "../../task.js";

const EXAMPLES = [
  "drop-telnet",
  "exec-guard",
  "kill-writer",
  "rate-limit",
  "switch-watch",
  "tenant-quota",
  "xdp-steer",
];
const CONTAINER = { id: "c", name: null, labels: { tier: "edge" }, annotations: {} };

describe("what a hook is about, as types/countersign.d.ts declares it", () => {
  it("is declared for every hook, and for no other", () => {
    expect(Object.keys(SUBJECTS)).toEqual(HOOK_NAMES);
  });

  it("is an object file's programs and maps, before they are loaded", () => {
    for (const name of EXAMPLES) {
      const questions = questionsAbout(classify(`${name}.o`, example(name)), NO_SIGNATURES, LOAD_HOOKS);
      expect(questions.length).toBeGreaterThan(0);
      for (const { hook, subject } of questions) expect(differences(subject, SUBJECTS[hook])).toEqual([]);
    }
  });

  it("is a file or a blob", () => {
    for (const hook of HOOK_NAMES.filter((one) => ["File", "Blob"].includes(SUBJECTS[one]))) {
      const signatures = new FileSignatures(SignatureStore.open([]), Uint8Array.of(1));
      for (const subject of subjectsOf("a", Uint8Array.of(1, 2), hook, signatures))
        expect(differences(subject, SUBJECTS[hook])).toEqual([]);
    }
    for (const path of ["/lib/a.ko", null]) {
      const subject = moduleSubject(Uint8Array.of(1), Uint8Array.of(65), "a", { path });
      expect(differences(subject, SUBJECTS.kernel_read_file)).toEqual([]);
    }
  });

  it("is a live load, and what the kernel made of it", () => {
    for (const name of EXAMPLES) {
      const object = new BpfObject(example(name));
      for (const each of object.functions) {
        const judged = programSubject(factsOfLoad(liveLoad(object, object.program(each))), {
          ...{ signature: null, ...NO_STATEMENTS, kernel_signature: null, kernel_keyring: null, object: null },
        });
        const info = { type: 6, id: 9, tag: judged.tag, jitedLength: 80, xlatedLength: 64, verifiedInsns: 7 };
        expect(differences(judged, SUBJECTS.bpf_prog_load)).toEqual([]);
        const made = loaded(judged, { ...info, mapIds: [4], name: "drop" });
        expect(differences(made, SUBJECTS.bpf_prog)).toEqual([]);
        expect(made.loaded).not.toBeNull();
      }
    }
  });

  it("is a live map", () => {
    const info = { type: 1, id: 1, keySize: 4, valueSize: 8, maxEntries: 16, flags: 0, name: "m" };
    expect(differences(createdMap(new Attr(CREATE.size, CREATE.size)), SUBJECTS.bpf_map_create)).toEqual([]);
    for (const access of MAP_ACCESS) expect(differences(liveMap(info, -1, access), SUBJECTS.bpf_map)).toEqual([]);
  });

  it("is a token", () => {
    expect(differences(TOKEN, SUBJECTS.bpf_token_create)).toEqual([]);
  });

  it("is a command of registers, of a path, or copied, whatever it attaches to", () => {
    const commands = [registersOf("BPF_X", 99, 64), pathCommand("BPF_OBJ_GET", 7, 64, "/sys/fs/bpf/x")];
    const copy = { given: new Attr(128, 128), fds: new Map(), bytes: new Map(), texts: [Uint8Array.of(65)] };
    const program = { name: "p", type: "xdp", tag: "0", digest: null };
    const object = { kind: "program", program, map: { name: "m", type: "hash" }, programType: 1, attachTo: "f" };
    const types = Array.from({ length: 64 }, (_, type) => [targetOf(type, 0), attachTargetOf(type)]).flat();
    const targets = [null, ...types].filter((one): one is Target => one !== undefined);
    const kinds = new Set<string>();
    for (const [name, { facts }] of Object.entries(COPIED_COMMANDS))
      for (const target of targets)
        for (const held of [null, object as Held]) {
          const call = { word: (index: number) => (index === 0 ? 28 : 64) } as Call;
          const plan = { target, targetAt: 4 };
          const subject = copiedCommand(call, name, facts, copy as unknown as Copy, held, plan, { path: "/x" });
          if (subject.attach) kinds.add(subject.attach.target.kind);
          commands.push(subject);
        }
    for (const subject of new Set(commands)) expect(differences(subject, SUBJECTS.bpf)).toEqual([]);
    expect(kinds.size).toBeGreaterThan(8);
    for (const fact of ["attach", "run", "btf", "program", "map", "path"] as const)
      expect(
        commands.some((subject) => subject[fact] !== null),
        fact,
      ).toBe(true);
  });
});

describe("who asks, as types/countersign.d.ts declares it", () => {
  it("is a task of the live gate", () => {
    const status = { tgid: process.pid, uid: 1, euid: 2, gid: 3, egid: 4 };
    for (const container of [null, CONTAINER, { ...CONTAINER, labels: null }]) {
      const caller = callerOf(process.pid, status as never, container)!;
      expect(differences(copyOf(caller.current), "Current")).toEqual([]);
    }
    expect(differences(unreadTask(7, CONTAINER), "Current")).toEqual([]);
  });

  it("is a task that is made up offline", () => {
    const folder = mkdtempSync(join(tmpdir(), "countersign-"));
    try {
      const file = join(folder, "task.json");
      for (const given of [{}, { uid: 5 }, { container: { id: "c" } }, { container: CONTAINER }]) {
        writeFileSync(file, JSON.stringify(given));
        expect(differences(readCurrent(file), "Current"), JSON.stringify(given)).toEqual([]);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
    expect(differences(ROOT_ON_HOST, "Current")).toEqual([]);
    expect(differences(callerWith(ROOT_ON_HOST, { labels: { tier: "edge" } }), "Current")).toEqual([]);
    expect(differences(task(), "Current")).toEqual([]);
  });
});

it("every kind of difference from the declarations is found", () => {
  const current = task({ container: CONTAINER });
  expect(differences({ ...current, exe: undefined }, "Current")).toEqual(["Current.exe is undefined"]);
  expect(differences({ ...current, uid: null }, "Current")).toEqual(["Current.uid is null"]);
  expect(differences({ ...current, user: 1 }, "Current")).toEqual(["Current.user is not declared"]);
  expect(differences({ ...current, capabilities: [1] }, "Current")).toEqual(["Current.capabilities[0] is a number"]);
  const { labels: _, ...unlabelled } = CONTAINER;
  expect(differences({ ...current, container: unlabelled }, "Current")).toEqual([
    "Current.container.labels is missing",
  ]);
  expect(Object.keys(FACTS).length).toBeGreaterThan(15);
});
