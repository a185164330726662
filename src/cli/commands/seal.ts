import { Command } from "commander";
import { buildCommand } from "./seal/seal-build.js";
import { doctorCommand } from "./seal/seal-doctor.js";
import { initramfsCommand } from "./seal/seal-initramfs.js";
import { lockCommand } from "./seal/seal-lock.js";
import { logCommand } from "./seal/seal-log.js";
import { planCommand } from "./seal/seal-plan.js";
import { replaceCommand } from "./seal/seal-replace.js";
import { requireSignaturesCommand } from "./seal/seal-require-signatures.js";
import { startCommand } from "./seal/seal-start.js";
import { statusCommand } from "./seal/seal-status.js";
import { stopCommand } from "./seal/seal-stop.js";
import { testCommand } from "./seal/seal-test.js";

/** One row for each command, in the order of the help. */
const COMMANDS: readonly (() => Command)[] = [
  doctorCommand,
  planCommand,
  buildCommand,
  startCommand,
  statusCommand,
  logCommand,
  replaceCommand,
  lockCommand,
  requireSignaturesCommand,
  stopCommand,
  initramfsCommand,
  testCommand,
];

/** `countersign seal`: enforcement in the kernel that root cannot undo. */
export function command(): Command {
  const group = new Command("seal").description("Has the kernel enforce a configuration until the next boot");
  for (const make of COMMANDS) group.addCommand(make());
  return group.addHelpText(
    "after",
    `
Examples:
  countersign seal plan
  countersign seal build --config countersign.yaml --out lists /usr/lib/bpf`,
  );
}
