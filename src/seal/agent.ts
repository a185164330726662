/**
 * The agent of a sealed machine, which the initramfs starts: the files and the command of `seal initramfs
 * --with-agent`.
 */
import { agentPaths, agentScript, fileEntries } from "./agent/agent-files.js";
import { AGENT_FOLDER, type FragmentAgent } from "./initramfs/fragment.js";

/** How the agent is started, and what its configuration names. */
export interface AgentOptions {
  /** Path of the configuration; absolute. */
  readonly config: string;
  /** Where container runtimes connect, in the root directory of the machine. */
  readonly socket: string;
  /** The source of labels, as for `countersign agent`. */
  readonly labels: string | null;
  readonly sharedPids: boolean;
  /** Absolute paths of files that the configuration names, itself included. */
  readonly files: readonly string[];
  /** Folders of signatures. */
  readonly folders: readonly string[];
}

/** The agent of a fragment. Throws FILE_UNREADABLE if a file is missing that it needs. */
export function fragmentAgent({ config, socket, labels, sharedPids, files, folders }: AgentOptions): FragmentAgent {
  const words = ["agent", "--sealed", "--socket", socket, "--config", config];
  return {
    command: [
      process.execPath,
      agentScript(),
      ...words,
      ...(labels === null ? [] : ["--labels", labels]),
      ...(sharedPids ? ["--shared-pids"] : []),
    ],
    files: fileEntries(agentPaths(files, folders), AGENT_FOLDER, folders),
  };
}
