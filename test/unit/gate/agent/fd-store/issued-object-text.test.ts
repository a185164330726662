import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { EFFECTS, NO_STATEMENTS } from "../../../../../src/bpf/model/facts.js";
import { PROGRAM_FACTS, PROGRAM_FIELDS, programFactsFrom } from "../../../../../src/bpf/model/program-fields.js";
import { BpfObject } from "../../../../../src/bpf/object.js";
import { factsOfLoad } from "../../../../../src/bpf/prog-load.js";
import { programSubject } from "../../../../../src/engine/files/program-subject.js";
import { readState } from "../../../../../src/gate/agent/container/container-state.js";
import { issuedObjectText, readIssuedObject } from "../../../../../src/gate/agent/fd-store/issued-object-text.js";
import type { IssuedObject } from "../../../../../src/gate/call/issued-objects.js";
import { loaded } from "../../../../../src/gate/commands/objects/loaded.js";
import { example } from "../../../../support/examples.js";
import { liveLoad } from "../../../../support/live-load.js";

/** The journal of a container that version 0.1.0 wrote (commit 8cdd1c1): a notification id, a state, then objects. */
const RECORDED = readFileSync(new URL("fixtures/container-journal-0.1", import.meta.url)).subarray(8);
const [STATE, ...LINES] = RECORDED.toString("utf8").trimEnd().split("\n") as [string, ...string[]];
const PROGRAMS = LINES.filter((line) => JSON.parse(line).subject !== undefined);
/** The programs of the examples in the order in which they were recorded. */
const EXAMPLES = ["drop-telnet", "switch-watch", "exec-guard", "rate-limit", "xdp-steer"].flatMap((name) => {
  const object = new BpfObject(example(name));
  return object.functions.map((each) => factsOfLoad(liveLoad(object, object.program(each))));
});

// biome-ignore lint/suspicious/noExplicitAny: any part of a record is changed
type Json = Record<string, any>;
const recordOf = (line: string, change: (record: Json) => void) => {
  const record = JSON.parse(line) as Json;
  change(record);
  return JSON.stringify(record);
};
function program(line: string) {
  const issued = readIssuedObject(line) as Extract<IssuedObject, { subject: unknown }> | null;
  expect(issued).not.toBeNull();
  return issued!;
}

describe("the journal of version 0.1", () => {
  it("is read whole", () => {
    expect(readState(STATE)).toMatchObject({
      id: "web",
      pid: 4242,
      metadata: "",
      annotations: { tier: "edge" },
    });
    expect(LINES.map((line) => readIssuedObject(line)?.id)).toEqual([3, 4, 10, 11, 12, 13, 14, 15, 16, 17, 18]);
    expect(readIssuedObject(LINES[1]!)).toEqual({
      id: 4,
      entry: { creator: 4242, memory: 8192, exclusive: true, withheld: true },
    });
  });

  it("has every fact of today, and its own values", () => {
    for (const [index, line] of PROGRAMS.entries()) {
      const { subject, missing } = program(line);
      const recorded = JSON.parse(line).subject as Json;
      expect(missing).toBeUndefined();
      expect(Object.keys(subject)).toEqual(PROGRAM_FACTS);
      for (const name of PROGRAM_FACTS.filter((one) => Object.hasOwn(recorded, one) && one !== "evidence"))
        if (name === "effects") expect(subject.effects).toMatchObject(recorded.effects as object);
        else if (!(subject[name] instanceof Uint8Array)) expect(subject[name], name).toEqual(recorded[name]);
      expect(subject.digest).toBe(EXAMPLES[index]!.digest);
    }
  });

  it("has its evidence computed again, for the effects that were recorded", () => {
    for (const line of PROGRAMS) {
      const { subject } = program(line);
      const recorded = JSON.parse(line).subject.effects as Json;
      const named = (evidence: readonly { effect: string }[]) =>
        [...new Set(evidence.map(({ effect }) => effect))].filter((effect) => Object.hasOwn(recorded, effect));
      expect(named(subject.evidence).sort()).toEqual(named(JSON.parse(line).subject.evidence).sort());
      for (const { ends_read_only } of subject.evidence) expect(ends_read_only).toBeTypeOf("boolean");
    }
  });
});

