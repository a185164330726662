import { Command } from "commander";
import type { KeyringConfig } from "../../../config/keyring.js";
import { verdictName } from "../../../errno.js";
import type { KeyringEntry } from "../../../trust/keyring-report.js";
import { reportedKeyrings } from "../../input/keyring-config.js";
import { print, printJson, styled } from "../../output/output.js";
import { table } from "../../output/table.js";

/** `countersign keyring list`: shows the entries of the configuration's keyrings. */
export function listCommand(): Command {
  return new Command("list")
    .description("Shows the keys and certificates of keyrings, until when they are accepted, and what is revoked")
    .argument("[name...]", "keyrings of the configuration; all by default")
    .option("--config <file>", "the configuration", "countersign.yaml")
    .option("--json", "one JSON object for each entry")
    .addHelpText("after", "\nExample:\n  countersign keyring list platform")
    .action(async (names: readonly string[], { config: file, json }: { config: string; json?: true }) => {
      const now = Date.now();
      const { keyrings } = await reportedKeyrings(file, names);
      for (const { config, report } of keyrings) {
        const entries = report.entries(now);
        if (json === true) for (const entry of entries) printJson(entryJson(config, entry));
        else print(shown(config, entries, report.rules.revoked.digests.length));
      }
    });
}

/** One entry of a keyring as JSON. */
export function entryJson(
  { name: keyring, profile }: KeyringConfig,
  { until, refusal, afterwards, ...entry }: KeyringEntry,
): object {
  return {
    keyring,
    profile,
    ...entry,
    good: refusal === null,
    errno: refusal === null ? null : verdictName(refusal.verdict).slice(1),
    reason: refusal?.reason ?? null,
    until: until === null ? null : new Date(until).toISOString(),
    afterwards:
      afterwards === null ? null : { errno: verdictName(afterwards.verdict).slice(1), reason: afterwards.reason },
  };
}

function shown({ name, profile, sealed }: KeyringConfig, entries: readonly KeyringEntry[], blocked: number): string {
  const rows = entries.map(({ kind, name, detail, until, refusal }) => [
    kind,
    name,
    detail,
    until === null ? "" : day(until),
    refusal === null ? styled("green", "good") : `${styled("red", verdictName(refusal.verdict))} ${refusal.reason}`,
  ]);
  const notes = [`profile ${profile}`];
  if (sealed === true) notes.push("sealed");
  if (blocked > 0) notes.push(`${blocked} digests blocked`);
  const head = `${styled("bold", `keyring ${name}`)} (${notes.join(", ")})`;
  return `${head}\n${table(["what", "name", "kind", "until", "state"], rows)}`;
}

/** The date of a time in milliseconds, in UTC. */
export function day(moment: number): string {
  return new Date(moment).toISOString().slice(0, 10);
}
