import { CMD } from "../../bpf/model/commands.js";
import { PROBES } from "../../bpf/tables/loader-probes.gen.js";
import type { Config } from "../../config/config.js";
import { Engine } from "../../engine/decision/engine.js";
import { ERRNO } from "../../errno.js";
import { bpf } from "../../sys/bpf.js";
import type { Impersonator } from "../../sys/credentials.js";
import { addressOf, keepAlive } from "../../sys/libc.js";
import { NR } from "../../sys/numbers.js";
import { close, openThread } from "../../sys/pidfd.js";
import { NOTIFICATION_SIZE } from "../../sys/seccomp.js";
import type { Answer } from "../call/answer.js";
import { Attr, CREATE, LOAD } from "../call/attr.js";
import { Call } from "../call/call.js";
import { CallFailure } from "../call/failure.js";
import { AUDIT_ARCH_X86_64 } from "../call/filter.js";
import { IssuedObjects } from "../call/issued-objects.js";
import { Listener } from "../call/listener.js";
import { LoadThrottle } from "../call/load-throttle.js";
import { ReleaseCounter } from "../call/release-counter.js";
import { Retries } from "../call/retries.js";
import { createMap } from "../commands/map-create.js";
import { Facts, type KnownFacts, noKnownFacts } from "../commands/prog-load/load-facts.js";
import { decideCopy, issueLoaded, loadDecided } from "../commands/prog-load/load-program.js";
import { createToken } from "../commands/token.js";
import { GateDecisions } from "../decisions/gate-decisions.js";
import { settingsOf } from "../decisions/settings.js";
import { Tally } from "../decisions/tally.js";
import { LiveKernel, NO_FILES } from "../recognition/live-kernel.js";
import { newRecording } from "../task/blocking/call-recording.js";
import { Notification } from "../task/blocking/notification.js";
import { InlineExecutor } from "../task/blocking/op-executor.js";
import { Watch } from "../task/blocking/watch.js";
import { type Caller, readCaller } from "../task/caller.js";
import { PidfdCache } from "../task/pidfd-cache.js";
import { RemoteTask } from "../task/remote-task.js";
import { NotificationHandler, type WorkerServices } from "./notification-handler.js";
import { FUNCTION_SIZE, LINE_SIZE, warmUpProgram } from "./warm-up-program.js";

/** Number of repetitions: enough for V8 to compile the code that every call runs. */
const ROUNDS = 8;

/** What a warm-up leaves for real calls. */
export interface Learnt {
  /** Subjects by hook, as policies see them. */
  readonly examples: Map<string, object>;
  /** The facts of the programs, among them the probes of loaders. */
  readonly facts: KnownFacts;
}

export function nothingLearnt(): Learnt {
  return { examples: new Map(), facts: noKnownFacts() };
}

/**
 * Serves loads, a map creation and a request for a token with the gate itself as the task: the probes with which most
 * loaders begin, and a longer program. V8 then has compiled the code before the first real call; otherwise that call
 * would wait as long as many decisions take. No policy is asked and nothing is logged. No notification is pending, so
 * nothing is created for a task. The gate itself creates BTF, a map and a program that does nothing, and closes
 * them. Runs in steps of a few milliseconds. `learnt` receives what real calls can use.
 */
export async function* warmUp(
  impersonator: Impersonator,
  learnt: Learnt = nothingLearnt(),
): AsyncGenerator<void, void, void> {
  const engine = await Engine.open(NO_POLICIES);
  yield* warmUpWith(engine, impersonator, learnt);
  engine.close();
}

/** The same with the caller's engine, which makes the decisions, and with the objects that `create` returns. */
export function* warmUpWith(
  engine: Engine,
  impersonator: Impersonator,
  learnt: Learnt = nothingLearnt(),
  create: () => OwnObjects = createOwnObjects,
): Generator<void, void, void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    // only the last round keeps facts, so that each round computes them
    const kept = round === ROUNDS - 1 ? learnt : { ...learnt, facts: noKnownFacts() };
    // no fd stays open between two steps, because the thread may be terminated there
    const pidfd = openThread(process.pid, process.pid);
    const own = create();
    const cache = new PidfdCache();
    const caller = readCaller(process.pid, pidfd, null);
    if (caller !== null) play(new Stage(engine, impersonator, caller, { pidfd, cache }, kept), own);
    for (const fd of [cache.pidfd, own.map, own.program, own.btf, pidfd]) close(fd);
    yield;
  }
}

/** Fds of the gate's own, or negative errnos of what it may not create. `program` is {@link PLAIN}. */
interface OwnObjects {
  readonly btf: number;
  readonly program: number;
  readonly map: number;
}

function createOwnObjects(): OwnObjects {
  return { btf: loadBtf(warmUpProgram(0).btf), program: loadPlain(PLAIN), map: bpf(CMD.BPF_MAP_CREATE, SMALL_MAP) };
}

