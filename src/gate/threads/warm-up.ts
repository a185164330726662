import type { Config } from "../../config/config.js";
import { Engine } from "../../engine/engine.js";
import { Attr, CREATE, LOAD } from "../call/attr.js";
import { type Answer, Call, type CallServices } from "../call/call.js";
import { CMD } from "../call/command.js";
import { type Caller, readCaller } from "../call/current.js";
import { IssuedObjects } from "../call/issued-objects.js";
import { Listener } from "../call/listener.js";
import { Notification } from "../call/notification.js";
import { Retries } from "../call/retries.js";
import { Task } from "../call/task.js";
import { createMap } from "../commands/maps.js";
import { AUDIT_ARCH_X86_64 } from "../filter.js";
import { GateDecisions } from "../gate-decisions.js";
import { Facts } from "../load/facts.js";
import { PROBES } from "../load/probes.gen.js";
import { loadProgram } from "../load/programs.js";
import { settingsOf } from "../settings.js";
import { bpf } from "../sys/bpf.js";
import type { Impersonator } from "../sys/credentials.js";
import { addressOf } from "../sys/libc.js";
import { NR } from "../sys/numbers.js";
import { close, openThread } from "../sys/pidfd.js";
import { NOTIFICATION_SIZE } from "../sys/seccomp.js";
import { Tally } from "../tally.js";
import { InlineExecutor } from "./op-executor.js";
import { FUNCTION_SIZE, LINE_SIZE, warmUpProgram } from "./warm-up-program.js";
import { Watch } from "./watch.js";

/** Number of repetitions: enough for V8 to compile the code that every call runs. */
const ROUNDS = 8;

/**
 * Serves loads and a map creation with the gate itself as the task: the probes with which most loaders begin, and a
 * longer program. V8 then has compiled the code before the first real call; otherwise that call would wait as long as
 * many decisions take. No policy is asked and nothing is logged. No program or map is created, since no notification is
 * pending. Runs in steps of a few milliseconds.
 */
export async function* warmUp(impersonator: Impersonator): AsyncGenerator<void, void, void> {
  const engine = await Engine.open(NO_POLICIES);
  yield* warmUpWith(engine, impersonator);
  engine.close();
}

/** The same with the caller's engine, which makes the decisions. */
export function* warmUpWith(engine: Engine, impersonator: Impersonator): Generator<void, void, void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    // no fd stays open between two steps, because the thread may be terminated there
    const pidfd = openThread(process.pid, process.pid);
    const btf = loadBtf(warmUpProgram(0).btf);
    const caller = readCaller(process.pid, pidfd, null);
    if (caller !== null) play(new Stage(engine, impersonator, caller, pidfd), btf);
    for (const fd of [btf, pidfd]) close(fd);
    yield;
  }
}

/** `btf` is used as the fd of the program's map, too: the gate copies the fd and finds that it is not a map. */
function play(stage: Stage, btf: number): void {
  for (const { type, expectedAttachType, name, license, insns } of OF_LIBBPF)
    stage.load({ type, expectedAttachType, name, license, insns: Buffer.from(insns, "hex") });
  const program = { ...warmUpProgram(btf), btfFd: btf };
  stage.load({ type: TRACEPOINT, expectedAttachType: 0, name: "warm_up", license: "GPL", ...program });
  stage.create();
}

/** The probes of libbpf, with which most loaders begin. */
const OF_LIBBPF = PROBES.filter(({ loaders }) => loaders.some((loader) => loader.startsWith("libbpf")));

/** Values of enum bpf_prog_type and enum bpf_cmd (linux/bpf.h). */
const TRACEPOINT = 5;
const BTF_LOAD = 18;
/** An array of one entry: map_type, key_size, value_size, max_entries. */
const SMALL_MAP = new Uint8Array(Uint32Array.of(2, 4, 64, 1).buffer);

/** The arguments of BPF_PROG_LOAD that a warm-up load sets. */
interface WarmUpLoad {
  readonly type: number;
  readonly expectedAttachType: number;
  readonly name: string;
  readonly license: string;
  readonly insns: Uint8Array;
  readonly functions?: Uint8Array;
  readonly lines?: Uint8Array;
  readonly btfFd?: number;
}

/** Serves calls without a listener. It reports nothing and stores nothing. */
class Stage {
  readonly #services: CallServices;
  readonly #listener = new Listener(NO_LISTENER, null, new IssuedObjects());
  readonly #caller: Caller;

