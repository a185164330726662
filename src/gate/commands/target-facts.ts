import type { AttachTarget, TargetKind } from "../../hooks/command.js";
import type { Call } from "../call/call.js";
import type { FileIdentity } from "../threads/blocking-op.js";
import { cgroupPath } from "./cgroup.js";
import type { Copy } from "./copy.js";
import { type Held, heldBy } from "./held.js";
import type { Resolved } from "./plan.js";
import type { Target } from "./targets.js";

/** Maximum number of symbols or offsets that a policy sees. If there are more, it sees only their count. */
const MOST_SHOWN = 1024;

/** Offsets in attr of the number of probes. */
const COUNTS: Partial<Readonly<Record<TargetKind, number>>> = { kprobes: 20, uprobes: 48 };

const NONE: AttachTarget = {
  ...{ kind: "", ifindex: null, path: null, name: null, program: null, btf_id: null },
  ...{ namespace: null, count: null, symbols: null, offsets: null, pid: null },
};

/** Returns the facts about the attach target of a copied command. `object` is the program or map that is attached. */
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

/** BPF_LINK_CREATE. Its target is at offset 4; that of BPF_PROG_ATTACH is at 0. */
const LINK_CREATE = 28;

interface Found {
  readonly cmd: number;
  readonly copy: Copy;
  readonly object: Held | null;
  readonly held: Held | null;
  /** Returns the identity of the target fd's file; null if there is no fd or the identity is unknown. */
  readonly file: () => FileIdentity | null;
  readonly resolved: Resolved;
}

/** Facts that only some kinds of targets have. */
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

/**
 * Returns the offsets of uprobes in their file; null if there are more than MOST_SHOWN, or one is not a safe integer.
 */
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
