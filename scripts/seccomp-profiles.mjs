// Generates the seccomp profiles of deploy/ for OCI runtimes from the tables of src/gate/call/filter.ts, which
// `countersign run` filters by itself.
//
// A runtime drops rules whose action is the default action, so a profile cannot list the commands of bpf(2) that pass:
// it lists all that notify. The kernel uses the low word of the argument, and only SCMP_CMP_MASKED_EQ compares that
// word alone. So each command below 32 that does not pass has a rule, and so has each higher bit.
import { importSources } from "./sources.mjs";
import { writeGenerated } from "./write-generated.mjs";

const { MAP_ACCESS, METADATA, NR, WATCHED } = await importSources(`
  export { MAP_ACCESS, WATCHED } from "./src/gate/call/filter.js";
  export { METADATA } from "./src/gate/agent/container/container-state.js";
  export { NR } from "./src/sys/numbers.js";
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
  // One line for each rule, for readers.
  const rules = syscalls.map((rule) => `    ${JSON.stringify(rule)}`).join(",\n");
  const lines = Object.entries(head).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`);
  return [`deploy/${name}`, `{\n${lines.join("")}  "syscalls": [\n${rules}\n  ]\n}\n`];
});
process.exitCode = writeGenerated(Object.fromEntries(files));
