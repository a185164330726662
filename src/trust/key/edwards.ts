/**
 * Points of Ed25519 and Ed448 that are rejected as public keys. Under a key of small order, one signature is valid for
 * any message, or for many. A key whose y-coordinate is not below the field's prime (RFC 8032 5.1.3, 5.2.3) is a second
 * encoding of another key.
 */

interface Curve {
  readonly prime: bigint;
  /** y-coordinates of the points whose order divides the cofactor. */
  readonly smallOrder: ReadonlySet<bigint>;
}

const P25519 = 2n ** 255n - 19n;
const P448 = 2n ** 448n - 2n ** 224n - 1n;
/** One of the y-coordinates of order 8 on edwards25519; the other is its negative. */
const ORDER_8 = BigInt("0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd83d3d706a17c7");

const CURVES: Readonly<Record<string, Curve>> = {
  ed25519: { prime: P25519, smallOrder: new Set([0n, 1n, P25519 - 1n, ORDER_8, P25519 - ORDER_8]) },
  ed448: { prime: P448, smallOrder: new Set([0n, 1n, P448 - 1n]) },
};

/**
 * Why an encoded point is rejected as a key; null if it is accepted. `type` is `ed25519` or `ed448`; no check applies
 * to other types.
 */
export function edwardsWeakness(type: string, point: Uint8Array): string | null {
  const curve = CURVES[type];
  if (curve === undefined) return null;
  const bytes = Uint8Array.from(point).reverse();
  // The top bit is the sign of x
  bytes[0] = (bytes[0] as number) & 0x7f;
  const y = BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
  if (curve.smallOrder.has(y % curve.prime)) return `the ${type} public key is a point of small order`;
  return y < curve.prime ? null : `the ${type} public key is not in the canonical encoding of RFC 8032`;
}