  constructor(
    engine: Engine,
    impersonator: Impersonator,
    caller: Caller,
    private readonly pidfd: number,
  ) {
    const powerless = (namespaces: Parameters<Caller["identity"]>[0]) => {
      const identity = caller.identity(namespaces);
      return identity === null ? null : { ...identity, capabilities: 0n };
    };
    this.#caller = { current: caller.current, samePids: true, identity: powerless };
    this.#services = {
      decisions: new GateDecisions(
        engine,
        () => undefined,
        () => [],
      ),
      facts: new Facts(engine.signatures, {}, () => null),
      settings: settingsOf(NO_POLICIES),
      impersonator,
      watch: new Watch(),
      tally: new Tally(),
      retries: new Retries(),
      alone: () => true,
    };
  }

  load({ type, expectedAttachType, name, license, insns, functions, lines, btfFd }: WarmUpLoad): void {
    const attr = new Attr(LOAD.size, LOAD.size);
    const text = Buffer.from(`${license}\0`);
    attr.setU32(LOAD.progType, type);
    attr.setU32(LOAD.insnCount, insns.byteLength / 8);
    attr.setPointer(LOAD.insns, addressOf(insns));
    attr.setPointer(LOAD.license, addressOf(text));
    attr.setU32(LOAD.expectedAttachType, expectedAttachType);
    attr.bytes.set(Buffer.from(name), LOAD.progName);
    attr.setU32(LOAD.progBtfFd, Math.max(0, btfFd ?? 0));
    if (functions !== undefined) {
      attr.setPointer(LOAD.funcInfo, addressOf(functions));
      attr.setU32(LOAD.funcInfoRecordSize, FUNCTION_SIZE);
      attr.setU32(LOAD.funcInfoCount, functions.byteLength / FUNCTION_SIZE);
    }
    if (lines !== undefined) {
      attr.setPointer(LOAD.lineInfo, addressOf(lines));
      attr.setU32(LOAD.lineInfoRecordSize, LINE_SIZE);
      attr.setU32(LOAD.lineInfoCount, lines.byteLength / LINE_SIZE);
    }
    this.#serve(CMD.progLoad, attr, loadProgram);
  }

  create(): void {
    const attr = new Attr(CREATE.size, CREATE.size);
    attr.bytes.set(SMALL_MAP);
    this.#serve(CMD.mapCreate, attr, createMap);
  }

  #serve(cmd: number, attr: Attr, serve: (call: Call) => Answer): void {
    const { pid } = process;
    const bytes = new DataView(new ArrayBuffer(NOTIFICATION_SIZE));
    bytes.setUint32(8, pid, true);
    bytes.setInt32(16, NR.bpf, true);
    bytes.setUint32(20, AUDIT_ARCH_X86_64, true);
    for (const [index, word] of [cmd, addressOf(attr.bytes), attr.size].entries())
      bytes.setBigUint64(32 + 8 * index, BigInt(word), true);
    const notification = new Notification(new Uint8Array(bytes.buffer));
    const { watch, impersonator } = this.#services;
    watch.enter(NO_LISTENER, []);
    const task = new Task(pid, pid, this.pidfd, new InlineExecutor(watch, impersonator), null, watch, NOBODYS);
    const answer = serve(new Call(notification, this.#listener, task, this.#caller, this.#services, null));
    if (typeof answer === "object" && "fd" in answer) close(answer.fd); // if the kernel requires no capabilities
    task.release();
  }
}

const NO_LISTENER = -1;
/** A notification that is never pending, so no operation with an effect is carried out: see {@link runBlockingOp}. */
const NOBODYS = { listener: NO_LISTENER, id: 0n };

/**
 * Loads BTF (BPF_BTF_LOAD). Returns an fd, or a negative errno if the gate may not load it. Offsets in union bpf_attr:
 * btf 0, btf_log_buf 8, btf_size 16.
 */
function loadBtf(bytes: Uint8Array): number {
  const attr = new DataView(new ArrayBuffer(32));
  attr.setBigUint64(0, BigInt(addressOf(bytes)), true);
  attr.setUint32(16, bytes.byteLength, true);
  return bpf(BTF_LOAD, new Uint8Array(attr.buffer));
}

/** The configuration of a gate without policies. */
export const NO_POLICIES: Config = {
  ...{ file: "", origin: "run", mode: "enforce", keyrings: [], maps: [], attachments: [], signatures: [], log: null },
  sandbox: { memory: 2 ** 24 },
  default: { bpf_prog_load: "allow", bpf_map_create: "allow" } as Config["default"],
  gate: {
    existing: "deny",
    rewritten: "deny",
    loaderRuns: "deny",
    keyrings: {},
    mapMemory: 2 ** 20,
    notEnforced: [],
    stall: 0,
  },
};
