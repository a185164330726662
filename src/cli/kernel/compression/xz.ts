import { XzReadableStream } from "xz-decompress";

/**
 * Decompresses xz without filters, with dictionaries of up to 64 MiB. Only one stream can be decompressed at a time:
 * the decoder lets a second one wait for the end of the first.
 */
export async function* unxzipped(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = new XzReadableStream(ReadableStream.from(pieces) as ReadableStream<Uint8Array>).getReader();
  try {
    while (true) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // The decoder fails here if it has already decompressed the end of the stream.
    await reader.cancel().catch(() => {});
  }
}
