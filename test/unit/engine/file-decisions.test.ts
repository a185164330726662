import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import * as embedded from "../../../src/bpf/embedded.js";
import type { DecisionRequest } from "../../../src/engine/decision/request.js";
import { decideFile, type FileRequest } from "../../../src/engine/file-decisions.js";
import { StatementStore } from "../../../src/engine/statements/statement-store.js";
import type { HookName } from "../../../src/hooks/catalogue.js";
import { LOAD_HOOKS } from "../../../src/hooks/catalogue.js";
import type { Decision } from "../../../src/hooks/decision.js";
import * as input from "../../../src/input.js";
import { ROOT_ON_HOST } from "../../../src/policy/model/current.js";
import { SignatureStore } from "../../../src/trust/store.js";
import { example } from "../../support/examples.js";
import { crowdedProgram, elfProgram, signedModule } from "../../support/file-contents.js";

vi.mock("../../../src/input.js", { spy: true });
vi.mock("../../../src/bpf/embedded.js", { spy: true });

/** An engine that records what it is asked, and allows it. */
class RecordingEngine {
  readonly requests: DecisionRequest[] = [];
  readonly signatures = SignatureStore.open([]);
  readonly statements = StatementStore.open([]);

  constructor(private readonly served: readonly HookName[]) {}

  serves(hook: HookName): boolean {
    return this.served.includes(hook);
  }

  async decide<H extends HookName>(request: DecisionRequest<H>): Promise<Decision> {
    this.requests.push(request as DecisionRequest);
    return { hook: request.hook, subject: request.subject } as unknown as Decision;
  }
}

const ALL: readonly HookName[] = [...LOAD_HOOKS, "kernel_read_file", "bprm_check_security", "blob_verify"];
const FILES = {
  "peek.o": example("peek-tc"),
  loader: elfProgram(example("peek-tc"), example("drop-telnet")),
  "module.ko": elfProgram(),
  signed: signedModule(),
  text: Buffer.from("text"),
  program: elfProgram(),
  crowded: crowdedProgram(),
  "cut.o": example("peek-tc").subarray(0, 500),
};

let folder: string;
const at = (name: keyof typeof FILES | "missing") => join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "countersign-"));
  for (const [name, bytes] of Object.entries(FILES)) writeFileSync(join(folder, name), bytes);
});
afterAll(() => rmSync(folder, { recursive: true }));
beforeEach(() => vi.clearAllMocks());

async function asked(name: keyof typeof FILES | "missing", options: Partial<FileRequest> = {}, served = ALL) {
  const engine = new RecordingEngine(served);
  const decisions = await decideFile(engine, at(name), { current: ROOT_ON_HOST, ...options });
  expect(decisions.map(({ decision }) => decision.subject)).toEqual(engine.requests.map(({ subject }) => subject));
  return engine.requests.map(({ hook, subject }) => `${hook} ${subject.name}`);
}

const PEEK_LOAD = [
  "bpf BPF_MAP_CREATE",
  "bpf_map_create stolen",
  "bpf_map stolen",
  "bpf BPF_PROG_LOAD",
  "bpf_prog_load peek",
  "bpf_prog peek",
];

