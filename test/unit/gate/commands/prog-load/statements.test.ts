import { beforeEach, describe, expect, it, vi } from "vitest";
import { Btf } from "../../../../../src/bpf/btf/btf.js";
import { CMD } from "../../../../../src/bpf/model/commands.js";
import { loadedBtf } from "../../../../../src/bpf/recognition/loaded-btf.js";
import { programPartOf } from "../../../../../src/bpf/statement.js";
import { extendedBy } from "../../../../../src/engine/statements/extended-statements.js";
import { issuedObjectText, readIssuedObject } from "../../../../../src/gate/agent/fd-store/issued-object-text.js";
import { Attr, LOAD } from "../../../../../src/gate/call/attr.js";
import { IssuedObjects } from "../../../../../src/gate/call/issued-objects.js";
import { copyLoad } from "../../../../../src/gate/commands/prog-load/live-load.js";
import { Facts } from "../../../../../src/gate/commands/prog-load/load-facts.js";
import { type KernelFiles, LiveKernel, NO_FILES } from "../../../../../src/gate/recognition/live-kernel.js";
import { Recogniser } from "../../../../../src/gate/recognition/recogniser.js";
import { FakeGate } from "../../../../support/fake-gate.js";
import { kernel, resetKernel } from "../../../../support/fake-kernel.js";
import { FakeTask } from "../../../../support/fake-task.js";
import {
  type ChangeableLoad,
  contentOf,
  KERNEL_BYTES,
  kernelOf,
  loadOf,
  signed,
  TRACER,
} from "../../../../support/recognition.js";

vi.mock("../../../../../src/sys/bpf.js", async () => (await import("../../../../support/fake-kernel.js")).BPF);
vi.mock("../../../../../src/sys/btf.js", async () => (await import("../../../../support/fake-kernel.js")).BTF);
vi.mock("../../../../../src/sys/map.js", async () => (await import("../../../../support/fake-kernel.js")).MAP);
vi.mock("../../../../../src/sys/file.js", async () => (await import("../../../../support/fake-kernel.js")).FILES);

const PROGRAM_BTF = 40;
const VMLINUX = 41;
const MODULE = 42;
const MODULE_FD_OF_TASK = 77;
/** Where the maps' fds begin: those of the task are 100 and more. */
const FIRST_MAP = 500;
const PROCESS = new FakeTask().process;
/** A new id for each BTF: an id is not given again. */
let nextBtf = 1000;

const { object } = programPartOf(TRACER);
const LOADED_BTF = loadedBtf(Buffer.from(object.btf!, "base64"), object);
const CONFIG = Buffer.from("CONFIG_HZ=250\n");
let files: KernelFiles;
let objects: IssuedObjects;
let liveKernel: LiveKernel;

beforeEach(() => {
  resetKernel();
  kernelOf();
  nextBtf += 10;
  kernel.btfs.set(PROGRAM_BTF, { id: nextBtf, ofKernel: false, name: "", size: 0, bytes: LOADED_BTF });
  kernel.btfs.set(VMLINUX, { id: nextBtf + 1, ofKernel: true, name: "vmlinux", size: 0, bytes: KERNEL_BYTES.vmlinux });
  kernel.btfs.set(MODULE, { id: nextBtf + 2, ofKernel: true, name: "ping", size: 0, bytes: KERNEL_BYTES.module });
  files = { ...NO_FILES, vmlinux: () => KERNEL_BYTES.vmlinux, config: () => CONFIG };
  objects = new IssuedObjects();
  liveKernel = new LiveKernel(files);
});

const factsFor = (...contents: readonly Parameters<typeof signed>[0][]) =>
  new Facts({ find: () => null }, {}, liveKernel, new Recogniser(contents.map(signed), liveKernel));

/** A copy of the BPF_PROG_LOAD of a load. `ids` is added to maps' ids. */
function copied(load: ChangeableLoad, { ids = 0, created = PROCESS, foreign = [] as readonly string[] } = {}) {
  const task = new FakeTask();
  return { task, load: copyLoad(task, passed(task, load, { ids, created, foreign })) };
}

