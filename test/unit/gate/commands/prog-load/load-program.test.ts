import { createHash, hash } from "node:crypto";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { CMD } from "../../../../../src/bpf/model/commands.js";
import { ERRNO } from "../../../../../src/errno.js";
import { CREATE, LOAD, MAX_ATTR } from "../../../../../src/gate/call/attr.js";
import { OUT_OF_REACH } from "../../../../../src/sys/credentials.js";
import { attrOf, type FailingCall, FakeGate, itFails, NOWHERE } from "../../../../support/fake-gate.js";
import { kernel, resetKernel } from "../../../../support/fake-kernel.js";

vi.mock("../../../../../src/sys/bpf.js", async () => (await import("../../../../support/fake-kernel.js")).BPF);
vi.mock("../../../../../src/sys/map.js", async () => (await import("../../../../support/fake-kernel.js")).MAP);
vi.mock("../../../../../src/sys/pidfd.js", async (original) => ({
  ...(await original<object>()),
  ...(await import("../../../../support/fake-kernel.js")).PIDFD,
}));
vi.mock("../../../../../src/sys/file.js", async (original) => ({
  ...(await original<object>()),
  ...(await import("../../../../support/fake-kernel.js")).FILES,
}));

vi.mock("node:crypto", async (original) => {
  const { withCountedHash } = await import("../../../../support/counted-hash.js");
  return withCountedHash(await original<typeof import("node:crypto")>());
});

beforeEach(resetKernel);

const XDP = 6;
const TRACING = 26;
const SYSCALL = 31;
const TRACE_ITER = 28;
const TOKEN_FD = 1 << 16;
/** The gate's fds: of the loaded program, of a map, and of a copy of it. */
const LOADED = 77;
const MAP_FD = 50;
const COPY_FD = 51;

const insns = (...hex: string[]) => new Uint8Array(Buffer.from(hex.join(""), "hex"));
const EXIT = ["b700000000000000", "9500000000000000"];
/** `r1 = map fd 5`, which the task has as MAP_FD. */
const MAP_OF_TASK = ["1811000005000000", "0000000000000000"];
const TOO_MANY_FUNCTIONS = insns(...Array.from({ length: 300 }, () => "8510000000000000"), ...EXIT);

interface Given {
  readonly code?: Uint8Array;
  readonly type?: number;
  readonly fields?: (gate: FakeGate) => Readonly<Record<number, number | bigint>>;
  readonly set?: (gate: FakeGate) => void;
  readonly name?: string;
}

/** Loads `r0 = 0; exit`, or what is given instead. The kernel loads it, unless `set` says otherwise. */
function load(gate: FakeGate, { code = insns(...EXIT), type = XDP, fields, set, name = "p" }: Given = {}) {
  const { task } = gate;
  const tag = createHash("sha1").update(code).digest("hex").slice(0, 16);
  const info = { type, id: 7, tag, jitedLength: 80, xlatedLength: 16, verifiedInsns: 2, mapIds: [], name };
  kernel.programs.set(LOADED, info);
  task.result = () => LOADED;
  set?.(gate);
  const attr = attrOf(
    LOAD.size,
    {
      [LOAD.progType]: type,
      [LOAD.insnCount]: code.byteLength / 8,
      [LOAD.insns]: task.place(code),
      [LOAD.license]: task.place("GPL"),
      ...fields?.(gate),
    },
    [LOAD.progName, name],
  );
  return gate.bpf(CMD.BPF_PROG_LOAD, attr);
}

function withMap(gate: FakeGate, flags = 0, maxEntries = 1): void {
  gate.task.fds.set(5, MAP_FD);
  kernel.maps.set(MAP_FD, { type: 2, id: 12, keySize: 4, valueSize: 8, maxEntries, flags, name: "m" });
  kernel.values.set(MAP_FD, new Uint8Array(8));
}

const failing = (errno: number, given: Given): FailingCall => ({ errno, call: (gate) => load(gate, given) });
const denied = (
  rule: NonNullable<FailingCall["denial"]>["rule"],
  errno: number,
  reason: RegExp,
  given: Given,
  hook: "bpf" | "bpf_prog_load" | "bpf_prog" = "bpf_prog_load",
): FailingCall => ({
  ...failing(errno, given),
  denial: { rule, hook, name: hook === "bpf" ? "BPF_PROG_LOAD" : "p", reason },
});
const words = (given: Readonly<Record<number, number | bigint>>): Given => ({ fields: () => given });

