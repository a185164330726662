// Makes the seccomp profiles of deploy/ from the tables of src/gate/filter.ts: what `countersign run` filters by
// itself, for OCI runtimes.
//
// A runtime drops rules whose action is the default one, so a profile cannot say which commands of bpf(2) pass: it
// lists all that notify. The kernel takes the low word of the argument, which only SCMP_CMP_MASKED_EQ compares alone:
// each command below 32 that does not pass has a rule, and each higher bit has one.
import { settle } from "./settle.mjs";
import { importSources } from "./sources.mjs";

const { MAP_ACCESS, METADATA, NR, WATCHED } = await importSources(`
  export { MAP_ACCESS, WATCHED } from "./src/gate/filter.js";
  export { METADATA } from "./src/gate/agent/container-state.js";
  export { NR } from "./src/gate/sys/numbers.js";
`);

const BITS = 5;
const WORD = 2 ** 32 - 1;
const nameOf = (number) => Object.entries(NR).find(([, its]) => its === number)[0];
const notify = (names, args) => ({ names, action: "SCMP_ACT_NOTIFY", ...(args === undefined ? {} : { args }) });
/** Compares the first argument under a mask. */
const masked = (mask, value) => [{ index: 0, value: mask, valueTwo: value, op: "SCMP_CMP_MASKED_EQ" }];
const numbers = (length) => Array.from({ length }, (_, number) => number);

const names = WATCHED.map(nameOf);
const asking = numbers(2 ** BITS).filter((command) => !MAP_ACCESS.includes(command));
const bits = numbers(32 - BITS).map((bit) => 2 ** (BITS + bit));
const PROFILES = {
  "seccomp.json": { metadata: METADATA.full, syscalls: [notify(names)] },
  "seccomp-fast.json": {
    metadata: METADATA.fast,
    syscalls: [
      notify(names.filter((name) => name !== "bpf")),
      ...asking.map((command) => notify(["bpf"], masked(WORD, command))),
      ...bits.map((bit) => notify(["bpf"], masked(bit, bit))),
    ],
  },
};

const files = Object.entries(PROFILES).map(([name, { metadata, syscalls }]) => {
  const head = {
    defaultAction: "SCMP_ACT_ALLOW",
    architectures: ["SCMP_ARCH_X86_64"],
    listenerPath: "/run/countersign/agent.sock",
    listenerMetadata: metadata,
  };
  // one line for each rule, so that a person can read it
  const rules = syscalls.map((rule) => `    ${JSON.stringify(rule)}`).join(",\n");
  const lines = Object.entries(head).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`);
  return [`deploy/${name}`, `{\n${lines.join("")}  "syscalls": [\n${rules}\n  ]\n}\n`];
});
process.exitCode = settle(Object.fromEntries(files));