describe("the decisions about a file", () => {
  it.each([
    ["a BPF object", "peek.o", ["bpf_prog_load peek"]],
    ["a program that embeds objects", "loader", ["bpf_prog_load peek", "bpf_prog_load drop_telnet"]],
    ["a kernel module", "module.ko", ["kernel_read_file module.ko"]],
    ["a signed kernel module", "signed", ["kernel_read_file signed"]],
    ["a blob", "text", ["blob_verify text"]],
  ] as const)("are one for each subject at the hook for its content: %s", async (_, name, expected) => {
    expect(await asked(name)).toEqual(expected);
  });

  it("are those of a whole load if they are asked for, at the hooks that the engine serves", async () => {
    expect(await asked("peek.o", { wholeLoad: true })).toEqual(PEEK_LOAD);
    expect(await asked("peek.o", { wholeLoad: true }, [])).toEqual(["bpf_prog_load peek"]);
    for (const served of LOAD_HOOKS)
      expect(await asked("peek.o", { wholeLoad: true }, [served])).toEqual(
        PEEK_LOAD.filter((one) => [`${served} `, "bpf_prog_load "].some((hook) => one.startsWith(hook))),
      );
    expect(await asked("module.ko", { wholeLoad: true })).toEqual(["kernel_read_file module.ko"]);
    expect(await asked("text", { wholeLoad: true })).toEqual(["blob_verify text"]);
  });

  it("are those of the named hook alone, whatever the engine serves", async () => {
    for (const wholeLoad of [false, true]) {
      expect(await asked("peek.o", { hook: "bpf_map", wholeLoad }, [])).toEqual(["bpf_map stolen"]);
      expect(await asked("peek.o", { hook: "blob_verify", wholeLoad }, [])).toEqual(["blob_verify peek.o"]);
      expect(await asked("program", { hook: "bprm_check_security", wholeLoad }, [])).toEqual([
        "bprm_check_security program",
      ]);
    }
  });

  it("are asked for the given task, time and signature", async () => {
    const engine = new RecordingEngine(ALL);
    const current = { ...ROOT_ON_HOST, uid: 5 };
    await decideFile(engine, at("text"), { current, time: 7, signature: Uint8Array.of(9) });
    expect(engine.requests).toMatchObject([{ current, time: 7, subject: { signature: Uint8Array.of(9) } }]);
  });

  it("say which facts can differ in a live load", async () => {
    const [decision] = await decideFile(new RecordingEngine(ALL), at("peek.o"), { current: ROOT_ON_HOST });
    expect(decision).toMatchObject({
      unknown: ["kernel_signature", "kernel_keyring"],
      offlineOnly: ["section", "object"],
    });
  });

  it.each([
    ["a missing file", "missing", "FILE_UNREADABLE"],
    ["an ELF file without BPF", "program", "ELF_NO_PROGRAMS"],
    ["a program with too many objects", "crowded", "ELF_UNSUPPORTED"],
    ["an object that is cut short", "cut.o", "ELF_MALFORMED"],
  ] as const)("are none for %s, but an error with the file as its place", async (_, name, code) => {
    const engine = new RecordingEngine(ALL);
    await expect(decideFile(engine, at(name), { current: ROOT_ON_HOST })).rejects.toMatchObject({
      code,
      place: expect.stringContaining(at(name)),
    });
    expect(engine.requests).toEqual([]);
  });

  it("are none for a blob that no policy decides about", async () => {
    await expect(asked("text", {}, LOAD_HOOKS)).rejects.toMatchObject({ code: "ELF_NO_PROGRAMS", place: at("text") });
  });
});

describe("a file's content, for all decisions about it", () => {
  it.each(Object.keys(FILES) as (keyof typeof FILES)[])("is read once: %s", async (name) => {
    await asked(name, { wholeLoad: true }).catch(() => {});
    expect(vi.mocked(input.readInput).mock.calls.map(([path]) => path)).toEqual([at(name)]);
  });

  it.each([
    ["peek.o", 0, 1],
    // one search for each object, and one that finds no other
    ["loader", 3, 1],
    ["module.ko", 0, 0],
    ["text", 0, 0],
  ] as const)("is searched once for objects, if its hook is about BPF: %s", async (name, searches, calls) => {
    const search = vi.spyOn(Buffer.prototype, "indexOf");
    try {
      await asked(name, { wholeLoad: true });
      const magic = search.mock.calls.filter(([value]) => Buffer.isBuffer(value) && value.toString() === "\x7fELF");
      expect(magic).toHaveLength(searches);
      expect(embedded.objectsOfFile).toHaveBeenCalledTimes(calls);
      expect(embedded.factsOfObjects).toHaveBeenCalledTimes(calls);
    } finally {
      search.mockRestore();
    }
  });
});
