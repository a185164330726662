import { CountersignError } from "../../error.js";
import { localStamper, type TimeStamper, timeStampRequest, tokenOf } from "../../trust/issuing/time-stamp-maker.js";
import type { PassphraseOptions } from "./passphrase.js";
import { signersOf } from "./signers.js";

/** The source of time stamps: the address of an authority, or a key and certificate of the user. */
export interface StamperOptions extends PassphraseOptions {
  readonly timestamp?: string;
  readonly timestampKey?: string;
  readonly timestampCert?: string;
}

/** Null if no time stamp is requested. Throws USAGE, KEY_MALFORMED, CERTIFICATE_MALFORMED. */
export async function stamperOf(options: StamperOptions): Promise<TimeStamper | null> {
  const {
    timestamp,
    timestampKey: key,
    timestampCert: cert,
    passphraseFile,
    passphraseFd,
    passphraseCredential,
  } = options;
  if (timestamp !== undefined && key !== undefined)
    throw usage("two time-stamping authorities", "give --timestamp, or --timestamp-key with --timestamp-cert");
  if (timestamp !== undefined) return remote(timestamp);
  if (key === undefined && cert === undefined) return null;
  if (key === undefined || cert === undefined)
    throw usage("--timestamp-key and --timestamp-cert belong together", "give both");
  const secret = {
    ...(passphraseFile && { passphraseFile }),
    ...(passphraseFd && { passphraseFd }),
    ...(passphraseCredential && { passphraseCredential }),
  };
  const [identity] = await signersOf({ key: [key], cert: [cert], ...secret });
  return localStamper(identity as NonNullable<typeof identity>);
}

/** Requests time stamps over HTTP (RFC 3161, 3.4). The response is signed, so plain HTTP is safe. */
function remote(address: string): TimeStamper {
  if (!/^https?:\/\//.test(address))
    throw usage(`\`${address}\` is not an address`, "write it as http://… or https://…");
  return async (signature) => {
    const request = timeStampRequest(signature);
    return tokenOf(await ask(address, request.der), request);
  };
}

async function ask(address: string, question: Uint8Array): Promise<Uint8Array> {
  try {
    const answer = await fetch(address, {
      method: "POST",
      headers: { "content-type": "application/timestamp-query" },
      body: Uint8Array.from(question),
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (answer.ok) return new Uint8Array(await answer.arrayBuffer());
    throw new Error(`it answers with HTTP status ${answer.status}`);
  } catch (cause) {
    const { message, cause: deeper } = cause as Error & { cause?: Error };
    throw new CountersignError("SIGNING_FAILED", `no time stamp: ${deeper?.message ?? message}`, {
      place: address,
      remedy: "check the authority's address, or ask another one",
      cause,
    });
  }
}

const PATIENCE = 30_000;

function usage(message: string, remedy: string): CountersignError {
  return new CountersignError("USAGE", message, { remedy });
}
