import { existsSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { Command, Option } from "commander";
import { factsOfFile } from "../bpf/embedded.js";
import { CountersignError } from "../error.js";
import { readInput } from "../input.js";
import { hash } from "../trust/digest.js";
import { openKeyring } from "../trust/keyring.js";
import { type AnyIdentity, type SigningOptions, signKernel, signModule, signPkcs7 } from "../trust/making/sign.js";
import { stamped } from "../trust/making/time-stamp-maker.js";
import { signatureName } from "../trust/store.js";
import { print, printJson } from "./output.js";
import { type SignerOptions, signersOf } from "./signers.js";
import { type StamperOptions, stamperOf } from "./stamper.js";
import { writeWhole } from "./write.js";

/** `countersign sign`: makes signatures over files, or over each BPF program in them. */
export function command(): Command {
  return new Command("sign")
    .description("Makes signatures of files, or of each BPF program in them")
    .argument("<file...>", "what to sign")
    .option("--key <file>", "private key, PEM or DER, or a pkcs11: URI; again for each further signer", collect)
    .option("--cert <file>", "certificate of the key, PEM or DER; in the order of the keys", collect)
    .option("--pkcs12 <file>", "key and certificate in one file; again for each further signer", collect)
    .option("--pkcs11-module <file>", "the library of the token that a pkcs11: key is in")
    .option("--chain <file>", "certificates between the signer and the keyring's, to be carried along", collect)
    .addOption(
      new Option("--type <type>", "how the signature is encoded").choices(Object.keys(MAKERS)).default("pkcs7"),
    )
    .option("--programs", "sign each BPF program's instructions, into a folder by their digest")
    .option("--out <file>", "where to write: a file, or a folder for several files or --programs")
    .option("--usage <name>", "extended key usage that a verifier asks for: codeSigning by default, or `any`", collect)
    .option("--ignore-validity", "sign with a certificate that is not in its time")
    .option("--digest <name>", "sha256, sha384 or sha512; the key's own by default")
    .option("--pss", "RSASSA-PSS with an RSA key")
    .option("--passphrase-file <file>", "what opens an encrypted key, or the token's PIN: the first line of this file")
    .option("--timestamp <url>", "have each signature stamped by this authority (RFC 3161)")
    .option("--timestamp-key <file>", "stamp with this key, of a time-stamping authority of your own")
    .option("--timestamp-cert <file>", "its certificate")
    .option("--json", "one JSON object a signature")
    .addHelpText(
      "after",
      `
Writes FILE.p7s beside each file; with --type modsig FILE.signed, the file with its signature appended; with
--programs one signature a program into the folder \`signatures\`, as the configuration's \`signatures\` finds them.
Nothing is written that \`countersign verify\` would refuse by the signer's certificate.

Examples:
  countersign sign --key signer.key --cert signer.pem policy.bin
  countersign sign --pkcs12 signer.p12 --passphrase-file secret --timestamp http://tsa.example.org policy.bin
  countersign sign --key "pkcs11:token=hsm;object=signer;type=private" --cert signer.pem \\
    --pkcs11-module /usr/lib/softhsm/libsofthsm2.so --passphrase-file pin policy.bin
  countersign sign --key signer.key --cert signer.pem --programs --type kernel --out signatures/ *.o`,
    )
    .action(run);
}

interface Options extends SignerOptions, StamperOptions {
  readonly type: keyof typeof MAKERS;
  readonly programs?: true;
  readonly out?: string;
  readonly usage?: readonly string[];
  readonly ignoreValidity?: true;
  readonly digest?: string;
  readonly pss?: true;
  readonly json?: true;
}

type Maker = (data: Uint8Array, identities: readonly AnyIdentity[], options: SigningOptions) => Buffer;

/** One signer alone has a place in what the kernel reads. */
const single =
  (make: (data: Uint8Array, identity: AnyIdentity, options: SigningOptions) => Buffer): Maker =>
  (data, identities, options) => {
    if (identities.length !== 1)
      throw usage("the kernel's signatures have one signer", "give one --key and one --cert");
    return make(data, identities[0] as AnyIdentity, options);
  };

const MAKERS = { pkcs7: signPkcs7 as Maker, kernel: single(signKernel), modsig: single(signModule) } as const;

/** One thing to sign and where its signature goes. */
interface Job {
  readonly file: string;
  readonly program: string | null;
  readonly data: Uint8Array;
  readonly out: string;
}

async function run(files: readonly string[], options: Options): Promise<void> {
  const identities = await signersOf(options);
  const stamper = await stamperOf(options);
  if (stamper !== null && options.type !== "pkcs7")
    throw usage("the kernel's signatures have no place for a time stamp", "leave --timestamp out, or use --type pkcs7");
  const signing: SigningOptions = {
    ...(options.digest === undefined ? {} : { digest: options.digest }),
    ...(options.pss === undefined ? {} : { pss: true }),
  };
  const jobs = options.programs === true ? programJobs(files, options) : fileJobs(files, options);
  for (const { file, program, data, out } of jobs) {
    const signature = MAKERS[options.type](data, identities, signing);
    checkVerifies(data, signature, identities, options);
    writeWhole(out, stamper === null ? signature : await stamped(signature, stamper));
    if (options.json === true) printJson({ file, program, sha256: hash("sha256", data), type: options.type, out });
    else print(`${program === null ? file : `${file}: ${program}`} -> ${out}`);
  }
}

/** Throws SIGNING_FAILED where a keyring with nothing but the signers' certificates would refuse what was made. */
function checkVerifies(
  data: Uint8Array,
  signature: Uint8Array,
  identities: readonly AnyIdentity[],
  { type, usage = ["codeSigning"], ignoreValidity }: Options,
): void {
  const keyring = openKeyring("signers", {
    trust: identities.map(({ certificate }) => ({ path: String(certificate), bytes: certificate.der })),
    revoked: { crls: [], certificates: [], digests: [] },
    usage,
    validity: ignoreValidity === true ? "ignore" : "now",
  });
  const { verdict, reason, rule } =
    type === "modsig"
      ? keyring.verify(signature, null, "MODSIG", Date.now())
      : keyring.verify(data, signature, "PKCS7", Date.now());
  if (verdict === 0) return;
  throw new CountersignError("SIGNING_FAILED", `the signature would be refused: ${reason} [${rule}]`, {
    remedy: "sign with a certificate for this; --usage and --ignore-validity are for keyrings with such rules",
  });
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

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function usage(message: string, remedy: string): CountersignError {
  return new CountersignError("USAGE", message, { remedy });
}