/** Gives a task the fds of a load, and the kernel its maps. Returns the attr in the task's memory. */
function passed(
  task: FakeTask,
  load: ChangeableLoad,
  { ids = 0, created = PROCESS, foreign = [] as readonly string[] } = {},
): Attr {
  for (const [name, map] of load.mapsByName) {
    const fd = FIRST_MAP + map.id;
    task.fds.set(100 + map.id, fd);
    const { type, keySize, valueSize, maxEntries, flags, mapExtra, ifindex, keyTypeId, valueTypeId } = map;
    const id = map.id + ids;
    kernel.maps.set(fd, { type, id, keySize, valueSize, maxEntries, flags, name: "any name" });
    const btfId = map.btf === null ? 0 : nextBtf;
    kernel.mapTypes.set(fd, { ifindex, btfId, keyTypeId, valueTypeId, mapExtra });
    if (map.frozen) kernel.frozen.add(fd);
    if (map.contents !== null) kernel.values.set(fd, map.contents);
    const creation = { numaNode: 0, inner: map.inner };
    if (!foreign.includes(name) && objects.map(id) === undefined)
      objects.issue({ id, entry: { creator: 4242, process: created, memory: 1, exclusive: false, creation } });
  }
  task.fds.set(6, PROGRAM_BTF);
  task.fds.set(MODULE_FD_OF_TASK, MODULE);
  const attr = new Attr(LOAD.size, LOAD.size);
  const words: readonly (readonly [number, number])[] = [
    [LOAD.progType, load.type],
    [LOAD.insnCount, load.insns.length / 8],
    [LOAD.progFlags, load.flags],
    [LOAD.expectedAttachType, load.expectedAttachType],
    [LOAD.attachBtfId, load.attach.btfId],
    [LOAD.progBtfFd, 6],
    [LOAD.funcInfoRecordSize, 8],
    [LOAD.funcInfoCount, load.funcInfo.bytes.length / 8],
  ];
  for (const [offset, value] of words) attr.setU32(offset, value);
  attr.setU64(LOAD.insns, task.place(load.insns));
  attr.setU64(LOAD.license, task.place(load.license));
  attr.setU64(LOAD.funcInfo, task.place(load.funcInfo.bytes));
  attr.setU64(LOAD.fdArray, task.place(new Uint8Array(Int32Array.of(0, MODULE_FD_OF_TASK).buffer)));
  return attr;
}

const subjectOf = (facts: Facts, { task, load }: ReturnType<typeof copied>) =>
  facts.of(load, objects, PROCESS, task.analyst());

describe("the facts of a load", () => {
  it("have the statements that it matches, with what was chosen", () => {
    const facts = factsFor(contentOf());
    const load = loadOf("on_switch", liveKernel.kernel(false)!, liveKernel.configuration!);
    const rodata = Buffer.from(load.mapsByName.get(".rodata")!.contents!);
    rodata.writeInt32LE(99, 0);
    load.mapsByName.get(".rodata")!.contents = rodata;
    const { statements, mismatches } = subjectOf(facts, copied(load));
    expect(mismatches).toEqual([]);
    expect(statements).toMatchObject([{ name: "on_switch", type: "tracing", object_sha256: object.sha256 }]);
    expect(statements[0]!.settings).toContainEqual({
      ...{ name: "targ_pid", kind: "variable", type: "int", value: 99, declared: 7 },
    });
    expect(Object.isFrozen(statements) && Object.isFrozen(statements[0])).toBe(true);
  });

  it("have them also if the program's BTF is the task's fd 0", () => {
    const facts = factsFor(contentOf());
    const task = new FakeTask();
    const attr = passed(task, loadOf("on_exit", liveKernel.kernel(false)!));
    task.fds.set(0, PROGRAM_BTF);
    attr.setU32(LOAD.progBtfFd, 0);
    const { statements, mismatches } = subjectOf(facts, { task, load: copyLoad(task, attr) });
    expect(mismatches).toEqual([]);
    expect(statements).toHaveLength(1);
  });

  it("are the same object for an equal load with new maps, and others after a change", () => {
    const facts = factsFor(contentOf());
    const load = () => loadOf("on_exit", liveKernel.kernel(false)!);
    const first = subjectOf(facts, copied(load()));
    expect(first.statements).toHaveLength(1);
    expect(subjectOf(facts, copied(load(), { ids: 40 }))).toBe(first);
    const other = subjectOf(facts, copied(load(), { ids: 80, created: "4242 900 8" }));
    expect(other.statements).toEqual([]);
    expect(other.mismatches).toMatchObject([{ property: "hits.creator", found: "another process" }]);
  });

  it("have the property that keeps it from matching", () => {
    const facts = factsFor(contentOf());
    const load = loadOf("on_exit", liveKernel.kernel(false)!);
    load.license = "Proprietary";
    const { statements, mismatches } = subjectOf(facts, copied(load));
    expect(statements).toEqual([]);
    expect(mismatches).toMatchObject([{ property: "license", expected: "GPL", found: "Proprietary" }]);
  });

  it("have at most eight mismatches", () => {
    const facts = factsFor(...Array.from({ length: 12 }, () => contentOf()));
    const load = loadOf("on_exit", liveKernel.kernel(false)!);
    load.license = "Proprietary";
    expect(subjectOf(facts, copied(load)).mismatches).toHaveLength(8);
  });

  it("have no statements without the kernel's BTF, and say so", () => {
    const load = loadOf("on_exit", liveKernel.kernel(false)!);
    liveKernel = new LiveKernel(NO_FILES);
    const { statements, mismatches } = subjectOf(factsFor(contentOf()), copied(load));
    expect(statements).toEqual([]);
    expect(mismatches).toMatchObject([{ property: "insns", found: "the kernel's BTF cannot be read" }]);
  });
});

