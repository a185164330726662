import type { ReadRecord } from "../../src/log/read-record.js";

const START = Date.UTC(2026, 10, 1);
const MONTH = 30 * 86_400_000;

/**
 * So many decisions of thirty days, the same in each run: 5,000 programs, 200 containers and four tasks; a tenth each
 * is denied, denied in a dry run, and denied in audit.
 */
export function* manyDecisions(count: number): Generator<ReadRecord> {
  for (let index = 0; index < count; index += 1) yield decision(index, Math.floor((index * MONTH) / count));
}

function decision(index: number, after: number): ReadRecord {
  const random = Math.imul(index, 2654435761) >>> 0; // Knuth's multiplicative hash
  const pick = <T>(list: readonly T[]) => list[random % list.length] as T;
  const program = `prog_${(index * 7919) % 5000}`;
  const digest = random.toString(16).padStart(64, "0");
  const kind = (random >>> 8) % 10;
  const isDry = kind === 1;
  const denial = (attachment: string) => {
    const reason = `${attachment}: digest ${digest} of ${program} is not in the map allowed_programs`;
    return { attachment, verdict: -1, code: "DENIED_BY_POLICY" as const, reason };
  };
  const pod = (random >>> 4) % 200;
  return {
    ...{ level: "info", type: "decision", version: 2, origin: "agent", time: new Date(START + after).toISOString() },
    id: `01a220c3-0000-7000-a12f-${index.toString(16).padStart(12, "0")}`,
    hook: pick(["bpf_prog_load", "bpf_map_create", "bpf"]),
    mode: isDry ? "audit" : "enforce",
    verdict: kind === 0 ? -1 : 0,
    enforced_verdict: kind < 2 ? -1 : 0,
    denied_by: kind < 2 ? denial(pick(["tc", "verify-all", "allow-list"])) : null,
    audit_denials: kind === 2 ? [denial(pick(["watch", "next"]))] : [],
    subject: { kind: "program", name: program, digest, path: null },
    current: {
      ...{ pid: index % 30_000, uid: 0, euid: 0, comm: pick(["tc", "bpftrace", "cilium-agent", "tetragon"]) },
      container: pod % 3 === 0 ? null : { id: `c${pod}`, name: `pod-${pod}`, labels: { tier: "edge" } },
    },
    answers: [
      {
        ...{ attachment: "tc", mode: "enforce", verdict: 0, notes: [], fault: null },
        helpers: ["verify_signature platform PKCS7: -ENODATA"],
      },
    ],
  } as unknown as ReadRecord;
}
