// Generates the seccomp profiles of deploy/ for OCI runtimes from the tables of src/gate/call/filter.ts, which
// `countersign run` filters by itself.
//
// A runtime drops rules whose action is the default action, so a profile cannot list the commands of bpf(2) that pass:
// it lists all that notify. The kernel uses the low word of the argument, and only SCMP_CMP_MASKED_EQ compares that
// word alone. So each command below 32 that does not pass has a rule, and so has each higher bit.
import { importSources } from "./sources.mjs";
import { writeGenerated } from "./write-generated.mjs";

const { ERRNO, FILTER_FLAG_NEW_LISTENER, MAP_ACCESS, METADATA, NR, SET_MODE_FILTER, WATCHED } = await importSources(`
  export { ERRNO } from "./src/errno.js";
  export { MAP_ACCESS, WATCHED } from "./src/gate/call/filter.js";
  export { METADATA } from "./src/gate/agent/container/profile.js";
  export { NR } from "./src/sys/numbers.js";
  export { FILTER_FLAG_NEW_LISTENER, SET_MODE_FILTER } from "./src/sys/seccomp.js";
`);

const BITS = 5;
const WORD = 2 ** 32 - 1;
const nameOf = (number) => Object.entries(NR).find(([, its]) => its === number)[0];
const notify = (names, args) => ({ names, action: "SCMP_ACT_NOTIFY", ...(args === undefined ? {} : { args }) });
/** Compares an argument under a mask. */
const masked = (index, mask, value) => ({ index, value: mask, valueTwo: value, op: "SCMP_CMP_MASKED_EQ" });
/** Fails calls that would install a listener, by the comparison of the pointer to the filter with 0. */
const noListener = (op, errnoRet) => ({
  ...{ names: ["seccomp"], action: "SCMP_ACT_ERRNO", errnoRet },
  args: [
    masked(0, WORD, SET_MODE_FILTER),
    masked(1, FILTER_FLAG_NEW_LISTENER, FILTER_FLAG_NEW_LISTENER),
    { index: 2, value: 0, op },
  ],
});
const numbers = (length) => Array.from({ length }, (_, number) => number);

const names = WATCHED.map(nameOf);
const asking = numbers(2 ** BITS).filter((command) => !MAP_ACCESS.includes(command));
const bits = numbers(32 - BITS).map((bit) => 2 ** (BITS + bit));
// The two rules exclude each other, so that their order does not matter.
const noListeners = [noListener("SCMP_CMP_EQ", ERRNO.EFAULT), noListener("SCMP_CMP_NE", ERRNO.EBUSY)];
const PROFILES = {
  "seccomp.json": { metadata: METADATA.full, syscalls: [notify(names), ...noListeners] },
  "seccomp-fast.json": {
    metadata: METADATA.fast,
    syscalls: [
      notify(names.filter((name) => name !== "bpf")),
      ...noListeners,
      ...asking.map((command) => notify(["bpf"], [masked(0, WORD, command)])),
      ...bits.map((bit) => notify(["bpf"], [masked(0, bit, bit)])),
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
