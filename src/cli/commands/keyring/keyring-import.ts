import { readFileSync } from "node:fs";
import { Command } from "commander";
import { CountersignError } from "../../../error.js";
import { MAX_INPUT, readInput, readText } from "../../../input.js";
import { writePem } from "../../../trust/asn1/pem.js";
import { readPkcs12 } from "../../../trust/issuing/pkcs12.js";
import { isListedKey, readKernelListing } from "../../../trust/kernel-listing.js";
import type { SourceFile } from "../../../trust/keyring.js";
import { readMaterial } from "../../../trust/source/source.js";
import type { Certificate } from "../../../trust/x509/certificate.js";
import { writeWhole } from "../../files/write.js";
import { type PassphraseOptions, passphraseOf } from "../../input/passphrase.js";
import { EXIT } from "../../output/exit.js";
import { print, printError } from "../../output/output.js";

/** `countersign keyring import`: collects certificates and public keys from several files into one file for `trust`. */
export function importCommand(): Command {
  return new Command("import")
    .description("Collects certificates and public keys from PEM, DER and PKCS#12 in one file for a keyring")
    .argument("<file...>", "files with certificates or public keys; of PKCS#12, only the certificates are taken")
    .option("--out <file>", "where to write; standard output by default")
    .option("--passphrase-file <file>", "the passphrase of PKCS#12 files: the first line of this file")
    .option("--passphrase-fd <number>", "the same from an open descriptor")
    .option("--passphrase-credential <name>", "the same from a credential that systemd passes (LoadCredential=)")
    .option(
      "--kernel <listing>",
      "only certificates that a kernel keyring lists: /proc/keys, or the output of `keyctl show`",
    )
    .addHelpText(
      "after",
      `
The kernel lists its keys by subject and identifier, and does not export certificates. With --kernel, certificates are
taken from the files if the kernel lists their identifier; listed keys that no file has are reported on stderr. Private
keys are never written.

Examples:
  countersign keyring import --out certs/platform.pem ca.der signer.p12 --passphrase-file secret
  countersign keyring import --kernel /proc/keys --out certs/kernel.pem /usr/share/ca-certificates/*.crt`,
    )
    .action(run);
}

interface Options extends PassphraseOptions {
  readonly out?: string;
  readonly kernel?: string;
}

async function run(paths: readonly string[], options: Options): Promise<void> {
  const { out, kernel } = options;
  const passphrase = passphraseOf(options);
  const certificates = new Map<string, Certificate>();
  const keys = new Map<string, Uint8Array>();
  for (const path of paths) {
    const found = await materialIn({ path, bytes: readInput(path) }, passphrase);
    for (const certificate of found.certificates) certificates.set(certificate.element.key, certificate);
    for (const { spki } of found.keys) keys.set(spki.key, spki.whole);
  }
  const wanted = kernel === undefined ? [...certificates.values()] : listedIn(kernel, [...certificates.values()]);
  const blocks = [
    ...wanted.map((certificate) => `# ${certificate}\n${writePem("CERTIFICATE", certificate.der)}`),
    ...(kernel === undefined ? [...keys.values()].map((spki) => writePem("PUBLIC KEY", spki)) : []),
  ];
  if (blocks.length === 0)
    throw new CountersignError("KEYRING_INVALID", "nothing is left to import", {
      remedy: kernel === undefined ? "name files with certificates" : "name the files that the kernel's keys came from",
    });
  if (out === undefined) print(blocks.join("").trimEnd());
  else {
    writeWhole(out, Buffer.from(blocks.join("")));
    print(`${out}: ${blocks.length} imported`);
  }
}

interface Found {
  readonly certificates: readonly Certificate[];
  readonly keys: ReturnType<typeof readMaterial>["keys"];
}

async function materialIn(file: SourceFile, passphrase: string | null): Promise<Found> {
  if (!/\.(p12|pfx)$/i.test(file.path)) return readMaterial([file]);
  return { certificates: (await readPkcs12(file, passphrase)).certificates, keys: [] };
}

/**
 * The certificates that the kernel's listing names. A listed key without a certificate is reported and sets exit code
 * 1, but does not stop the import: its certificate may be in another file.
 */
function listedIn(path: string, certificates: readonly Certificate[]): readonly Certificate[] {
  // stat(2) gives size 0 for files of /proc, so `readText` would read nothing.
  const listed = readKernelListing(path.startsWith("/proc/") ? readFileSync(path, "utf8") : readText(path, MAX_INPUT));
  for (const { description, id } of listed.filter((key) => !certificates.some((one) => isListedKey(one, [key])))) {
    const what = `the kernel's key \`${description}\` (${id}) is in none of the files`;
    printError(new CountersignError("KEYRING_INVALID", what, { remedy: "name the file that it came from" }));
    process.exitCode = EXIT.denied;
  }
  return certificates.filter((certificate) => isListedKey(certificate, listed));
}
