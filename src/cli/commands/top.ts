import { Command } from "commander";
import { DEFAULT_CONFIG } from "../../config/default-config.js";
import { oneLine } from "../../error.js";
import { Follow } from "../../log/follow.js";
import { StopSignal } from "../input/stop-signal.js";
import { configuredLog } from "../log/configured-log.js";
import { type Reason, RecentDecisions, type Row, WINDOW } from "../log/recent-decisions.js";
import { print, printJson, styled } from "../output/output.js";
import { table } from "../output/table.js";

/** `countersign top`: shows live decisions in a terminal. */
export function command(): Command {
  return new Command("top")
    .description("Shows what a running gate decides: rates, latencies and denials, by container")
    .option("--config <file>", "the configuration whose decision log is followed", DEFAULT_CONFIG)
    .option("--log <file>", "follow this decision log")
    .option("--once", "look for ten seconds, print once, and end")
    .option("--json", "with --once: one JSON object")
    .addHelpText(
      "after",
      `
Figures are of the last ten seconds. It follows the decision log, through rotation, and so needs no connection to the
gate. Ctrl-C or q ends it.

Examples:
  countersign top --config /etc/countersign/countersign.yaml
  countersign top --log decisions.jsonl --once --json`,
    )
    .action(run);
}

interface Options {
  readonly config: string;
  readonly log?: string;
  readonly once?: true;
  readonly json?: true;
}

const REFRESH = 1000;

async function run({ config, log, once, json }: Options): Promise<void> {
  const recent = new RecentDecisions();
  const follow = new Follow(log ?? configuredLog(config), false, (line) => recent.skip(line));
  follow.read();
  const look = () => {
    const lines = follow.read().map(({ text }) => text);
    recent.add(lines, Date.now());
  };
  if (once === true || process.stdout.isTTY !== true) {
    const looking = setInterval(look, REFRESH / 4);
    await new Promise((resolve) => setTimeout(resolve, WINDOW));
    clearInterval(looking);
    look();
    if (json === true) printJson({ rows: recent.rows(Date.now()), reasons: recent.reasons });
    else print(screen(recent).join("\n"));
  } else await watch(recent, look);
  follow.close();
}

/** Redraws until the user quits. The previous screen is restored, also after an error. */
async function watch(recent: RecentDecisions, look: () => void): Promise<void> {
  const draw = () => {
    look();
    const room = process.stdout.rows - 1;
    process.stdout.write(`\x1b[H${screen(recent).slice(0, room).join("\x1b[K\n")}\x1b[J`);
  };
  process.stdout.write("\x1b[?1049h\x1b[?25l");
  const drawing = setInterval(draw, REFRESH);
  process.stdout.on("resize", draw);
  draw();
  try {
    await new Promise<void>((resolve) => {
      void new StopSignal().came.then(resolve);
      if (process.stdin.isTTY !== true) return;
      process.stdin.setRawMode(true).resume();
      process.stdin.on("data", (keys: Buffer) => {
        if (keys.includes("q") || keys.includes(CONTROL_C)) resolve();
      });
    });
  } finally {
    clearInterval(drawing);
    process.stdout.off("resize", draw);
    if (process.stdin.isTTY === true) process.stdin.setRawMode(false).pause();
    process.stdout.write("\x1b[?25h\x1b[?1049l");
  }
}

const CONTROL_C = 3;

/** The lines of the screen. Names come from containers and policies, so control characters are removed from them. */
function screen(recent: RecentDecisions): string[] {
  const head = ["where", "per second", "allowed", "denied", "probes", "p50", "p99"];
  const reasons = recent.reasons.toReversed().map(({ time, where, hook, subject, reason, outcome }) => {
    const word = styled(outcome === "denied" ? "red" : "yellow", WORDS[outcome]);
    return `${time.slice(11, 19)} ${word} ${oneLine(`${where} ${hook} \`${subject}\`: ${reason}`)}`;
  });
  return [...table(head, recent.rows(Date.now()).map(cells)).split("\n"), "", ...reasons];
}

/** The words before a denial, by its outcome. */
const WORDS: Readonly<Record<Reason["outcome"], string>> = {
  denied: "denied",
  "dry run": "would deny",
  audit: "audit denial",
};

function cells({ where, rate, allowed, denied, probes, p50, p99 }: Row): string[] {
  const numbers = [allowed, denied, probes].map(String);
  return [oneLine(where), rate.toFixed(1), ...numbers, `${p50.toFixed(0)} µs`, `${p99.toFixed(0)} µs`];
}
