import { Command } from "commander";
import { acrossBoots, secureBoot } from "../../../seal/doctor.js";
import {
  eventHook,
  eventsNotKept,
  GUARD_REASONS,
  type GuardEvent,
  type GuardStatus,
  guardReason,
  guardRules,
  isDeciding,
  isRunning,
  readEvents,
  readStatus,
  wallClock,
} from "../../../seal/status.js";
import { EXIT } from "../../output/exit.js";
import { print, printJson, styled } from "../../output/output.js";
import { table } from "../../output/table.js";

/** Number of events that are shown. */
const LAST = 10;

/** `countersign seal status`: what the guard of this machine enforces, and what it denied. */
export function statusCommand(): Command {
  return new Command("status")
    .description("Shows what the kernel enforces until the next boot, and what it denied")
    .option("--json", "one JSON object")
    .addHelpText(
      "after",
      `
Loads a program that must be denied, to prove that the guard still decides. Needs root.
Exits with 0 if the guard denies the program, or counts it under audit; with 1 if the program could be loaded, or was
not counted; and with 2 without a guard.

Examples:
  countersign seal status
  countersign seal status --json | jq .denied`,
    )
    .action(status);
}

function status({ json }: { readonly json?: true }): void {
  const found = readStatus();
  if (found === null) {
    if (json === true) printJson({ state: "none" });
    else print(`${styled("yellow", "not sealed")}: no guard runs on this machine`);
    process.exitCode = EXIT.undecided;
    return;
  }
  const deciding = isDeciding(found);
  const events = readEvents();
  if (json === true) printJson(statusJson(found, deciding, events));
  else print(statusText(found, deciding, events));
  process.exitCode = deciding ? EXIT.ok : EXIT.denied;
}

/** `broken`: the guard is there, and does not decide. */
function stateOf({ mode, sealed, locked, open }: GuardStatus, deciding: boolean): string {
  if (!deciding) return "broken";
  if (mode === "audit") return "audit";
  if (!sealed) return "not sealed yet";
  if (locked) return "sealed and locked";
  return open ? "open until lock" : "sealed";
}

function statusJson(status: GuardStatus, deciding: boolean, events: readonly GuardEvent[]): object {
  return {
    state: stateOf(status, deciding),
    version: status.version,
    mode: status.mode,
    started: status.late ? "late" : "early",
    since: status.sealed ? new Date(wallClock(status.sealedAt)).toISOString() : null,
    locked: status.locked,
    signatures_required: status.signaturesRequired,
    signers_keyring: status.programRing,
    configuration: status.configuration,
    list: { sha256: status.list, generation: String(status.generation), entries: status.entries },
    files: { ...status.files, modules_by_ticket: status.modulesByTicket },
    initramfs_exempt: status.initramfsExempt,
    classes: {
      sha256: status.classes.sha256,
      admitted: status.classes.admitted,
      mask: { types: status.classes.maskedTypes, helpers: status.classes.maskedHelpers },
    },
    trusted_key: status.trustedKey,
    secure_boot: secureBoot(),
    agent: status.agent === null ? null : { pid: status.agent.pid, running: isRunning(status.agent) },
    tickets: { written: Number(status.ticketsWritten), used: Number(status.ticketsUsed) },
    allowed: Number(status.allowed),
    denied: Object.fromEntries(counters(status)),
    events: Number(status.events),
    events_not_kept: Number(eventsNotKept(status.events)),
    last: events.slice(-LAST).map((event) => ({
      number: Number(event.number),
      time: new Date(wallClock(event.time)).toISOString(),
      reason: guardReason(event.reason).name,
      hook: eventHook(event.hook).name,
      ...{ pid: event.pid, uid: event.uid, comm: event.comm, digest: event.digest },
    })),
  };
}

function statusText(status: GuardStatus, deciding: boolean, events: readonly GuardEvent[]): string {
  const state = stateOf(status, deciding);
  const since = status.sealed ? new Date(wallClock(status.sealedAt)).toISOString() : "not yet";
  const counted = counters(status).map(([name, count]) => `${count} ${name}`);
  const rows: readonly (readonly [string, string])[] = [
    ["state", styled(deciding ? "green" : "red", deciding ? state : "broken: the guard did not deny its test program")],
    ["since", `${since}, ${status.late ? "late: programs that were loaded before stay" : "early: before /init"}`],
    ["list", `${status.entries} programs, generation ${status.generation}, SHA-256 ${status.list ?? "none"}`],
    ...guardRules(status).map(({ name, text }) => [name, text] as const),
    ["configuration", status.configuration ?? "none"],
    ["trusted key", status.trustedKey ?? "none"],
    ["signatures", signaturesText(status)],
    ["agent", agentText(status)],
    ["next boot", acrossBoots(secureBoot())],
    ["allowed", String(status.allowed)],
    ["denied", counted.length === 0 ? "nothing" : counted.join(", ")],
    ["log", logText(status)],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n");
  return events.length === 0 ? lines : `${lines}\n\n${lastEvents(events)}`;
}

/** What of the denials `seal log` can show. */
function logText({ events }: GuardStatus): string {
  const notKept = eventsNotKept(events);
  return notKept === 0n ? `${events} events` : `${events} events, of which ${notKept} were only counted`;
}

function signaturesText({ signaturesRequired, programRing }: GuardStatus): string {
  const required = signaturesRequired ? "required" : "not required";
  return programRing === null
    ? `${required}; no signers`
    : `${required}; by signers in keyring ${programRing} of the kernel`;
}

/** The process whose tickets let programs load, and how many it wrote. */
function agentText({ agent, ticketsWritten, ticketsUsed }: GuardStatus): string {
  if (agent === null) return "none: nothing is loaded by a ticket";
  const state = isRunning(agent) ? "running" : styled("yellow", "ended: no tickets until the next boot");
  return `process ${agent.pid}, ${state}; ${ticketsWritten} tickets written, ${ticketsUsed} used`;
}

function lastEvents(events: readonly GuardEvent[]): string {
  const rows = events.slice(-LAST).map((event) => {
    const { name, text } = guardReason(event.reason);
    const at = new Date(wallClock(event.time)).toISOString();
    return [at, `${event.pid} ${event.comm}`, String(event.uid), eventHook(event.hook).name, name, text];
  });
  return table(["last denials", "task", "uid", "hook", "reason", "why"], rows);
}

/** The reasons for which something was denied. */
function counters({ denied }: GuardStatus): readonly (readonly [string, number])[] {
  const known = [...GUARD_REASONS.keys()];
  const numbers = [...new Set([...known, ...denied.keys()])];
  return numbers
    .filter((number) => (denied[number] ?? 0n) > 0n)
    .map((number) => [guardReason(number).name, Number(denied[number])] as const);
}
