import { describe, expect, it } from "vitest";
import { fsVerityDigest } from "../../../src/seal/fs-verity.js";

/** A file of so many bytes, which differ from block to block. */
function contents(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, at) => at * 7 + (at >> 8) * 13);
}

/**
 * What `fsverity digest --compact` of Debian's package fsverity 1.6 says of these files. The tree of 128 blocks is one
 * block; one byte more needs a level more.
 */
const VECTORS: Readonly<Record<number, string>> = {
  0: "3d248ca542a24fc62d1c43b916eae5016878e2533c88238480b26128a1f1af95",
  1: "b803429503d95915829b29fdbc8bbad142f3abfd11b1cadf5526582e685c0551",
  1000000: "448e4634fa8f1b78f2a42dfc224cf206b9f0be0896328a8f6bf0b8ae1e70739a",
  4095: "a1af7177d2a116e8f575b2b0a94dd400f308aa1e2c9412d1324d191f6c1b272a",
  4096: "dc1f8bf5ee9d486c0d4585878ee812d42a1ff6987b43bcf1b76198cb639fc60e",
  4097: "77966aa2f22bdae9c614f267b9675ca9880f44bd5c6e5a07cde4e1920716b679",
  520192: "abbfe2af931b1ad21e48af865d0c0721ee2162f87e2967816370a1d9c73c2ebf",
  524287: "f15fb999181bf5c475014ecfd8093490faacea32b5d00abaa6c25397441cf15a",
  524288: "09accdec26404e56e25e36f3c992fbba7c7016de60a0895ad90226cf5ed3a79a",
  524289: "c5fe191c8dd350f27c8ae3ca178b10ec3f38bb8ff91b73a9d939a6ca1305bb24",
  528384: "240a37edc8834a3fdfb8a131a6b5644123c251834f2e21cf6889d621ebac8816",
};

describe("the fs-verity digest of a file", () => {
  it.each(Object.entries(VECTORS))("of %s bytes is that of fsverity(1)", (size, digest) => {
    expect(fsVerityDigest(contents(Number(size)))).toBe(digest);
  });
});
