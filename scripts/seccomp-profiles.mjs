// Makes the seccomp profiles of deploy/ from the tables of src/gate/filter.ts: what `countersign run` filters by itself, for OCI runtimes.
//
// A runtime drops rules whose action is the default one, so a profile cannot say which commands of bpf(2) pass: it lists all that
// notify. The kernel takes the low word of the argument, which only SCMP_CMP_MASKED_EQ compares alone: each command below 32 that
// does not pass has a rule, and each higher bit has one.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const bundle = await build({
  absWorkingDir: root,
  stdin: {
    contents: `export { MAP_ACCESS, WATCHED } from "./src/gate/filter.js";
      export { METADATA } from "./src/gate/agent/container-state.js";
      export { NR } from "./src/gate/sys/numbers.js";`,
    resolveDir: root,
    loader: "ts",
  },
  bundle: true,
  write: false,
  format: "esm",
  platform: "node",
});
const { MAP_ACCESS, METADATA, NR, WATCHED } = await import(
  `data:text/javascript;base64,${Buffer.from(bundle.outputFiles[0].contents).toString("base64")}`
);

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

for (const [name, { metadata, syscalls }] of Object.entries(PROFILES)) {
  const target = `${root}deploy/${name}`;
  const head = {
    defaultAction: "SCMP_ACT_ALLOW",
    architectures: ["SCMP_ARCH_X86_64"],
    listenerPath: "/run/countersign/agent.sock",
    listenerMetadata: metadata,
  };
  // one line for each rule, so that a person can read it
  const rules = syscalls.map((rule) => `    ${JSON.stringify(rule)}`).join(",\n");
  const lines = Object.entries(head).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`);
  const text = `{\n${lines.join("")}  "syscalls": [\n${rules}\n  ]\n}\n`;
  if (!process.argv.includes("--check")) writeFileSync(target, text);
  else if (readFileSync(target, "utf8") !== text) {
    console.error(`deploy/${name} is not what src/gate/filter.ts says; run \`node scripts/seccomp-profiles.mjs\``);
    process.exitCode = 1;
  }
}
