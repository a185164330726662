import { existsSync, mkdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Command, Option } from "commander";
import { factsOfFile } from "../bpf/embedded.js";
import { CountersignError } from "../error.js";
import { hash } from "../trust/digest.js";
import { readPrivateKey } from "../trust/private-key.js";
import { type SigningIdentity, type SigningOptions, signKernel, signModule, signPkcs7 } from "../trust/sign.js";
import { readMaterial } from "../trust/source.js";
import { signatureName } from "../trust/store.js";
import { readInput } from "./input.js";
import { print, printJson } from "./output.js";

/** `countersign sign`: makes signatures over files, or over each BPF program in them. */
export function command(): Command {
  return new Command("sign")
    .description("Makes signatures of files, or of each BPF program in them")
    .argument("<file...>", "what to sign")
    .requiredOption("--key <file>", "private key, PEM or DER; again for each further signer", collect)
    .requiredOption("--cert <file>", "certificate of the key, PEM or DER; in the order of the keys", collect)
    .option("--chain <file>", "certificates between the signer and the keyring's, to be carried along", collect)
    .addOption(
      new Option("--type <type>", "how the signature is encoded").choices(Object.keys(MAKERS)).default("pkcs7"),
    )
    .option("--programs", "sign each BPF program's instructions, into a folder by their digest")
    .option("--out <file>", "where to write: a file, or a folder for several files or --programs")
    .option("--digest <name>", "sha256, sha384 or sha512; the key's own by default")
    .option("--pss", "RSASSA-PSS with an RSA key")
    .option("--passphrase-file <file>", "what opens an encrypted key: the first line of this file")
    .option("--json", "one JSON object a signature")
    .addHelpText(
      "after",
      `
Writes FILE.p7s beside each file; with --type modsig FILE.signed, the file with its signature appended; with
--programs one signature a program into the folder \`signatures\`, as the configuration's \`signatures\` finds them.

Examples:
  countersign sign --key signer.key --cert signer.pem policy.bin
  countersign sign --key signer.key --cert signer.pem --programs --type kernel --out signatures/ *.o`,
    )
    .action(run);
}

interface Options {
  readonly key: readonly string[];
  readonly cert: readonly string[];
  readonly chain?: readonly string[];
  readonly type: keyof typeof MAKERS;
  readonly programs?: true;
  readonly out?: string;
  readonly digest?: string;
  readonly pss?: true;
  readonly passphraseFile?: string;
  readonly json?: true;
}

type Maker = (data: Uint8Array, identities: readonly SigningIdentity[], options: SigningOptions) => Buffer;

/** One signer alone has a place in what the kernel reads. */
const single =
  (make: (data: Uint8Array, identity: SigningIdentity, options: SigningOptions) => Buffer): Maker =>
  (data, identities, options) => {
    if (identities.length !== 1)
      throw usage("the kernel's signatures have one signer", "give one --key and one --cert");
    return make(data, identities[0] as SigningIdentity, options);
  };

const MAKERS = { pkcs7: signPkcs7 as Maker, kernel: single(signKernel), modsig: single(signModule) } as const;

/** One thing to sign and where its signature goes. */
interface Job {
  readonly file: string;
  readonly program: string | null;
  readonly data: Uint8Array;
  readonly out: string;
}

function run(files: readonly string[], options: Options): void {
  const identities = identitiesOf(options);
  const signing: SigningOptions = {
    ...(options.digest === undefined ? {} : { digest: options.digest }),
    ...(options.pss === undefined ? {} : { pss: true }),
  };
  const jobs = options.programs === true ? programJobs(files, options) : fileJobs(files, options);
  for (const { file, program, data, out } of jobs) {
    write(out, MAKERS[options.type](data, identities, signing));
    if (options.json === true) printJson({ file, program, sha256: hash("sha256", data), type: options.type, out });
    else print(`${program === null ? file : `${file}: ${program}`} -> ${out}`);
  }
}

function fileJobs(files: readonly string[], { out, type }: Options): readonly Job[] {
  const folder = out !== undefined && (out.endsWith("/") || isFolder(out));
  if (out !== undefined && !folder && files.length > 1)
    throw usage("--out names one file and there are several to sign", "name a folder with a slash at its end");
  const suffix = type === "modsig" ? ".signed" : ".p7s";
  return files.map((file) => {
    const place = out === undefined ? `${file}${suffix}` : folder ? join(out, `${basename(file)}${suffix}`) : out;
    return { file, program: null, data: readInput(file), out: place };
  });
}

function programJobs(files: readonly string[], { out = "signatures", type }: Options): readonly Job[] {
  if (type === "modsig") throw usage("--programs makes detached signatures", "use --type pkcs7 or kernel");
  if (existsSync(out) && !isFolder(out))
    throw usage(`\`${out}\` is not a folder`, "name a folder for the signatures with --out");
  return files.flatMap((file) =>
    programsOf(file).map(({ name, insns, digest }) => ({
      file,
      program: name,
      data: insns,
      out: join(out, signatureName(digest)),
    })),
  );
}

function programsOf(file: string): ReturnType<typeof factsOfFile>["programs"] {
  const bytes = readInput(file);
  try {
    return factsOfFile(bytes).programs;
  } catch (error) {
    throw error instanceof CountersignError ? error.within(file) : error;
  }
}

function identitiesOf({ key, cert, chain = [], passphraseFile }: Options): readonly SigningIdentity[] {
  if (key.length !== cert.length) throw usage("there is not one --cert for each --key", "give them in pairs");
  const passphrase = passphraseFile === undefined ? null : firstLine(readInput(passphraseFile));
  const carried = certificatesIn(chain);
  return key.map((path, index) => {
    const place = cert[index] as string;
    const [certificate, ...more] = certificatesIn([place]);
    if (certificate === undefined)
      throw new CountersignError("CERTIFICATE_MALFORMED", "holds no certificate", {
        place,
        remedy: "name the signer's certificate",
      });
    return {
      key: readPrivateKey({ path, bytes: readInput(path) }, passphrase),
      certificate,
      chain: [...more, ...carried],
    };
  });
}

function certificatesIn(paths: readonly string[]): ReturnType<typeof readMaterial>["certificates"] {
  return readMaterial(paths.map((path) => ({ path, bytes: readInput(path) }))).certificates;
}

function firstLine(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("utf8").split(/\r?\n/, 1)[0] as string;
}

/** Whole or not at all: whoever looks for the signature meanwhile finds none, or this one. */
function write(path: string, bytes: Uint8Array): void {
  const passing = `${path}.${process.pid}.new`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(passing, bytes, { flag: "wx" });
    renameSync(passing, path);
  } catch (cause) {
    throw new CountersignError(
      "FILE_UNREADABLE",
      `cannot be written: ${(cause as NodeJS.ErrnoException).code ?? cause}`,
      {
        place: path,
        remedy: "check the folder and its permissions",
        cause,
      },
    );
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function usage(message: string, remedy: string): CountersignError {
  return new CountersignError("USAGE", message, { remedy });
}