describe("the maps of recognised programs", () => {
  it("are remembered, so that another program of the object cannot use one as another one", () => {
    const facts = factsFor(contentOf());
    const first = copied(loadOf("on_exit", liveKernel.kernel(false)!));
    facts.rememberRoles(first.load, objects, subjectOf(facts, first));
    expect(objects.map(1)?.roles).toEqual([{ object: object.sha256, name: "hits" }]);
    // the same maps again, as themselves and then exchanged
    const again = loadOf("on_exit", liveKernel.kernel(false)!);
    expect(subjectOf(facts, copied(again)).statements).toHaveLength(1);
    const [hits, misses] = [again.mapsByName.get("hits")!, again.mapsByName.get("misses")!];
    [hits.id, misses.id] = [misses.id, hits.id];
    const insns = Buffer.from(again.insns);
    for (const [slot, map] of again.maps) insns.writeInt32LE(100 + map.id, 8 * slot + 4);
    again.insns = insns;
    expect(subjectOf(facts, copied(again)).mismatches).toMatchObject([{ property: "hits.map" }]);
  });
});

describe("the maps of a program that is being loaded", () => {
  const INFO = { type: 26, id: 7, tag: "", jitedLength: 0, xlatedLength: 0, verifiedInsns: 0, mapIds: [], name: "" };
  const PROGRAM = 60;

  function gateFor(load: ChangeableLoad) {
    const gate = new FakeGate();
    objects = gate.objects;
    gate.facts = factsFor(contentOf());
    gate.settings = { ...gate.settings, rewritten: "ask" };
    gate.served.add("bpf_prog");
    kernel.programs.set(PROGRAM, INFO);
    gate.task.result = () => PROGRAM;
    return { gate, serve: () => gate.bpf(CMD.BPF_PROG_LOAD, passed(gate.task, load)) };
  }

  it("are remembered before the kernel loads it, since that may take long", () => {
    const { gate, serve } = gateFor(loadOf("on_exit", liveKernel.kernel(false)!));
    let roles: unknown;
    gate.task.result = () => {
      roles = objects.map(1)?.roles;
      return PROGRAM;
    };
    expect(serve()).toMatchObject({ fd: PROGRAM });
    expect(roles).toEqual([{ object: object.sha256, name: "hits" }]);
  });

  it("are not remembered if it is denied", () => {
    const { gate, serve } = gateFor(loadOf("on_exit", liveKernel.kernel(false)!));
    gate.verdicts.bpf_prog_load = -1;
    expect(serve()).toEqual({ result: -1 });
    expect(objects.map(1)?.roles).toBeUndefined();
  });

  it("are remembered if it is recognised once its maps are frozen", () => {
    const load = loadOf("on_switch", liveKernel.kernel(false)!, liveKernel.configuration!);
    load.mapsByName.get(".rodata")!.frozen = false;
    const { gate, serve } = gateFor(load);
    gate.freezes = true;
    expect(serve()).toMatchObject({ issued: { subject: { statements: [{ name: "on_switch" }] } } });
    const { id } = load.mapsByName.get(".rodata")!;
    expect(objects.map(id)?.roles).toEqual([{ object: object.sha256, name: ".rodata" }]);
  });
});

describe("maps that were created elsewhere", () => {
  it("are remembered like others, if the statement lets them be shared", () => {
    const content = contentOf();
    content.rules.open.push("map:hits.shared", "map:misses.shared");
    const facts = factsFor(content);
    const foreign = ["hits", "misses"];
    const load = loadOf("on_exit", liveKernel.kernel(false)!);
    const first = copied(load, { foreign });
    const subject = subjectOf(facts, first);
    expect(subject.statements).toHaveLength(1);
    facts.rememberRoles(first.load, objects, subject);
    expect(objects.map(1)).toBeUndefined();
    expect(objects.roles(1)).toEqual([{ object: object.sha256, name: "hits" }]);
    // a decision thread that takes over, and an agent that is started again
    const next = new IssuedObjects();
    for (const issued of objects.all) next.remember(readIssuedObject(issuedObjectText(issued))!);
    expect(next.roles(1)).toEqual(objects.roles(1));
    objects = next;
    const [hits, misses] = [load.mapsByName.get("hits")!, load.mapsByName.get("misses")!];
    [hits.id, misses.id] = [misses.id, hits.id];
    const insns = Buffer.from(load.insns);
    for (const [slot, map] of load.maps) insns.writeInt32LE(100 + map.id, 8 * slot + 4);
    load.insns = insns;
    expect(subjectOf(facts, copied(load, { foreign })).mismatches).toMatchObject([{ property: "hits.map" }]);
  });
});

