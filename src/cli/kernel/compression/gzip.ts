import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";

/** Decompresses gzip (RFC 1952). */
export async function* gunzipped(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const source = Readable.from(pieces);
  const gunzip = source.pipe(createGunzip());
  source.once("error", (error) => gunzip.destroy(error));
  try {
    for await (const piece of gunzip) yield piece as Uint8Array;
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}