/** For a warm-up that must not call bpf(2). */
export function noOwnObjects(): OwnObjects {
  return { btf: -ERRNO.ENOSYS, program: -ERRNO.ENOSYS, map: -ERRNO.ENOSYS };
}

function play(stage: Stage, { btf, program, map }: OwnObjects): void {
  stage.requestToken();
  // a map that an instruction names is looked up in the kernel
  for (const { type, expectedAttachType, name, license, insns } of map < 0 ? WITHOUT_MAPS : OF_LIBBPF)
    stage.load({ type, expectedAttachType, name, license, insns: Buffer.from(insns, "hex") });
  if (program >= 0) stage.issue(PLAIN, program);
  if (btf >= 0 && map >= 0) {
    const tracer = { ...warmUpProgram(map), btfFd: btf };
    stage.load({ type: TRACEPOINT, expectedAttachType: 0, name: "warm_up", license: "GPL", ...tracer });
  }
  stage.create();
  stage.answerLoad(PLAIN);
  stage.answerCreate();
}

/** The probes of libbpf, with which most loaders begin. */
const OF_LIBBPF = PROBES.filter(({ loaders }) => loaders.some((loader) => loader.startsWith("libbpf")));
/** Those whose first instruction is not BPF_LD | BPF_IMM | BPF_DW (0x18), as which an instruction names a map. */
const WITHOUT_MAPS = OF_LIBBPF.filter(({ insns }) => !insns.startsWith("18"));

/** Values of enum bpf_prog_type and enum bpf_cmd (linux/bpf.h). */
const SOCKET_FILTER = 1;
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

/** A program that returns 0. */
const PLAIN: WarmUpLoad = {
  ...{ type: SOCKET_FILTER, expectedAttachType: 0, name: "warm_up", license: "GPL" },
  insns: Buffer.from("b7000000000000009500000000000000", "hex"),
};

/** Serves calls without a listener. It reports nothing and stores nothing. */
class Stage {
  readonly #services: WorkerServices;
  readonly #facts: Facts;
  readonly #listener = new Listener(NO_LISTENER, null, new IssuedObjects());
  readonly #caller: Caller;
  readonly #handler: NotificationHandler;
  /** The loads that were served: they keep the memory alive that their attrs point to. */
  readonly #served: WarmUpLoad[] = [];

  constructor(
    engine: Engine,
    impersonator: Impersonator,
    caller: Caller,
    private readonly task: { readonly pidfd: number; readonly cache: PidfdCache },
    private readonly learnt: Learnt,
  ) {
    const powerless = (namespaces: Parameters<Caller["identity"]>[0]) => {
      const identity = caller.identity(namespaces);
      return identity === null ? null : { ...identity, capabilities: 0n };
    };
    const { current, userNamespace } = caller;
    this.#caller = { current, userNamespace, samePids: true, identity: powerless };
    this.#facts = new Facts(engine.signatures, {}, new LiveKernel(NO_FILES), null, learnt.facts);
    this.#services = {
      decisions: new GateDecisions(
        engine,
        () => undefined,
        () => [],
      ),
      settings: settingsOf(NO_POLICIES),
      impersonator,
      watch: new Watch(),
      tally: new Tally(),
      retries: new Retries(),
      throttle: new LoadThrottle(new ReleaseCounter(), NO_POLICIES.gate.programReleases),
      alone: () => true,
      logThrottle: () => undefined,
    };
    this.#handler = new NotificationHandler(this.#services, this.#facts, task.cache, () => undefined);
  }

  requestToken(): void {
    this.#serve(CMD.BPF_TOKEN_CREATE, new Attr(TOKEN_SIZE, TOKEN_SIZE), (call) =>
      createToken(call, "BPF_TOKEN_CREATE"),
    );
  }

  load(load: WarmUpLoad): void {
    this.#served.push(load);
    this.#serve(CMD.BPF_PROG_LOAD, attrOf(load), (call) => {
      const decided = decideCopy(call, this.#facts);
      for (const hook of ["bpf_prog_load", "bpf_prog"]) this.learnt.examples.set(hook, decided.program);
      return loadDecided(call, this.#facts, decided);
    });
  }

  /** Serves a load up to its reply, as if `fd` were the loaded program. */
  issue(load: WarmUpLoad, fd: number): void {
    this.#served.push(load);
    this.#serve(CMD.BPF_PROG_LOAD, attrOf(load), (call) => {
      const answer = issueLoaded(call, this.#facts, decideCopy(call, this.#facts), fd);
      call.listener.reply(call.notification.id, answer);
      return answer;
    });
  }

  create(): void {
    this.#serve(CMD.BPF_MAP_CREATE, smallMap(), createMap);
  }

  /** Serves a load as the decision thread does, from its notification to the reply, which is an errno. */
  answerLoad(load: WarmUpLoad): void {
    this.#served.push(load);
    this.#answer(CMD.BPF_PROG_LOAD, attrOf(load));
  }

  answerCreate(): void {
    this.#answer(CMD.BPF_MAP_CREATE, smallMap());
  }

  #answer(cmd: number, attr: Attr): void {
    this.#handler.resume(this.#listener, newRecording(NO_LISTENER, notificationOf(cmd, attr)), null);
  }

  #serve(cmd: number, attr: Attr, serve: (call: Call) => Answer): void {
    const { pid } = process;
    const notification = new Notification(notificationOf(cmd, attr));
    const { watch, impersonator } = this.#services;
    watch.enter(NO_LISTENER, []);
    const task = new RemoteTask(
      pid,
      pid,
      this.task.pidfd,
      new InlineExecutor(watch, impersonator),
      null,
      watch,
      NOBODYS,
    );
    try {
      serve(new Call(notification, this.#listener, task, this.#caller, this.#services, null));
    } catch (failure) {
      if (!(failure instanceof CallFailure)) throw failure; // no call is pending, so the last step fails with ESRCH
    }
    task.release();
  }
}

