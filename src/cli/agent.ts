import { Command, InvalidArgumentError, Option } from "commander";
import { DEFAULT_CONFIG, readConfig } from "../config/config.js";
import { CountersignError } from "../error.js";
import type { ResolverName } from "../gate/labels.js";
import { complain, print } from "./output.js";

/** `countersign agent`: a live gate for containers. */
export function command(): Command {
  return new Command("agent")
    .description("Takes containers from OCI runtimes and decides by policies what they load into the kernel")
    .requiredOption("--socket <path>", "where runtimes connect: `listenerPath` of their seccomp profile")
    .option("--config <file>", "the configuration", DEFAULT_CONFIG)
    .addOption(
      new Option("--labels <source>", "where labels come from: annotations[:PREFIX], crio, file:PATH")
        .default({ name: "annotations", argument: "" }, "annotations:label.countersign/")
        .argParser(source),
    )
    .option("--shared-pids", "take containers that share the gate's pid namespace; from there it can be reached")
    .option("--metrics <address>", "serve Prometheus metrics there, such as 127.0.0.1:9464")
    .addHelpText(
      "after",
      `
SIGHUP reads the configuration again, as a whole or not at all. The seccomp profile and units are in deploy/.

Examples:
  countersign agent --socket /run/countersign.sock --config /etc/countersign/countersign.yaml
  countersign agent --socket /run/countersign.sock --labels crio --metrics 127.0.0.1:9464`,
    )
    .action(run);
}

interface Source {
  readonly name: ResolverName;
  readonly argument: string;
}

interface Options {
  readonly socket: string;
  readonly config: string;
  readonly labels: Source;
  readonly sharedPids?: true;
  readonly metrics?: string;
}

const SOURCES: readonly ResolverName[] = ["annotations", "crio", "file"];

function source(text: string): Source {
  const colon = text.indexOf(":");
  const name = (colon < 0 ? text : text.slice(0, colon)) as ResolverName;
  const argument = colon < 0 ? "" : text.slice(colon + 1);
  if (!SOURCES.includes(name)) throw new InvalidArgumentError(`It is one of ${SOURCES.join(", ")}.`);
  if (name === "file" && argument === "") throw new InvalidArgumentError("Name the file: file:PATH.");
  return { name, argument };
}

async function run({ socket, config, labels, sharedPids, metrics }: Options): Promise<void> {
  const { Agent } = await import("../gate/agent.js");
  const { LABEL_PREFIX, RESOLVERS } = await import("../gate/labels.js");
  const resolve = RESOLVERS[labels.name].make(labels.argument || LABEL_PREFIX);
  const agent = await Agent.start({
    config: readConfig(config),
    socket,
    resolve,
    sharedPids: sharedPids === true,
    say: complain,
  });
  const served = metrics === undefined ? null : await (await import("../gate/metrics.js")).serveMetrics(agent, metrics);
  print(`countersign: listening at ${socket}${served === null ? "" : `, metrics at ${served.url}`}`);
  process.on("SIGHUP", () => void reload(agent.reload.bind(agent), config));
  await new Promise<void>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve());
  });
  await served?.close();
  await agent.stop();
}

async function reload(take: (config: ReturnType<typeof readConfig>) => Promise<void>, file: string): Promise<void> {
  try {
    await take(readConfig(file));
    print("countersign: the configuration was read again");
  } catch (error) {
    complain(error instanceof CountersignError ? error : new CountersignError("INTERNAL", String(error)));
    process.stderr.write("countersign: the configuration in use stays\n");
  }
}
