import type { HostileCase } from "./case.js";

const using = (body: string) => `import { deny, hash, map_update, note, read, verify_signature } from "countersign";
export function blob_verify(blob) {\n${body}\n}`;

export const exhaustion: readonly HostileCase[] = [
  {
    name: "a reason of 1 MB is clipped",
    policy: using(`return deny("x".repeat(1e6));`),
    fault: null,
    verdict: -1,
    says: /^[\s\S]{1,2000}$/,
  },
  { name: "notes without end are out of steps", policy: using(`for (;;) note("x");`), fault: "OUT_OF_STEPS" },
  {
    name: "notes of 1 MB are clipped",
    policy: using(`for (let i = 0; i < 9; i++) note("x".repeat(1e5)); return 0;`),
    fault: null,
    verdict: 0,
  },
  {
    name: "ten thousand notes are sixteen",
    policy: using(`for (let i = 0; i < 10000; i++) note("n" + i); return 0;`),
    fault: null,
    verdict: 0,
  },
  {
    name: "denying without end is out of steps",
    policy: using(`let last = 0; for (;;) last += deny("x");`),
    fault: "OUT_OF_STEPS",
  },
  {
    name: "hashing without end is out of steps",
    policy: using(`for (;;) hash("sha256", blob.data);`),
    fault: "OUT_OF_STEPS",
  },
  {
    name: "verifying nothing without end is out of steps",
    policy: using(`for (;;) verify_signature(blob.data, null, String("k"), "PKCS7");`),
    fault: "OUT_OF_STEPS",
  },
  {
    name: "a keyring's name of 1 MB is out of steps",
    policy: using(`verify_signature(blob.data, null, "k".repeat(1e6), "PKCS7"); return -1;`),
    fault: "OUT_OF_STEPS",
  },
  {
    name: "a keyring's name of 100 KB is not logged whole",
    policy: using(`verify_signature(blob.data, null, "k".repeat(1e5), "PKCS7"); return -1;`),
    fault: "POLICY_ERROR",
    says: /^threw Error: verify_signature could not be answered \(no keyring `k{900,1024}…\)$/,
  },
  {
    name: "a map's name of 100 KB is not logged whole",
    policy: using(`map_update("m".repeat(1e5), "k", 1); return -1;`),
    fault: "POLICY_ERROR",
    says: /^threw Error: map_update could not be answered \(no map `m{900,1024}…\)$/,
  },
  {
    name: "a digest's name of 100 KB is not logged whole",
    policy: using(`hash("d".repeat(1e5), blob.data); return -1;`),
    fault: "POLICY_ERROR",
    says: /^threw Error: hash could not be answered \(`d{900,1024}…\)$/,
  },
  {
    name: "a map that is full says so",
    policy: using(
      `let last = 0; for (let i = 0; i < 100 && last === 0; i++) last = map_update("state", "k" + i, i); return last;`,
    ),
    fault: null,
    verdict: -7,
  },
  {
    name: "a value that is too large says so",
    policy: using(`return map_update("state", "k", "x".repeat(1e5));`),
    fault: null,
    verdict: -7,
  },
  {
    name: "writes of a fault are dropped",
    policy: using(`map_update("state", "dropped", 1); throw new Error("x");`),
    fault: "POLICY_ERROR",
  },
  {
    name: "reading all bytes again and again",
    policy: using(`for (;;) read(blob.data, 0, blob.data.length);`),
    fault: "OUT_OF_STEPS",
  },
  {
    name: "a note that is an object is text",
    policy: using(`note({ toString: () => "said" }); return 0;`),
    fault: null,
    verdict: 0,
  },
  {
    name: "a note that loops is out of steps",
    policy: using(`note({ toString() { for (;;); } }); return 0;`),
    fault: "OUT_OF_STEPS",
  },
];
