import { Command, Option } from "commander";
import { DEFAULT_CONFIG } from "../../../config/default-config.js";
import { SEAL_INIT, sealFragment } from "../../../seal/sealing.js";
import { writeWhole } from "../../files/write.js";
import { AGENT_SOCKET } from "../../input/agent-of-seal.js";
import { sealedAgent } from "../../input/sealed-agent.js";
import { print } from "../../output/output.js";
import { OPEN_HELP, OPEN_OPTION, OPEN_TEXT, openUntil } from "./open-option.js";
import { FILES, readFileList, titleOfFiles } from "./seal-files.js";
import {
  DENY_ALL,
  LIST,
  readSignedList,
  readSigners,
  requireList,
  SIGNERS,
  TRUSTED_KEY,
  titleOfList,
} from "./seal-list.js";

/** `countersign seal initramfs`: an initramfs fragment that seals before /init. */
export function initramfsCommand(): Command {
  return new Command("initramfs")
    .description("Writes an additional initramfs image (fragment) that seals the machine before anything else runs")
    .requiredOption("--out <file>", "where to write the fragment")
    .option("--list <file>", LIST)
    .option("--deny-all", DENY_ALL)
    .option("--files <file>", FILES)
    .option("--trusted-key <file>", TRUSTED_KEY)
    .option("--signers <file>", SIGNERS)
    .option("--audit", "count what would be denied, and allow it")
    .option(OPEN_OPTION, OPEN_HELP)
    .option("--with-agent", "start an agent before sealing, which asks the policies of a configuration live")
    .addOption(new Option("--config <file>", "the configuration of the agent").default(DEFAULT_CONFIG))
    .addOption(new Option("--socket <path>", "where container runtimes connect to the agent").default(AGENT_SOCKET))
    .option("--labels <source>", "where the agent's labels come from: annotations[:PREFIX], crio")
    .option("--shared-pids", "the agent takes containers that share its pid namespace")
    .addOption(
      new Option("--on-failure <what>", "what to do if the machine cannot be sealed")
        .choices(["halt", "continue"])
        .default("halt"),
    )
    .addHelpText(
      "after",
      `
The fragment has a static program, the guard and the list. Append it to the initramfs of the system, and add
\`rdinit=${SEAL_INIT}\` to the kernel's command line. The kernel then starts this program first: it seals, and
becomes /init. If it cannot seal, it halts the machine with the reason on the console; with --on-failure continue, the
machine boots without a seal. The kernel's command line cannot change that. A list is for one kernel: write a fragment
for each. Microcode has to stay at the beginning of the initramfs, where the kernel looks for it.

${OPEN_TEXT}

With --trusted-key, the list has to be signed with that key: its signature is in LIST.p7s, as \`seal build\` writes it.

With --signers, a program may also be loaded if its instructions have a signature that the kernel verifies by one of
these certificates, whatever else it is: only for configurations whose policies ask for nothing more.

Whoever can change the fragment or the command line decides about the next boot. With Secure Boot, put both into a
signed UKI.

initramfs-tools, in a script of /etc/initramfs/post-update.d, which gets the initramfs as its second argument:
  countersign seal initramfs --list "/etc/countersign/lists/$1.list" --out /run/seal.img
  cat /run/seal.img >> "$2"

dracut, as a file of its own that the boot loader gets instead:
  cat "/boot/initramfs-$(uname -r).img" seal.img > /boot/sealed.img

ukify (systemd), which takes several:
  ukify build --linux /boot/vmlinuz --initrd /boot/initrd.img --initrd seal.img \\
    --cmdline "root=/dev/sda2 rdinit=${SEAL_INIT}" --secureboot-private-key db.key --secureboot-certificate db.pem

With --with-agent the fragment also has node, this installation, and all files that the configuration names. The agent
starts before the machine is sealed, from a file system that nobody else can reach, and decides for containers whose
seccomp profile names its socket. The guard lets it load what the list does not have. If it ends, nobody can start
another before the next boot. To change its configuration, write another fragment.

Examples:
  countersign seal initramfs --list "lists/$(uname -r).list" --out seal.img
  countersign seal initramfs --list "lists/$(uname -r).list" --on-failure continue --out seal.img
  countersign seal initramfs --list "lists/$(uname -r).list" --with-agent --config countersign.yaml --out seal.img`,
    )
    .action(initramfs);
}

interface Options {
  readonly out: string;
  readonly list?: string;
  readonly denyAll?: true;
  readonly files?: string;
  readonly trustedKey?: string;
  readonly signers?: string;
  readonly audit?: true;
  readonly openUntilLock?: string | true;
  readonly onFailure: "halt" | "continue";
  readonly withAgent?: true;
  readonly config: string;
  readonly socket: string;
  readonly labels?: string;
  readonly sharedPids?: true;
}

async function initramfs(given: Options): Promise<void> {
  const { out, list: file, files: named, trustedKey: certificate, signers, openUntilLock, onFailure } = given;
  const mode = given.audit === true ? "audit" : "enforce";
  requireList(given);
  const open = openUntil(openUntilLock, mode === "audit");
  const { list, trustedKey } = readSignedList(file, certificate);
  const files = readFileList(named, file, list);
  const keys = readSigners(signers);
  const agent = given.withAgent === true ? await sealedAgent(given) : null;
  const bytes = sealFragment({ mode, list, files, trustedKey, keys, open }, onFailure, agent);
  writeWhole(out, bytes, 0o600);
  const parts = [
    `${bytes.length} bytes`,
    `${titleOfList(list)}${titleOfFiles(files)}`,
    ...(agent === null ? [] : ["with an agent"]),
  ];
  print(`${out}: ${parts.join(", ")}; boot it with rdinit=${SEAL_INIT}`);
}