/** struct seccomp_notif of a bpf(2) call that the gate itself would make. */
function notificationOf(cmd: number, attr: Attr): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(NOTIFICATION_SIZE));
  bytes.setUint32(8, process.pid, true);
  bytes.setInt32(16, NR.bpf, true);
  bytes.setUint32(20, AUDIT_ARCH_X86_64, true);
  for (const [index, word] of [cmd, addressOf(attr.bytes), attr.size].entries())
    bytes.setBigUint64(32 + 8 * index, BigInt(word), true);
  return new Uint8Array(bytes.buffer);
}

function smallMap(): Attr {
  const attr = new Attr(CREATE.size, CREATE.size);
  attr.bytes.set(SMALL_MAP);
  return attr;
}

/** Size of the attr of BPF_TOKEN_CREATE. */
const TOKEN_SIZE = 8;

/** The attr of a load, whose pointers refer to the gate's own memory. `load` must outlive it. */
function attrOf({ type, expectedAttachType, name, license, insns, functions, lines, btfFd }: WarmUpLoad): Attr {
  const attr = new Attr(LOAD.size, LOAD.size);
  attr.setU32(LOAD.progType, type);
  attr.setU32(LOAD.insnCount, insns.byteLength / 8);
  attr.setPointer(LOAD.insns, addressOf(insns));
  attr.setPointer(LOAD.license, addressOf(licenseOf(license)));
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
  return attr;
}

/** Licenses with their NUL, which stay in memory for the attrs that point to them. */
const licenses = new Map<string, Buffer>();

function licenseOf(license: string): Buffer {
  const known = licenses.get(license) ?? Buffer.from(`${license}\0`);
  licenses.set(license, known);
  return known;
}

const NO_LISTENER = -1;
/** A notification that is never pending, so no operation with an effect is carried out: see {@link runBlockingOp}. */
const NOBODYS = { listener: NO_LISTENER, id: 0n };

/** Loads a program. Returns an fd, or a negative errno if the gate may not load it. */
function loadPlain(load: WarmUpLoad): number {
  return bpf(CMD.BPF_PROG_LOAD, attrOf(load).bytes);
}

/**
 * Loads BTF (BPF_BTF_LOAD). Returns an fd, or a negative errno if the gate may not load it. Offsets in union bpf_attr:
 * btf 0, btf_log_buf 8, btf_size 16.
 */
function loadBtf(bytes: Uint8Array): number {
  const attr = new DataView(new ArrayBuffer(32));
  attr.setBigUint64(0, BigInt(addressOf(bytes)), true);
  attr.setUint32(16, bytes.byteLength, true);
  return bpf(BTF_LOAD, keepAlive(new Uint8Array(attr.buffer), bytes));
}

/** The configuration of a gate without policies. */
export const NO_POLICIES: Config = {
  ...{ file: "", origin: "run", mode: "enforce", keyrings: [], maps: [], attachments: [], signatures: [], log: null },
  pathPlaces: {},
  ...{ shadowFile: null, shadow: null, sandbox: { memory: 2 ** 24 } },
  default: { bpf_prog_load: "allow", bpf_map_create: "allow" } as Config["default"],
  gate: {
    existing: "deny",
    rewritten: "deny",
    loaderRuns: "deny",
    keyrings: {},
    mapMemory: 2 ** 20,
    programReleases: 200,
    notEnforced: [],
    tickets: false,
    stall: 0,
  },
  seal: { admit: [], mask: { place: "", types: [], helpers: [] } },
};
