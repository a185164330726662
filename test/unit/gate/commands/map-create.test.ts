import { hash } from "node:crypto";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { CMD } from "../../../../src/bpf/model/commands.js";
import { CREATE } from "../../../../src/gate/call/attr.js";
import { OUT_OF_REACH } from "../../../../src/sys/credentials.js";
import { attrOf, type FailingCall, FakeGate, itFails, NOWHERE } from "../../../support/fake-gate.js";
import { kernel, resetKernel } from "../../../support/fake-kernel.js";
import type { FakeTask } from "../../../support/fake-task.js";

vi.mock("../../../../src/sys/bpf.js", async () => (await import("../../../support/fake-kernel.js")).BPF);
vi.mock("../../../../src/sys/pidfd.js", async (original) => ({
  ...(await original<object>()),
  ...(await import("../../../support/fake-kernel.js")).PIDFD,
}));
vi.mock("../../../../src/sys/file.js", async (original) => ({
  ...(await original<object>()),
  ...(await import("../../../support/fake-kernel.js")).FILES,
}));

vi.mock("node:crypto", async (original) => {
  const { withCountedHash } = await import("../../../support/counted-hash.js");
  return withCountedHash(await original<typeof import("node:crypto")>());
});

beforeEach(resetKernel);

/** The gate's fd of the created map. */
const CREATED = 77;
const TOKEN_FD = 1 << 16;

function create(
  gate: FakeGate,
  words: Readonly<Record<number, number | bigint>> = {},
  result: number | FakeTask["result"] = CREATED,
) {
  gate.task.result = typeof result === "number" ? () => result : result;
  kernel.maps.set(CREATED, { type: 2, id: 12, keySize: 4, valueSize: 8, maxEntries: 1, flags: 0, name: "m" });
  const array = { [CREATE.mapType]: 2, [CREATE.keySize]: 4, [CREATE.valueSize]: 8, [CREATE.maxEntries]: 1 };
  return gate.bpf(CMD.BPF_MAP_CREATE, attrOf(CREATE.size, { ...array, ...words }, [CREATE.mapName, "m"]));
}

const failing = (errno: number, words: Readonly<Record<number, number | bigint>>, result = CREATED): FailingCall => ({
  errno,
  call: (gate) => create(gate, words, result),
});

