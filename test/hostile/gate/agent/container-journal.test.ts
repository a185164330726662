import { closeSync, fstatSync, ftruncateSync, readFileSync, readSync, writeSync } from "node:fs";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NO_STATEMENTS } from "../../../../src/bpf/model/facts.js";
import { factsOfLoad } from "../../../../src/bpf/prog-load.js";
import { ContainerJournal } from "../../../../src/gate/agent/fd-store/container-journal.js";
import { issuedObjectText, readIssuedObject } from "../../../../src/gate/agent/fd-store/issued-object-text.js";
import { LOAD } from "../../../../src/gate/call/attr.js";
import type { IssuedObject } from "../../../../src/gate/call/issued-objects.js";

const STATE = {
  id: "c1",
  pid: 77,
  bundle: "/b",
  annotations: { a: "1\n2" },
  metadata: "countersign-2",
  listenerIndex: 0,
};
const MAP: IssuedObject = { id: 9, entry: { creator: 4, memory: 4096, exclusive: false } };

/** `r0 = 2; exit`, loaded under this id. */
function program(id: number): IssuedObject {
  const insns = Uint8Array.from([0xb7, 0, 0, 0, 2, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0]);
  const attr = new DataView(new ArrayBuffer(LOAD.size));
  attr.setUint32(LOAD.progType, 6, true);
  attr.setUint32(LOAD.insnCount, 2, true);
  const none = new Uint8Array(0);
  const facts = factsOfLoad({
    ...{ attr: new Uint8Array(attr.buffer), insns, license: "GPL", btf: null, funcInfo: none, lineInfo: none },
    ...{ coreRelos: none, kernel: null, fds: { mapByFd: () => null, mapByIndex: () => null } },
  });
  const loaded = { tag: facts.tag, verified_insns: 2, xlated_size: 16, jited_size: 30, map_ids: [] };
  const signature = Uint8Array.of(1, 2, 3);
  const unsigned = { ...NO_STATEMENTS, kernel_signature: null, kernel_keyring: null, object: null, rewritten: false };
  return { id, subject: structuredClone({ ...facts, ...unsigned, signature, loaded }) };
}

describe("what was handed out, as a line", () => {
  it("is read as it was written", () => {
    for (const issued of [MAP, program(5)]) expect(readIssuedObject(issuedObjectText(issued))).toEqual(issued);
  });

  const written = JSON.parse(issuedObjectText(program(5)));
  const withSubject = (more: object) => ({ ...written, subject: { ...written.subject, ...more } });
  it.each<[string, unknown]>([
    ["no JSON", "{"],
    ["no object", 7],
    ["of another version", { ...written, version: 2 }],
    ["without a version", { id: 9, entry: { creator: 4, memory: 1, exclusive: false } }],
    ["with an id that is none", { ...written, id: 0 }],
    ["a subject that is a list", { ...written, subject: [] }],
    ["neither a program nor a map", { version: 1, id: 9 }],
    ...["name", "type", "insns", "raw_insns", "digest", "tag", "maps"].map((name): [string, unknown] => [
      `a program without its ${name}`,
      withSubject({ [name]: undefined }),
    ]),
    ...Object.keys(written.subject).map((name): [string, unknown] => [
      `a program whose ${name} has another type`,
      withSubject({ [name]: typeof written.subject[name] === "number" ? "7" : 7 }),
    ]),
    ["instructions that are not those of the digest", withSubject({ insns: { base64: "AAAAAAAAAAA=" } })],
    ["instructions that are no bytes", withSubject({ raw_insns: "AAAA" })],
    ["an effect that is no boolean", withSubject({ effects: { ...written.subject.effects, redirects: 0 } })],
    ["evidence that is no list", withSubject({ evidence: { 0: written.subject.evidence[0] } })],
    ["a map with a size that is none", withSubject({ maps: [{ name: "m", type: "hash", key_size: -4 }] })],
    ["a list of ids with a text", withSubject({ loaded: { ...written.subject.loaded, map_ids: ["1"] } })],
    ["a program that was never loaded", withSubject({ loaded: null })],
    ["a program of a file", withSubject({ object: { path: "/", sha256: "", data: { base64: "" }, signature: null } })],
    ["a map with less than no memory", { version: 1, id: 9, entry: { creator: 4, memory: -1, exclusive: false } }],
    ["a map without its creator", { version: 1, id: 9, entry: { memory: 1, exclusive: false } }],
    ["a map that is a text", { version: 1, id: 9, entry: "map" }],
    ["a map with half a byte", { version: 1, id: 9, entry: { creator: 4, memory: 0.5, exclusive: false } }],
    ["a map and a program at once", { ...written, entry: { creator: 4, memory: 1, exclusive: false } }],
  ])("is not read where it is %s", (_, line) => {
    expect(readIssuedObject(typeof line === "string" ? line : JSON.stringify(line))).toBeNull();
  });

  it("is not read, and nothing is thrown, whatever stands there", () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (line) => readIssuedObject(line) === null));
  });
});

