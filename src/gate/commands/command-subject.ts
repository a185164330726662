import { sha256 } from "../../bpf/digest.js";
import { ATTACH_TYPES } from "../../bpf/tables/names.gen.js";
import type { AttachFacts, CommandSubject, RunFacts } from "../../hooks/command.js";
import { LruCache } from "../../lru-cache.js";
import type { Call } from "../call/call.js";
import type { Copy } from "./copy.js";
import type { Held } from "./held.js";
import type { Resolved } from "./plan.js";
import { targetFacts } from "./target-facts.js";
import { EXT, type Target } from "./targets.js";

/** The facts that come from the task's memory, for a command of which only the registers are known. */
const UNKNOWN = { program: null, map: null, attach: null, run: null, path: null, btf: null } as const;

/**
 * Subjects by all of their facts. The sandbox reuses what it built for an object that it has seen; building a new one
 * takes far longer.
 */
const known = new LruCache<string, CommandSubject>(1024);
/** Longest key that is cached, in characters. */
const MAX_LENGTH = 4096;

function remembered(key: string, make: () => CommandSubject): CommandSubject {
  let subject = known.get(key);
  if (subject === undefined) {
    subject = frozen(make());
    if (key.length <= MAX_LENGTH) known.set(key, subject);
  }
  return subject;
}

/** Freezes an object and all objects in it. */
function frozen<T extends object>(facts: T): T {
  for (const value of Object.values(facts)) if (typeof value === "object" && value !== null) frozen(value);
  return Object.freeze(facts);
}

/** Returns the subject of a command of which only the registers are known. Equal registers return the same object. */
export function registersOf(name: string, cmd: number, size: number): CommandSubject {
  return remembered(`${cmd} ${size}`, () => ({ name, digest: "", cmd, size, ...UNKNOWN }));
}

/** Returns the subject of a command of which the registers and a path are known. */
export function pathCommand(name: string, cmd: number, size: number, path: string): CommandSubject {
  return digested({ name, digest: "", cmd, size, ...UNKNOWN, path });
}

/** Returns the subject of a copied command. `object` is the program, map or link that the command uses. */
export function copiedCommand(
  call: Call,
  name: string,
  copy: Copy,
  object: Held | null,
  target: Target | null,
  resolved: Resolved,
): CommandSubject {
  const cmd = call.word(0);
  const facts = PARTS[cmd]?.(copy, target === null ? null : targetFacts(call, copy, target, object, resolved), object);
  return digested({
    ...{ name, digest: "", cmd, size: call.word(2), ...UNKNOWN },
    program: object?.program ?? null,
    map: object?.map ?? null,
    path: target === null ? (resolved.path ?? null) : null,
    ...facts,
  });
}

type Part = (copy: Copy, target: AttachFacts["target"] | null, object: Held | null) => Partial<CommandSubject>;

const attach =
  (type: number | null, flags: number | null): Part =>
  ({ given }, target, object) => ({
    attach: target && {
      type: type === null || object?.programType === EXT ? null : (ATTACH_TYPES[given.u32(type)] ?? "unknown"),
      flags: flags === null ? 0 : given.u32(flags),
      target,
    },
  });

/** The facts of a command other than its object and path, by command number. Offsets are those of {@link LAYOUTS}. */
const PARTS: Readonly<Record<number, Part>> = {
  8: attach(8, 12),
  9: attach(8, 12),
  10: ({ given }) => ({ run: runOf((offset) => given.u32(offset)) }),
  17: attach(null, null),
  18: ({ given, bytes }) => {
    const sum = sha256(bytes.get(0) ?? new Uint8Array(0));
    return { digest: sum, btf: { size: given.u32(16), sha256: sum } };
  },
  28: attach(8, 12),
  29: attach(null, 8),
};

function runOf(word: (offset: number) => number): RunFacts {
  return {
    repeat: word(32),
    flags: word(64),
    data_size_in: word(8),
    data_size_out: word(12),
    ctx_size_in: word(40),
    ctx_size_out: word(44),
  };
}

/** Sets the digest to that of all facts, unless the subject has a digest already. */
function digested(subject: CommandSubject): CommandSubject {
  const text = JSON.stringify(subject);
  return remembered(text, () => (subject.digest === "" ? { ...subject, digest: sha256(Buffer.from(text)) } : subject));
}
