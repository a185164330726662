import { TARGET_FIELDS } from "../../../bpf/model/command-fields.js";
import type { AttachTarget } from "../../../hooks/command.js";
import type { Call } from "../../call/call.js";
import type { Copy } from "./copy.js";
import { type Held, heldBy } from "./held.js";
import { withOwnFacts } from "./own-facts.js";
import type { Resolved, Target } from "./target.js";

const NONE: AttachTarget = {
  ...{ kind: "", ifindex: null, path: null, name: null, program: null, btf_id: null },
  ...{ namespace: null, count: null, symbols: null, offsets: null, pid: null },
};

/**
 * Returns the facts about the attach target of a copied command. `targetAt` is the offset of the target in attr, and
 * `object` the program or map that is attached.
 */
export function targetFacts(
  call: Call,
  copy: Copy,
  target: Target,
  targetAt: number,
  object: Held | null,
  resolved: Resolved,
): AttachTarget {
  const { given, fds } = copy;
  const fd = fds.get("target") ?? fds.get("link") ?? -1;
  const held = fd < 0 ? null : heldBy(call, fd);
  const file = () => (fd < 0 ? null : call.task.identify(fd));
  const { kind, probeCount } = target;
  return withOwnFacts(TARGET_FIELDS, kind, {
    ...NONE,
    kind,
    name: held?.map?.name ?? null,
    program: held?.program ?? null,
    count: probeCount === undefined ? null : given.u32(probeCount),
    ...target.facts?.({ copy, targetAt, object, held, file, resolved }),
  });
}