describe("a program that a version without a fact recorded", () => {
  it.each(programFactsFrom("code").filter((name) => name !== "digest" && name !== "tag"))(
    "has its %s again",
    (name) => {
      for (const [index, line] of PROGRAMS.entries()) {
        const { subject, missing } = program(recordOf(line, (record) => delete record.subject[name]));
        expect(missing).toBeUndefined();
        if (name === "effects")
          for (const effect of EFFECTS) expect(subject.effects[effect] || !EXAMPLES[index]!.effects[effect]).toBe(true);
        else if (name !== "evidence") expect(subject[name]).toEqual(EXAMPLES[index]![name]);
      }
    },
  );

  it.each(EFFECTS)("has the effect %s again, and others as recorded", (effect) => {
    for (const [index, line] of PROGRAMS.entries()) {
      const recorded = JSON.parse(line).subject.effects as Json;
      const { subject, missing } = program(recordOf(line, (record) => delete record.subject.effects[effect]));
      expect(missing).toBeUndefined();
      expect(subject.effects[effect] || !EXAMPLES[index]!.effects[effect]).toBe(true);
      for (const other of EFFECTS.filter((one) => one !== effect && Object.hasOwn(recorded, one)))
        expect(subject.effects[other]).toBe(recorded[other]);
      expect(subject.effects.read_only && recorded[effect] === true && !EXAMPLES[index]!.effects.read_only).toBe(false);
    }
  });

  it.each(["statements", "mismatches"] as const)("matched no statement: %s", (name) => {
    const { subject, missing } = program(recordOf(PROGRAMS[0]!, (record) => delete record.subject[name]));
    expect({ found: subject[name], missing }).toEqual({ found: [], missing: undefined });
  });

  it("is kept, and lacks parts of its statements", () => {
    const statement = { sha256: "00".repeat(32), object_sha256: "11".repeat(32), name: "f", type: "xdp" };
    const line = recordOf(PROGRAMS[0]!, (record) => Object.assign(record.subject, { statements: [statement] }));
    expect(program(line).missing).toEqual(["statements[].settings"]);
    expect(program(line).subject.statements).toEqual([statement]);
  });

  const unknown = programFactsFrom("origin", "kernel").filter((name) => !("unrecorded" in PROGRAM_FIELDS[name]));
  it.each([...["section", "expected_attach_type", "attach_to", "license"], ...unknown])(
    "is kept, and lacks %s",
    (name) => {
      const { subject, missing } = program(recordOf(PROGRAMS[0]!, (record) => delete record.subject[name]));
      expect(Object.keys(subject)).not.toContain(name);
      expect(missing).toContain(name);
    },
  );

  it("is kept, and lacks parts of facts that cannot be computed", () => {
    const line = recordOf(PROGRAMS.find((one) => JSON.parse(one).subject.maps.length > 0)!, ({ subject }) => {
      delete subject.maps[0].memory;
      delete subject.loaded.jited_size;
    });
    expect(program(line).missing).toEqual(["maps[].memory", "loaded.jited_size"]);
    expect(program(line).subject.maps[0]).not.toHaveProperty("memory");
  });

  it("is kept with what it has if its instructions cannot be analysed", () => {
    const line = recordOf(PROGRAMS[0]!, ({ subject }) => {
      delete subject.effects;
      subject.raw_insns = { base64: "AAAA" };
    });
    expect(program(line).missing).toContain("effects");
    const { id, subject } = program(line);
    const info = {
      type: 3,
      id,
      tag: subject.tag,
      jitedLength: 1,
      xlatedLength: 1,
      verifiedInsns: 1,
      mapIds: [],
      name: "",
    };
    expect(loaded(subject, info)).toMatchObject({ name: subject.name, rewritten: false, effects: undefined });
  });
});

describe("an object that a later version recorded", () => {
  it("is read without the facts that this version does not know", () => {
    const line = recordOf(PROGRAMS.find((one) => JSON.parse(one).subject.maps.length > 0)!, (record) => {
      record.compressed = false;
      record.subject.has_tail_calls = false;
      record.subject.effects.sleeps = true;
      record.subject.maps[0].numa_node = 1;
      record.subject.loaded.run_cnt = 9;
      for (const one of record.subject.evidence) Object.assign(one, { function: "f", ends_read_only: true });
    });
    const { subject, missing } = program(line);
    expect(missing).toBeUndefined();
    expect(Object.keys(subject)).toEqual(PROGRAM_FACTS);
    expect(subject.effects).not.toHaveProperty("sleeps");
    expect(subject.maps[0]).not.toHaveProperty("numa_node");
    expect(subject.loaded).not.toHaveProperty("run_cnt");
    const entry = { creator: 4, memory: 1, exclusive: false };
    const map = JSON.stringify({ version: 1, id: 9, entry: { ...entry, node: 1 } });
    expect(readIssuedObject(map)).toEqual({ id: 9, entry });
  });

  it("reads how a map was created, and as which maps of objects it is used", () => {
    const inner = {
      ...{ type: 2, keySize: 4, valueSize: 8, maxEntries: 1, flags: 0, mapExtra: "0", ifindex: 0 },
      ...{ btf: "b".repeat(64), keyTypeId: 1, valueTypeId: 2 },
    };
    const entry = {
      ...{ creator: 4, memory: 1, exclusive: false },
      creation: { numaNode: 0, inner, innerBtfId: 7 },
      roles: [{ object: "a".repeat(64), name: "events" }],
    };
    expect(readIssuedObject(issuedObjectText({ id: 9, entry }))).toEqual({ id: 9, entry });
    const earlier = { ...entry, creation: { numaNode: 0, inner } };
    expect(readIssuedObject(issuedObjectText({ id: 9, entry: earlier }))).toEqual({ id: 9, entry: earlier });
    const unknown = { ...entry, creation: { numaNode: 0, inner: { ...inner, btf: "b" } } };
    expect(readIssuedObject(issuedObjectText({ id: 9, entry: unknown }))).toBeNull();
  });

  it("reads as which maps of objects a map is used that was created elsewhere", () => {
    const roles = [{ object: "a".repeat(64), name: "events" }];
    expect(readIssuedObject(issuedObjectText({ id: 9, roles }))).toEqual({ id: 9, roles });
    const text = (more: object) => JSON.stringify({ version: 1, id: 9, roles, ...more });
    const entry = { creator: 4, memory: 1, exclusive: false };
    for (const wrong of [{ roles: [{ object: "a", name: "x" }] }, { roles: [{}] }, { roles: 1 }, { entry }, { id: 0 }])
      expect(readIssuedObject(text(wrong)), JSON.stringify(wrong)).toBeNull();
  });
});

it("a subject has the facts of the table in its order, loaded or not", () => {
  const origin = { signature: null, ...NO_STATEMENTS, kernel_signature: null, kernel_keyring: null, object: null };
  for (const facts of EXAMPLES) {
    const judged = programSubject(facts, origin);
    const info = {
      type: 3,
      id: 1,
      tag: judged.tag,
      jitedLength: 1,
      xlatedLength: 1,
      verifiedInsns: 1,
      mapIds: [],
      name: "",
    };
    expect(Object.keys(loaded(judged, info))).toEqual(Object.keys(judged));
  }
});
