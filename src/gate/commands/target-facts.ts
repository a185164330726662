import type { AttachTarget, TargetKind } from "../../hooks/command.js";
import type { Call } from "../call/call.js";
import type { FileIdentity } from "../threads/blocking-op.js";
import { cgroupPath } from "./cgroup.js";
import type { Copy } from "./copy.js";
import { type Held, heldBy } from "./held.js";
import type { Resolved } from "./plan.js";
import type { Target } from "./targets.js";

/** Symbols and offsets that a policy is shown: of more than these it has the count alone. */
const MOST_SHOWN = 1024;

/** Where attr counts what is probed. */
const COUNTS: Partial<Readonly<Record<TargetKind, number>>> = { kprobes: 20, uprobes: 48 };

const NONE: AttachTarget = {
  ...{ kind: "", ifindex: null, path: null, name: null, program: null, btf_id: null },
  ...{ namespace: null, count: null, symbols: null, offsets: null, pid: null },
};

/** What a copy attaches to, as a policy sees it. `object` is what is attached. */
export function targetFacts(
  call: Call,
  copy: Copy,
  target: Target,
  object: Held | null,
  resolved: Resolved,
): AttachTarget {
  const { given, fds } = copy;
  const fd = fds.get("target") ?? fds.get("link") ?? -1;
  const held = fd < 0 ? null : heldBy(call, fd);
  const file = () => (fd < 0 ? null : call.task.identify(fd));
  const count = COUNTS[target.kind];
  return {
    ...NONE,
    kind: target.kind,
    name: held?.map?.name ?? null,
    program: held?.program ?? null,
    count: count === undefined ? null : given.u32(count),
    ...MORE[target.kind]?.({ copy, cmd: call.word(0), object, held, file, resolved }),
  };
}

/** Its target stands at 4, where BPF_PROG_ATTACH has it at 0. */
const LINK_CREATE = 28;

interface Found {
  readonly cmd: number;
  readonly copy: Copy;
  readonly object: Held | null;
  readonly held: Held | null;
  /** The one behind the target's fd; null where there is none. */
  readonly file: () => FileIdentity | null;
  readonly resolved: Resolved;
}

/** What a kind of target has beside what all have. */
const MORE: Partial<Readonly<Record<TargetKind, (found: Found) => Partial<AttachTarget>>>> = {
  cgroup: ({ file }) => ({ path: cgroupPath(file()) }),
  interface: ({ copy: { given }, cmd }) => ({ ifindex: given.u32(cmd === LINK_CREATE ? 4 : 0) }),
  netns: ({ file }) => ({ namespace: numberOf(file()) }),
  function: ({ copy, object, held }) => ({
    name: object?.attachTo ?? null,
    btf_id: held === null ? null : copy.given.u32(16),
  }),
  iterator: ({ object }) => ({ name: object?.attachTo ?? null }),
  tracepoint: ({ copy, object }) => ({ name: textAt(copy, 0) ?? object?.attachTo ?? null }),
  struct_ops: ({ object }) => ({ name: object?.map?.name ?? null }),
  kprobes: ({ copy: { texts } }) => ({
    symbols: texts === null || texts.length > MOST_SHOWN ? null : texts.map(textOf),
  }),
  uprobes: ({ copy, resolved: { path = null, pid = null } }) => ({ path, pid, offsets: offsetsOf(copy) }),
};

/** Where uprobes are in their file; null for more than are shown, and for one that no number of JavaScript can be. */
function offsetsOf({ bytes }: Copy): readonly number[] | null {
  const offsets = bytes.get(24);
  if (offsets === undefined || offsets.byteLength > 8 * MOST_SHOWN) return null;
  const numbers = Array.from(new BigUint64Array(offsets.buffer, offsets.byteOffset, offsets.byteLength / 8), Number);
  return numbers.every(Number.isSafeInteger) ? numbers : null;
}

function textAt({ bytes }: Copy, at: number): string | null {
  const text = bytes.get(at);
  return text === undefined ? null : textOf(text);
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}

function numberOf(file: FileIdentity | null): number | null {
  return file === null ? null : Number(file.ino);
}