describe("the modules of the kernel", () => {
  const module = (id: number, ofKernel = true) =>
    kernel.btfs.set(MODULE, { id, ofKernel, name: "ping", size: 0, bytes: KERNEL_BYTES.module });

  it("are read again after a miss, if there are others", () => {
    const load = loadOf("on_switch", kernelOf(), liveKernel.configuration!);
    const facts = factsFor(contentOf());
    module(nextBtf + 2, false);
    const { statements, mismatches } = subjectOf(facts, copied(load));
    expect(statements).toEqual([]);
    expect(mismatches).toMatchObject([{ property: "insns", expected: "a program that this kernel can load" }]);
    module(nextBtf + 3);
    expect(subjectOf(facts, copied(load)).statements).toHaveLength(1);
  });

  it("are those that the kernel has now: the ids of a module that was loaded again are others", () => {
    const load = loadOf("on_switch", kernelOf(), liveKernel.configuration!);
    const facts = factsFor(contentOf());
    expect(subjectOf(facts, copied(load)).statements).toHaveLength(1);
    // the old BTF exists as long as somebody holds it
    kernel.btfs.set(43, kernel.btfs.get(MODULE)!);
    const now = kernelOf(16, "ping", 1);
    module(nextBtf + 3);
    const stale = subjectOf(facts, copied(load));
    expect(stale.statements).toEqual([]);
    expect(stale.mismatches).toMatchObject([{ property: "insns" }]);
    const current = loadOf("on_switch", now, liveKernel.configuration!);
    expect(subjectOf(facts, copied(current)).statements).toHaveLength(1);
    kernel.btfs.set(44, kernel.btfs.get(MODULE)!);
    kernel.btfs.set(MODULE, kernel.btfs.get(43)!);
    expect(subjectOf(facts, copied(current)).mismatches).toMatchObject([{ found: "no BTF of the kernel" }]);
  });

  it("are looked for even if the same load missed before", () => {
    const load = loadOf("on_exit", liveKernel.kernel(false)!);
    load.license = "Proprietary";
    const facts = factsFor(contentOf());
    const first = subjectOf(facts, copied(load));
    expect(subjectOf(facts, copied(load))).toBe(first);
    kernel.btfs.set(43, { id: nextBtf + 3, ofKernel: true, name: "pong", size: 0, bytes: KERNEL_BYTES.module });
    const second = subjectOf(facts, copied(load));
    expect(second).not.toBe(first);
    expect(second.mismatches).toEqual(first.mismatches);
  });
});

describe("the target of a program", () => {
  it("is a function of the kernel, of a module, or of a program that was recognised", () => {
    const facts = factsFor(contentOf());
    const load = loadOf("replace", liveKernel.kernel(false)!);
    const target = {
      type: 6,
      id: 70,
      tag: "",
      jitedLength: 0,
      xlatedLength: 0,
      verifiedInsns: 0,
      mapIds: [],
      name: "",
    };
    const attached = () => {
      const { task, load: given } = copied(load);
      given.given.setU32(LOAD.attachFd, 9);
      given.given.setU32(LOAD.attachBtfId, PASS);
      given.attr.setU32(LOAD.attachFd, 60);
      return subjectOf(facts, { task, load: given });
    };
    kernel.names.set(60, "anon_inode:[eventfd]");
    expect(attached().mismatches).toMatchObject([{ property: "attach_target" }]);
    kernel.names.delete(60);
    kernel.programs.set(60, target);
    kernel.programBtfs.set(60, nextBtf);
    expect(attached().mismatches).toMatchObject([{ property: "attach_target", found: "program 70, which is not" }]);
    const pass = subjectOf(facts, copied(loadOf("pass", liveKernel.kernel(false)!), { ids: 200 }));
    expect(pass.statements).toHaveLength(1);
    objects.issue({ id: 70, subject: pass });
    const { statements } = attached();
    expect(statements).toMatchObject([{ name: "replace", type: "ext" }]);
    expect(extendedBy(statements[0]!)).toBe(pass.statements);
    expect(extendedBy(pass.statements[0]!)).toBeNull();
    kernel.programs.delete(60);
    kernel.btfs.set(60, { id: nextBtf + 1, ofKernel: true, name: "vmlinux", size: 0, bytes: KERNEL_BYTES.vmlinux });
    expect(attached().mismatches).toMatchObject([{ property: "attach_target" }]);
  });
});

/** The id of function `pass` in the object's BTF. */
const PASS = new Btf(LOADED_BTF).find("func", "pass");
