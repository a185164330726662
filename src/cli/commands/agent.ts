import { Command, InvalidArgumentError, Option } from "commander";
import { type Config, readConfig } from "../../config/config.js";
import { DEFAULT_CONFIG } from "../../config/default-config.js";
import { CountersignError } from "../../error.js";
import type { Agent } from "../../gate/agent/agent.js";
import type { SourceName } from "../../gate/agent/labels.js";
import { StopSignal } from "../input/stop-signal.js";
import { EXIT } from "../output/exit.js";
import { print, printError, warn } from "../output/output.js";

/** `countersign agent`: a live gate for containers. */
export function command(): Command {
  return new Command("agent")
    .description("Takes containers from OCI runtimes and decides by policies what they load into the kernel")
    .requiredOption("--socket <path>", "where runtimes connect: `listenerPath` of their seccomp profile")
    .option("--config <file>", "the configuration", DEFAULT_CONFIG)
    .addOption(
      new Option(
        "--labels <source>",
        "where labels come from: annotations[:PREFIX], crio, kubernetes[:NODE], file:PATH",
      )
        .default({ name: "annotations", argument: "" }, "annotations:label.countersign/")
        .argParser(source),
    )
    .option("--shared-pids", "take containers that share the gate's pid namespace; from there it can be reached")
    .option("--sealed", "the agent of a sealed machine, which `seal initramfs --with-agent` starts")
    .option("--metrics <address>", "serve Prometheus metrics there, such as 127.0.0.1:9464")
    .addHelpText(
      "after",
      `
SIGHUP reads the configuration again, as a whole or not at all, and looks labels up again. The seccomp profile and the
units are in deploy/. Under systemd, its fd store keeps containers while the agent restarts.

Examples:
  countersign agent --socket /run/countersign.sock --config /etc/countersign/countersign.yaml
  countersign agent --socket /run/countersign.sock --labels crio --metrics 127.0.0.1:9464
  countersign agent --socket /run/countersign.sock --labels kubernetes:node-7   # or the node that NODE_NAME names`,
    )
    .action(run);
}

interface Source {
  readonly name: SourceName;
  readonly argument: string;
}

interface Options {
  readonly socket: string;
  readonly config: string;
  readonly labels: Source;
  readonly sharedPids?: true;
  readonly sealed?: true;
  readonly metrics?: string;
}

/** Whether an argument can follow a source's name, after a colon. */
const ARGUMENTS: Readonly<Record<SourceName, "optional" | "none" | "required">> = {
  annotations: "optional",
  crio: "none",
  kubernetes: "optional",
  file: "required",
};

function source(text: string): Source {
  const colon = text.indexOf(":");
  const name = (colon < 0 ? text : text.slice(0, colon)) as SourceName;
  const argument = colon < 0 ? "" : text.slice(colon + 1);
  if (!Object.hasOwn(ARGUMENTS, name))
    throw new InvalidArgumentError(`Name one of ${Object.keys(ARGUMENTS).join(", ")}.`);
  if (ARGUMENTS[name] === "required" && argument === "") throw new InvalidArgumentError("Name the file: file:PATH.");
  if (ARGUMENTS[name] === "none" && colon >= 0)
    throw new InvalidArgumentError(`Write ${name} alone: it takes no argument.`);
  return { name, argument };
}

async function run({ socket, config, labels, sharedPids, sealed, metrics }: Options): Promise<void> {
  const { Agent } = await import("../../gate/agent/agent.js");
  const { SOURCES } = await import("../../gate/agent/labels.js");
  const { ServiceManager } = await import("../../gate/agent/fd-store/service-manager.js");
  const manager = new ServiceManager(process.env);
  const { sealedConfig } = await import("../../gate/agent/system-root.js");
  const read = () => (sealed === true ? sealedConfig(readConfig(config, "agent")) : readConfig(config, "agent"));
  const first = read();
  const agent = await Agent.start({
    config: first,
    socket,
    labels: await SOURCES[labels.name](labels.argument),
    manager,
    sharedPids: sharedPids === true,
    sealed: sealed === true,
    say: printError,
    warn,
  });
  const served = metrics === undefined ? null : await measured(agent, metrics);
  // whoever reads that the agent listens may signal it at once
  const signalled = new StopSignal().came.then(() => null);
  process.on("SIGHUP", async () => {
    manager.reloading();
    await reload(agent.reload.bind(agent), read);
    manager.ready();
  });
  print(
    `countersign: listening at ${socket}${served === null ? "" : `, metrics at ${served.url}`}${unenforced(first)}`,
  );
  manager.ready();
  const lost = await Promise.race([signalled, agent.lost]);
  manager.stopping();
  const { endAs } = await import("../../sys/process.js");
  // If a thread still waits for a file system that does not answer, or stopping fails, the process must end all the
  // same.
  setTimeout(() => endAs({ code: EXIT.undecided, signal: null }), TO_STOP);
  const errors: readonly unknown[] = [lost, ...(await failures([served?.close(), agent.stop()]))];
  const told = errors.filter((error) => error !== null).map(asError);
  for (const error of told) printError(error);
  endAs({ code: told.length === 0 ? EXIT.ok : EXIT.undecided, signal: null });
}

/** Maximum time in milliseconds that the agent may take to stop. */
const TO_STOP = 5000;

async function failures(ending: readonly (Promise<void> | undefined)[]): Promise<readonly unknown[]> {
  const ended = await Promise.allSettled(ending);
  return ended.flatMap((each) => (each.status === "rejected" ? [each.reason as unknown] : []));
}

/** Serves the agent's metrics. If that fails, stops the agent, whose threads would keep the process from ending. */
async function measured(agent: Agent, address: string): Promise<{ readonly url: string; close(): Promise<void> }> {
  const { serveMetrics } = await import("../../gate/agent/metrics.js");
  try {
    return await serveMetrics(agent, address);
  } catch (error) {
    await agent.stop();
    throw error;
  }
}

function asError(error: unknown): CountersignError {
  return error instanceof CountersignError ? error : new CountersignError("INTERNAL", String(error));
}

/** Text for the line at start and at each reload: the hooks that the configuration lists as not enforced. */
function unenforced({ gate }: Config): string {
  return gate.notEnforced.length === 0 ? "" : `, not enforced: ${gate.notEnforced.join(", ")}`;
}

async function reload(take: (config: Config) => Promise<void>, read: () => Config): Promise<void> {
  try {
    const config = read();
    await take(config);
    print(`countersign: the configuration was read again${unenforced(config)}`);
  } catch (error) {
    printError(asError(error));
    process.stderr.write("countersign: the configuration in use stays\n");
  }
}