describe("a file that is kept with a listener", () => {
  let file: ContainerJournal;
  beforeEach(() => {
    file = ContainerJournal.create(STATE)!;
  });
  afterEach(() => closeSync(file.fd));

  const size = () => fstatSync(file.fd).size;
  const opened = () => ContainerJournal.open(file.fd);
  const ids = () => opened()?.issued.map(({ id }) => id);

  it("has what was added, and goes on behind it", () => {
    expect(opened()).toMatchObject({ mark: 0n, issued: [], file: { state: STATE } });
    expect(file.add([MAP, program(5)])).toBe(true);
    expect(opened()?.file.add([program(6)])).toBe(true);
    expect(opened()?.issued).toEqual([MAP, program(5), program(6)]);
  });

  it("is read up to where it is not whole, wherever a write was cut off", () => {
    file.add([MAP]);
    const whole = size();
    file.add([program(5), program(6)]);
    for (let end = size() - 1; end >= whole; end -= 97) {
      ftruncateSync(file.fd, end);
      const found = ids()!;
      expect([9, 5, 6].slice(0, found.length)).toEqual(found);
      expect(found.length).toBeLessThan(3);
    }
    expect(opened()?.file.add([program(7)])).toBe(true);
    expect(ids()?.at(-1)).toBe(7);
  });

  it("is read up to what is malformed, and what is added then replaces that", () => {
    file.add([MAP]);
    const end = size();
    file.add([program(5)]);
    writeSync(file.fd, "?", end);
    expect(ids()).toEqual([9]);
    opened()?.file.add([program(6)]);
    expect(ids()).toEqual([9, 6]);
  });

  it("is read as version 0.1 wrote it, and what is added comes after that", () => {
    const recorded = new URL("../../../unit/gate/agent/fd-store/fixtures/container-journal-0.1", import.meta.url);
    ftruncateSync(file.fd);
    writeSync(file.fd, readFileSync(recorded), 0, undefined, 0);
    expect(opened()).toMatchObject({ mark: 42n, file: { state: { id: "web", metadata: "" } } });
    expect(opened()?.file.add([program(77)])).toBe(true);
    expect(ids()).toEqual([3, 4, 10, 11, 12, 13, 14, 15, 16, 17, 18, 77]);
  });

  it("has no more than it has room for, and keeps the last ones", { tags: ["deep"] }, () => {
    const many = Array.from({ length: 500 }, (_, id): IssuedObject => program(id + 1));
    let added = 0;
    while (file.add(many)) added += 1;
    expect(added).toBeGreaterThan(0);
    expect(size()).toBeLessThan(5 * 1024 * 1024);
    file.replace([...many, ...many, ...many, ...many, MAP]);
    expect(size()).toBeLessThan(3 * 1024 * 1024);
    expect(ids()?.slice(-2)).toEqual([500, 9]);
    expect(opened()?.file.add([program(77)])).toBe(true);
  });

  it("is none where its beginning is not whole, or not one", () => {
    const bytes = new Uint8Array(size());
    readSync(file.fd, bytes, 0, bytes.byteLength, 0);
    for (let end = 0; end < bytes.byteLength; end += 1) {
      ftruncateSync(file.fd, end);
      expect(opened()).toBeNull();
    }
    writeSync(file.fd, '\0\0\0\0\0\0\0\0{"id":1}\n', 0);
    expect(opened()).toBeNull();
  });
});