const TOKEN: Given = {
  ...words({ [LOAD.progFlags]: TOKEN_FD, [LOAD.tokenFd]: 9 }),
  set: ({ task }) => {
    task.fds.set(9, 90);
    kernel.names.set(90, "/bpf-token (deleted)");
  },
};
const MALFORMED: Given = {
  fields: ({ task }) => ({
    [LOAD.funcInfo]: task.place(new Uint8Array(8)),
    [LOAD.funcInfoCount]: 1,
    [LOAD.funcInfoRecordSize]: 3,
  }),
};
/** An iterator over the elements of maps that calls bpf_map_update_elem. */
const ITERATOR: Given = {
  type: TRACING,
  code: insns(...MAP_OF_TASK, "8500000002000000", ...EXIT),
  fields: () => ({ [LOAD.expectedAttachType]: TRACE_ITER }),
  set: (gate) => withMap(gate),
};

describe("a map of a program that calls bpf(2) is copied", () => {
  /** Fails for a map that is exclusive to a program, and makes each other one. */
  const without = (errno: number) => (_: number, attr: Uint8Array) => {
    const isExclusive = new DataView(attr.buffer, attr.byteOffset).getUint32(CREATE.exclusiveHashSize, true) > 0;
    return isExclusive ? -errno : COPY_FD;
  };

  it.each([
    ["E2BIG: the field is outside of the kernel's attr", ERRNO.E2BIG],
    ["EINVAL: it is inside of it, for other commands", ERRNO.EINVAL],
  ])("without being exclusive to it if the kernel knows no such maps (%s)", (_, errno) => {
    const gate = new FakeGate();
    kernel.bpf = without(errno);
    kernel.maps.set(COPY_FD, { type: 2, id: 13, keySize: 4, valueSize: 8, maxEntries: 1, flags: 0, name: "m" });
    load(gate, {
      type: SYSCALL,
      code: insns(...MAP_OF_TASK, ...EXIT),
      set: (given) => {
        given.freezes = true;
        withMap(given);
      },
    });
    expect(gate.records.map(({ rule }) => rule)).not.toContain("loader");
    expect(gate.loaded).toEqual([7]);
    expect([...kernel.frozen]).toEqual([COPY_FD]);
  });
});

describe("a program that the kernel loaded counts, so that its release is seen,", () => {
  const deniedAt = (hook: "bpf_prog_load" | "bpf_prog"): Given => ({
    set: ({ verdicts }) => {
      verdicts[hook] = -1;
    },
  });
  const rejected: Given = {
    set: ({ task }) => {
      task.result = () => -13;
    },
  };
  const unwritable = words({ [LOAD.logLevel]: 1, [LOAD.logSize]: 64, [LOAD.logBuf]: NOWHERE });

  it.each<readonly [string, Given, readonly number[]]>([
    ["if the task gets it", {}, [7]],
    ["if a policy denies it at hook bpf_prog", deniedAt("bpf_prog"), [7]],
    ["if its log cannot be written", unwritable, [7]],
    ["and one that a policy denies before does not", deniedAt("bpf_prog_load"), []],
    ["and one that the verifier rejects does not", rejected, []],
  ])("%s", (_, given, loaded) => {
    const gate = new FakeGate();
    load(gate, given);
    expect(gate.loaded).toEqual(loaded);
  });
});

