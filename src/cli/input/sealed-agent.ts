import { dirname, resolve } from "node:path";
import { readConfig } from "../../config/config.js";
import { filesOf } from "../../config/keyring-files.js";
import { CountersignError } from "../../error.js";
import type { FragmentAgent } from "../../seal/initramfs/fragment.js";
import { openEngine } from "./open-engine.js";

/** What the user says of an agent. */
export interface SealedAgentOptions {
  readonly config: string;
  readonly socket: string;
  readonly labels?: string | undefined;
  readonly sharedPids?: true | undefined;
}

/**
 * The agent of an initramfs with the files of its configuration, which is opened once so that it cannot fail at boot.
 * Throws the errors of opening a configuration, USAGE for a log that the machine could not have, and FILE_UNREADABLE.
 */
export async function sealedAgent({ config: file, socket, labels, sharedPids }: SealedAgentOptions) {
  if (!socket.startsWith("/run/")) throw misplaced(socket, "the socket", "name a path below /run with --socket");
  if (labels !== undefined && !/^(?:annotations|crio)(?::|$)/.test(labels))
    throw new CountersignError(
      "USAGE",
      `labels cannot come from \`${labels}\` before the machine has its file systems`,
      {
        remedy: "use --labels annotations or --labels crio",
      },
    );
  const path = resolve(file);
  const config = readConfig(path, "agent");
  if (config.log !== null && dirname(config.log.file) !== dirname(socket))
    throw misplaced(
      config.log.file,
      "the decision log",
      `write \`log.file\` in the folder of the socket: ${dirname(socket)}`,
    );
  const engine = await openEngine(path, "agent", null);
  const texts = [...engine.texts.keys()];
  engine.close();
  const { fragmentAgent } = await import("../../seal/agent.js");
  return fragmentAgent({
    config: path,
    socket,
    labels: labels ?? null,
    sharedPids: sharedPids === true,
    files: [path, ...texts, ...config.keyrings.flatMap(filesOf)],
    folders: config.signatures,
  }) satisfies FragmentAgent;
}

function misplaced(path: string, what: string, remedy: string): CountersignError {
  return new CountersignError(
    "USAGE",
    `${what} \`${path}\` is not where an agent that starts in the initramfs can have it`,
    {
      remedy,
    },
  );
}
