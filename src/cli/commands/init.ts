import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Command } from "commander";
import { sha256 } from "../../bpf/insn/digest.js";
import { factsOfObject } from "../../bpf/object.js";
import { statementOf } from "../../bpf/statement.js";
import { CountersignError } from "../../error.js";
import { Authority } from "../../trust/issuing/authority.js";
import { signPkcs7 } from "../../trust/issuing/sign-cms.js";
import { signatureName, statementName } from "../../trust/store.js";
import { CONFIG, POLICY_TEST, README } from "../files/init-files.js";
import { packageFile } from "../files/package-file.js";
import { print, printJson } from "../output/output.js";

/** `countersign init DIR`: creates a directory with everything that is needed to try the commands. */
export function command(): Command {
  return new Command("init")
    .description("Makes a working directory: a test CA, keys, a configuration, a policy with its test, and two objects")
    .argument("[dir]", "a directory that is empty or not there", ".")
    .option("--json", "the files that were made, as JSON")
    .addHelpText(
      "after",
      `
The CA is for trying things out: its key lies beside its certificate. Nothing that is there is overwritten.

Example:
  countersign init demo && cd demo && countersign check program.o unsigned.o`,
    )
    .action(init);
}

function init(directory: string, { json }: { json?: true }): void {
  refuseUsed(directory);
  const files = filesOf();
  for (const [name, { contents, mode }] of Object.entries(files)) {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, contents, { mode, flag: "wx" });
  }
  const names = Object.keys(files);
  if (json === true) printJson({ directory, files: names });
  else print(`${names.map((name) => join(directory, name)).join("\n")}\n\n${next(directory)}`);
}

interface NewFile {
  readonly contents: string | Uint8Array;
  readonly mode?: number;
}

function filesOf(): Record<string, NewFile> {
  const ca = Authority.create({ subject: "Countersign test CA", key: "p-256" });
  const signer = ca.issue({ subject: "Countersign test signer", key: "p-256" });
  const program = packageFile("examples/peek-tc.o");
  const { bytes, statement } = statementOf(program);
  const signed = [...factsOfObject(program).programs.map(({ insns }) => insns), bytes];
  const signatures = signed.map((data) => [
    `signatures/${signatureName(sha256(data))}`,
    { contents: signPkcs7(data, signer) },
  ]);
  const secret = 0o600;
  return {
    "README.md": { contents: README },
    "countersign.yaml": { contents: CONFIG },
    "policies/allow-unsigned-tc.js": { contents: packageFile("policies/allow-unsigned-tc.js") },
    "policies/allow-unsigned-tc.test.yaml": { contents: POLICY_TEST },
    "certs/ca.pem": { contents: ca.pem.certificate },
    "certs/signer.pem": { contents: signer.pem.certificate },
    "keys/ca.key": { contents: ca.pem.key, mode: secret },
    "keys/signer.key": { contents: signer.pem.key, mode: secret },
    "program.o": { contents: program },
    "unsigned.o": { contents: packageFile("examples/switch-watch.o") },
    [`signatures/${statementName(statement.sha256)}`]: { contents: bytes },
    ...(Object.fromEntries(signatures) as Record<string, NewFile>),
  };
}

function refuseUsed(directory: string): void {
  if (!existsSync(directory)) return;
  let used: readonly string[];
  try {
    used = readdirSync(directory);
  } catch (cause) {
    throw new CountersignError("USAGE", "is not a directory", {
      place: directory,
      remedy: "name one that is empty or not there",
      cause,
    });
  }
  const [first] = used.filter((name) => !name.startsWith("."));
  if (first !== undefined)
    throw new CountersignError("USAGE", `is not empty: it has \`${first}\``, {
      place: directory,
      remedy: "name a directory that is empty or not there",
    });
}

function next(directory: string): string {
  const enter = directory === "." ? "" : `cd ${directory} && `;
  return `Next: ${enter}countersign check program.o unsigned.o`;
}