describe("a BPF_PROG_LOAD", () => {
  itFails({
    "an attr of more than a page": { errno: 7, call: (gate) => gate.bpf(CMD.BPF_PROG_LOAD, null, MAX_ATTR + 1) },
    "an attr that cannot be read": { errno: 14, call: (gate) => gate.bpf(CMD.BPF_PROG_LOAD, null, LOAD.size) },
    "an attr of a task that the gate may not read": {
      errno: 1,
      call: (gate) => {
        gate.capabilities = null;
        return gate.bpf(CMD.BPF_PROG_LOAD, null, LOAD.size);
      },
      denial: { rule: "out_of_reach", hook: "bpf", name: "BPF_PROG_LOAD", reason: /cannot be traced/ },
    },
    "an attr with a field that the gate does not know": {
      errno: 22,
      call: (gate) => gate.bpf(CMD.BPF_PROG_LOAD, attrOf(LOAD.size + 8, { [LOAD.size]: 1 })),
      denial: { rule: "unknown_field", hook: "bpf", name: "BPF_PROG_LOAD", reason: /does not know byte 168/ },
    },
    "a task without capabilities": failing(1, {
      set: (gate) => {
        gate.capabilities = 0n;
        gate.task.result = () => -1;
      },
    }),
    "a task without capabilities, whose fds the kernel rejects": failing(9, {
      set: (gate) => {
        gate.capabilities = 0n;
        gate.task.result = ({ held }) => (held.length === 1 ? -14 : -9);
      },
    }),
    "a program that the agent of a sealed machine denies": denied("agent", 1, /agent of this sealed machine, or its/, {
      set: (gate) => {
        gate.settings = { ...gate.settings, agent: true };
        gate.task.result = () => -1;
      },
    }),
    "a program whose agent has ended": denied("agent", 1, /has ended/, {
      set: (gate) => {
        gate.settings = { ...gate.settings, agent: true };
        gate.task.result = () => -38;
      },
    }),
    "a program that the kernel of a sealed machine rejects": failing(13, {
      set: (gate) => {
        gate.settings = { ...gate.settings, agent: true };
        gate.task.result = () => -13;
      },
    }),
    "no instructions, as the kernel rejects them": failing(22, {
      ...words({ [LOAD.insnCount]: 0 }),
      set: (gate) => {
        gate.task.result = () => -22;
      },
    }),
    "no instructions": failing(7, {
      ...words({ [LOAD.insnCount]: 0 }),
      set: (gate) => {
        gate.task.result = () => -14;
      },
    }),
    "instructions in no memory": failing(14, words({ [LOAD.insns]: NOWHERE })),
    "a license in no memory": failing(14, words({ [LOAD.license]: NOWHERE })),
    "records of no size": failing(22, words({ [LOAD.funcInfoCount]: 1 })),
    "records that are too long": failing(22, words({ [LOAD.lineInfoCount]: 1, [LOAD.lineInfoRecordSize]: 253 })),
    "records in no memory": failing(
      14,
      words({ [LOAD.funcInfoCount]: 1, [LOAD.funcInfoRecordSize]: 8, [LOAD.funcInfo]: NOWHERE }),
    ),
    "too many records": denied(
      "too_large",
      7,
      /bytes of lineInfo is more than the gate copies/,
      words({ [LOAD.lineInfoCount]: 2 ** 24, [LOAD.lineInfoRecordSize]: 16 }),
    ),
    "an fd_array in no memory": failing(14, words({ [LOAD.fdArray]: NOWHERE, [LOAD.fdArrayCount]: 1 })),
    "an fd_array that is too long": denied(
      "too_large",
      7,
      /4097 entries of fd_array/,
      words({ [LOAD.fdArray]: NOWHERE, [LOAD.fdArrayCount]: 4097 }),
    ),
    "too many fds": failing(7, {
      fields: ({ task }) => ({
        [LOAD.fdArray]: task.place(new Uint8Array(Int32Array.from({ length: 600 }, (_, fd) => fd).buffer)),
        [LOAD.fdArrayCount]: 600,
      }),
    }),
    "a signature that is too long": denied(
      "too_large",
      7,
      /a signature of 65537 bytes/,
      words({ [LOAD.signature]: NOWHERE, [LOAD.signatureSize]: 65_537 }),
    ),
    "a log without a buffer": failing(22, words({ [LOAD.logLevel]: 1, [LOAD.logSize]: 8 })),
    "a log without a level": failing(22, words({ [LOAD.logBuf]: NOWHERE, [LOAD.logSize]: 8 })),
    "a log that is too large": failing(
      22,
      words({ [LOAD.logLevel]: 1, [LOAD.logBuf]: NOWHERE, [LOAD.logSize]: 2 ** 30 }),
    ),
    "a token": denied("token", 1, /user namespace/, TOKEN),
    "too many functions": failing(7, {
      code: TOO_MANY_FUNCTIONS,
      set: (gate) => {
        gate.task.result = () => -7;
      },
    }),
    "records that cannot be read": denied("unreadable", 22, /a record of 3 bytes/, MALFORMED),
    "a program that calls bpf(2), if no attachment answered": denied("loader", 1, /needs an attachment/, {
      type: SYSCALL,
      set: (gate) => {
        gate.answered = false;
      },
    }),
    "a program that calls bpf(2), with a map of others": denied("loader", 1, /`m` is not frozen/, {
      type: SYSCALL,
      code: insns(...MAP_OF_TASK, ...EXIT),
      set: (gate) => withMap(gate, 0, 4),
    }),
    "a program that calls bpf(2), with a map that cannot be copied": denied("loader", 1, /could not be copied/, {
      type: SYSCALL,
      code: insns(...MAP_OF_TASK, ...EXIT),
      set: (gate) => {
        gate.freezes = true;
        withMap(gate);
      },
    }),
    "a program that calls bpf(2), with a map beyond the quota": denied("map_memory", 12, /copy of its map `m`/, {
      type: SYSCALL,
      code: insns(...MAP_OF_TASK, ...EXIT),
      set: (gate) => {
        gate.freezes = true;
        gate.settings = { ...gate.settings, mapMemory: 1 };
        withMap(gate);
      },
    }),
    "an iterator that may write to frozen maps": denied("element_writer", 1, /frozen maps/, ITERATOR),
    "a program that the kernel rejects": failing(13, {
      set: (gate) => {
        gate.task.result = () => -13;
      },
    }),
    "an identity that the gate cannot take": denied(
      "out_of_reach",
      1,
      /another user, group, root directory or namespace/,
      {
        set: (gate) => {
          gate.task.result = () => OUT_OF_REACH;
        },
      },
      "bpf",
    ),
    "a program about which the kernel reports nothing": failing(9, { set: () => kernel.programs.clear() }),
    "a map that cannot be frozen": denied(
      "freeze",
      1,
      /`m` could not be frozen: -EPERM/,
      {
        code: insns(...MAP_OF_TASK, ...EXIT),
        set: (gate) => {
          gate.freezes = true;
          withMap(gate, 1 << 7);
          kernel.freezes = -1;
        },
      },
      "bpf_prog",
    ),
    "a program that the kernel rewrote": {
      ...denied(
        "rewritten",
        1,
        /the kernel rewrote it while loading: its tag is 00, not/,
        {
          set: () => {
            kernel.programs.set(LOADED, { ...kernel.programs.get(LOADED)!, tag: "00" });
          },
        },
        "bpf_prog",
      ),
      goesOn: true,
    },
    "a program that the kernel rewrote, if no attachment answered": {
      ...denied(
        "rewritten",
        1,
        /no enforcing attachment in scope answered/,
        {
          set: (gate) => {
            gate.served.add("bpf_prog");
            gate.settings = { ...gate.settings, rewritten: "ask" };
            gate.answered = false;
            kernel.programs.set(LOADED, { ...kernel.programs.get(LOADED)!, tag: "00" });
          },
        },
        "bpf_prog",
      ),
      goesOn: true,
    },
  });

  it("is issued with what was decided on", () => {
    const gate = new FakeGate();
    const subject = expect.objectContaining({ name: "p", type: "xdp", rewritten: false });
    expect(load(gate)).toEqual({ fd: LOADED, issued: { id: 7, subject } });
    expect(gate.asked).toEqual([{ hook: "bpf_prog_load", subject: expect.anything(), missingCapabilities: [] }]);
    expect(gate.task.adopted).toEqual([LOADED]);
  });

  it.each(["bpf_prog_load", "bpf_prog"] as const)("is denied by a policy's verdict at %s", (hook) => {
    const gate = new FakeGate();
    gate.served.add("bpf_prog");
    gate.verdicts[hook] = -13;
    expect(load(gate)).toEqual({ result: -13 });
    expect(gate.records).toEqual([]); // the engine records it
    expect(gate.task.adopted).toEqual(hook === "bpf_prog" ? [LOADED] : []);
    expect(gate.task.made).toHaveLength(hook === "bpf_prog" ? 1 : 0);
  });

  it("gets no answer if its caller has exited, and no policy is asked", () => {
    const gate = new FakeGate();
    gate.task.stillWaits = false;
    expect(load(gate)).toBe("gone");
    expect(gate.asked).toEqual([]);
  });

  it("is recorded with the digest of its instructions, once they are copied", () => {
    const digest = (given: Given) => {
      const gate = new FakeGate();
      load(gate, given);
      return gate.records[0]?.digest;
    };
    expect(digest(TOKEN)).toMatch(/^[0-9a-f]{64}$/);
    expect(digest(words({ [LOAD.lineInfoCount]: 2 ** 24, [LOAD.lineInfoRecordSize]: 16 }))).toBe("");
  });

  it.each<[string, Given]>([
    ["calls bpf(2), once its facts are known", { type: SYSCALL }],
    [
      "calls bpf(2), before its facts are known",
      {
        type: SYSCALL,
        code: insns(...MAP_OF_TASK, ...EXIT),
        set: (gate) => {
          gate.freezes = true;
          withMap(gate);
        },
      },
    ],
    ["may write to frozen maps", ITERATOR],
  ])("has its instructions hashed once if the gate denies it: it %s", (_, given) => {
    const gate = new FakeGate();
    gate.answered = false;
    vi.mocked(hash).mockClear();
    load(gate, given);
    const { digest } = gate.records[0]!;
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    expect(vi.mocked(hash).mock.results.filter(({ value }) => value === digest)).toHaveLength(1);
  });

  it("is denied with the verdict of a record that could not be logged", () => {
    const gate = new FakeGate();
    gate.unlogged = -1;
    expect(load(gate, MALFORMED)).toEqual({ result: -1 });
  });

  it("as a loader's probe is recorded and asks no policy, unless an attachment may grant capabilities", () => {
    for (const grants of [false, true]) {
      const gate = new FakeGate();
      gate.grants = grants;
      gate.capabilities = grants ? 0n : gate.capabilities;
      load(gate, { type: 1, name: "" });
      expect(gate.asked.map(({ hook }) => hook)).toEqual(grants ? ["bpf_prog_load"] : []);
      expect(gate.records).toHaveLength(grants ? 0 : 1);
    }
  });

  it("is made with the capabilities that a policy grants, and no others", () => {
    for (const delegated of [true, false]) {
      const gate = new FakeGate();
      Object.assign(gate, { grants: true, delegated, capabilities: 0n });
      load(gate);
      expect(gate.asked[0]?.missingCapabilities).toEqual(["CAP_NET_ADMIN", "CAP_BPF"]);
      expect(gate.task.made.at(-1)?.identity.capabilities).toBe(delegated ? (1n << 39n) | (1n << 12n) : 0n);
    }
  });

  it("waits for its turn if the kernel may take long for it", () => {
    const gate = new FakeGate();
    load(gate, { code: insns(...Array.from({ length: 5000 }, () => "b700000000000000"), ...EXIT) });
    expect(gate.task.admitted).toBe(1);
  });

  it("gets the kernel's log, also if the kernel rejects it", () => {
    for (const result of [LOADED, -13]) {
      const gate = new FakeGate();
      const set = () => {
        gate.task.result = () => result;
      };
      load(gate, { set, ...words({ [LOAD.logLevel]: 1, [LOAD.logBuf]: 4096n, [LOAD.logSize]: 64 }) });
      expect(gate.task.written[0]).toEqual({ address: 4096n, bytes: Uint8Array.of(0) });
    }
  });

  it("is made again without its signature if the kernel checks none", () => {
    const gate = new FakeGate();
    const results = [-95, LOADED];
    const set = () => {
      gate.task.result = () => results.shift() ?? -1;
    };
    const fields = () => ({ [LOAD.signature]: gate.task.place(new Uint8Array(8)), [LOAD.signatureSize]: 8 });
    expect(load(gate, { set, fields })).toMatchObject({ fd: LOADED });
    expect(gate.task.made).toHaveLength(2);
  });
});
