import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { sha256 } from "../../bpf/insn/digest.js";
import { factsOfObject } from "../../bpf/object.js";
import { statementOf } from "../../bpf/statement.js";
import { DEFAULT_CONFIG } from "../../config/default-config.js";
import { CountersignError } from "../../error.js";
import { readText } from "../../input.js";
import { Authority } from "../../trust/issuing/authority.js";
import { signPkcs7 } from "../../trust/issuing/sign-cms.js";
import { signatureName, statementName } from "../../trust/store.js";
import { editorAdvice, editorFiles, SCHEMA_LINE, withHookType } from "../files/editor-files.js";
import { CONFIG, POLICY_TEST, README } from "../files/init-files.js";
import { packageFile } from "../files/package-file.js";
import { writeWhole } from "../files/write.js";
import { print, printJson } from "../output/output.js";

/** `countersign init DIR`: creates a directory with everything that is needed to try the commands. */
export function command(): Command {
  return new Command("init")
    .description("Makes a working directory: a test CA, keys, a configuration, a policy with its test, and two objects")
    .argument("[dir]", "a directory that is empty or does not exist", ".")
    .option("--editor", "files for an editor too, also beside an existing configuration (see below)")
    .option("--json", "the files that were made, as JSON")
    .addHelpText(
      "after",
      `
The CA is only for trials: its key is stored beside its certificate. Existing files are not overwritten.

With --editor, an editor completes policies and countersign.yaml, and finds mistakes in them: jsconfig.json switches on
checks of JavaScript, and .countersign/ has the types of policies and the schema of configurations. In a directory with
a countersign.yaml only these files are made. Repeat it after an update: .countersign/ is then written again.

Examples:
  countersign init demo && cd demo && countersign check program.o unsigned.o
  countersign init --editor /etc/countersign`,
    )
    .action(init);
}

interface Options {
  readonly editor?: true;
  readonly json?: true;
}

function init(directory: string, { editor, json }: Options): void {
  const read = (name: string) => textOf(join(directory, name));
  if (editor === true && read(DEFAULT_CONFIG) !== null) {
    const files = write(directory, editorFiles(read));
    const advice = editorAdvice(read);
    if (json === true) printJson({ directory, files, advice });
    else print(`${listed(directory, files)}\n\nNext:\n${advice.map((line) => `  ${line}`).join("\n")}`);
    return;
  }
  refuseUsed(directory, editor === true);
  const files = write(directory, { ...filesOf(editor === true), ...(editor === true ? editorFiles(read) : {}) });
  if (json === true) printJson({ directory, files });
  else print(`${listed(directory, files)}\n\n${next(directory)}`);
}

/** Maximum size in bytes of a configuration, or of an editor's settings. */
const MAX_BYTES = 2 ** 20;

function textOf(path: string): string | null {
  return existsSync(path) ? readText(path, MAX_BYTES) : null;
}

interface NewFile {
  readonly contents: string | Uint8Array;
  readonly mode?: number;
}

/** Writes files and returns their names. */
function write(directory: string, files: Readonly<Record<string, NewFile>>): string[] {
  for (const [name, { contents, mode }] of Object.entries(files)) {
    writeWhole(join(directory, name), Buffer.from(contents), mode);
  }
  return Object.keys(files);
}

function listed(directory: string, files: readonly string[]): string {
  return files.map((name) => join(directory, name)).join("\n");
}

function filesOf(forEditor: boolean): Record<string, NewFile> {
  const ca = Authority.create({ subject: "Countersign test CA", key: "p-256" });
  const signer = ca.issue({ subject: "Countersign test signer", key: "p-256" });
  const program = packageFile("examples/peek-tc.o");
  const { bytes, statement } = statementOf(program);
  const signed = [...factsOfObject(program).programs.map(({ insns }) => insns), bytes];
  const signatures = signed.map((data) => [
    `signatures/${signatureName(sha256(data))}`,
    { contents: signPkcs7(data, signer) },
  ]);
  const policy = packageFile("policies/allow-unsigned-tc.js");
  const secret = 0o600;
  return {
    "README.md": { contents: README },
    [DEFAULT_CONFIG]: { contents: forEditor ? `${SCHEMA_LINE}\n${CONFIG}` : CONFIG },
    "policies/allow-unsigned-tc.js": { contents: forEditor ? withHookType(policy) : policy },
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

function refuseUsed(directory: string, forEditor: boolean): void {
  if (!existsSync(directory)) return;
  let used: readonly string[];
  try {
    used = readdirSync(directory);
  } catch (cause) {
    throw new CountersignError("USAGE", "is not a directory", {
      place: directory,
      remedy: "name one that is empty or does not exist",
      cause,
    });
  }
  const [first] = used.filter((name) => !name.startsWith("."));
  if (first !== undefined)
    throw new CountersignError("USAGE", `is not empty: it has \`${first}\``, {
      place: directory,
      remedy: `name a directory that is empty or does not exist${forEditor ? `, or one with a ${DEFAULT_CONFIG}` : ""}`,
    });
}

function next(directory: string): string {
  const enter = directory === "." ? "" : `cd ${directory} && `;
  return `Next: ${enter}countersign check program.o unsigned.o`;
}