describe("a BPF_MAP_CREATE", () => {
  itFails({
    "an attr that cannot be read": { errno: 14, call: (gate) => gate.bpf(CMD.BPF_MAP_CREATE, null, CREATE.size) },
    "an attr with a field that the gate does not know": {
      errno: 22,
      call: (gate) => gate.bpf(CMD.BPF_MAP_CREATE, attrOf(CREATE.size + 8, { [CREATE.size]: 1 })),
      denial: { rule: "unknown_field", hook: "bpf", name: "BPF_MAP_CREATE", reason: /does not know byte 96/ },
    },
    "a token": {
      errno: 1,
      call: (gate) => {
        gate.task.fds.set(9, 90);
        kernel.names.set(90, "/bpf-token (deleted)");
        return create(gate, { [CREATE.mapFlags]: TOKEN_FD, [CREATE.tokenFd]: 9 });
      },
      denial: { rule: "token", hook: "bpf_map_create", name: "m", reason: /user namespace/ },
    },
    "a digest of another length": failing(22, { [CREATE.exclusiveHash]: NOWHERE, [CREATE.exclusiveHashSize]: 8 }),
    "a digest in no memory": failing(14, { [CREATE.exclusiveHash]: NOWHERE, [CREATE.exclusiveHashSize]: 32 }),
    "a map beyond the quota": {
      ...failing(12, { [CREATE.maxEntries]: 2 ** 20 }),
      denial: { rule: "map_memory", hook: "bpf_map_create", name: "m", reason: /more than is left of 1048576/ },
      goesOn: true,
    },
    "a map that the kernel rejects": failing(22, {}, -22),
    "an identity that the gate cannot take": {
      ...failing(1, {}, OUT_OF_REACH),
      denial: { rule: "out_of_reach", hook: "bpf", name: "BPF_MAP_CREATE", reason: /another user/ },
    },
    "a map about which the kernel reports nothing": failing(9, {}, CREATED + 1),
  });

  it("is issued with its creator and its memory", () => {
    const gate = new FakeGate();
    expect(create(gate)).toEqual({
      fd: CREATED,
      issued: {
        id: 12,
        entry: {
          ...{ creator: 4242, process: gate.task.process, memory: expect.any(Number), exclusive: false },
          creation: { numaNode: 0, inner: null },
        },
      },
    });
    expect(gate.task.adopted).toEqual([CREATED]);
  });

  it("has its definition hashed once", () => {
    const gate = new FakeGate();
    vi.mocked(hash).mockClear();
    create(gate);
    expect(gate.asked).toMatchObject([
      { hook: "bpf_map_create", subject: { digest: expect.stringMatching(/^[0-9a-f]{64}$/) } },
    ]);
    expect(hash).toHaveBeenCalledTimes(1);
  });

  it.each(["bpf_map_create", "bpf_map"] as const)("is denied by a policy's verdict at %s", (hook) => {
    const gate = new FakeGate();
    gate.served.add("bpf_map");
    gate.verdicts[hook] = -13;
    expect(create(gate)).toEqual({ result: -13 });
    expect(gate.records).toEqual([]);
    expect(gate.task.adopted).toEqual(hook === "bpf_map" ? [CREATED] : []);
  });

  it("has its quota checked before the kernel creates it if an earlier turn decided about the command alone", () => {
    const gate = new FakeGate();
    gate.served.add("bpf");
    gate.decided = [{ verdict: 0, answered: true, delegated: false, freezes: false, outcome: "allowed" }];
    expect(create(gate, { [CREATE.maxEntries]: 2 ** 20 })).toEqual({ result: -12 });
    expect(gate.task.made).toEqual([]);
  });

  it("has a token's fd that is none passed to the kernel", () => {
    const gate = new FakeGate();
    create(gate, { [CREATE.mapFlags]: TOKEN_FD, [CREATE.tokenFd]: 9 });
    const attr = gate.task.made[0]?.words[1] as Uint8Array;
    expect(new DataView(attr.buffer, attr.byteOffset).getInt32(CREATE.tokenFd, true)).toBe(-1);
  });

  it.each([
    ["a file, by the gate's copy of it", new Map([[0, 90]]), 0, 90],
    ["nothing, by -1", new Map(), 0, -1],
    ["a file, but by 0 where the kernel has no tokens", new Map([[0, 90]]), -7, 0],
  ])("has a token's fd 0 replaced, which is %s", (_, fds, tail, passed) => {
    const gate = new FakeGate();
    for (const [number, copy] of fds) gate.task.fds.set(number, copy);
    create(gate, { [CREATE.mapFlags]: TOKEN_FD }, ({ words: [cmd] }) => (cmd === CMD.BPF_MAP_FREEZE ? tail : CREATED));
    const attr = gate.task.made.at(-1)?.words[1] as Uint8Array;
    expect(new DataView(attr.buffer, attr.byteOffset).getInt32(CREATE.tokenFd, true)).toBe(passed);
  });

  it("has its quota checked once, after the kernel created it if an earlier turn decided", () => {
    const gate = new FakeGate();
    gate.decided = [{ verdict: 0, answered: true, delegated: false, freezes: false, outcome: "allowed" }];
    expect(create(gate, { [CREATE.maxEntries]: 2 ** 20 })).toEqual({ result: -12 });
    expect(gate.task.made).toHaveLength(1);
    expect(gate.task.adopted).toEqual([CREATED]);
  });

  it("gets no answer if its caller has exited, and no policy is asked", () => {
    const gate = new FakeGate();
    gate.task.stillWaits = false;
    expect(create(gate)).toBe("gone");
    expect(gate.asked).toEqual([]);
  });

  it("is made with the capabilities that a policy grants, and no others", () => {
    for (const delegated of [true, false]) {
      const gate = new FakeGate();
      Object.assign(gate, { grants: true, delegated, capabilities: 0n });
      create(gate);
      expect(gate.asked[0]?.missingCapabilities).toEqual(["CAP_BPF"]);
      expect(gate.task.made[0]?.identity.capabilities).toBe(delegated ? 1n << 39n : 0n);
    }
  });

  it("waits for its turn if the kernel may take long for it", () => {
    const gate = new FakeGate();
    create(gate, { [CREATE.maxEntries]: 2 ** 28 });
    expect(gate.task.admitted).toBe(1);
  });
});
