/** One message of rtnetlink. */
export interface RouteMessage {
  /** RTM_* of linux/rtnetlink.h. */
  readonly type: number;
  /** What follows struct nlmsghdr. */
  readonly body: Uint8Array;
}

export interface RouteAnswer {
  readonly messages: readonly RouteMessage[];
  /** Whether these are the last messages of the answer. */
  readonly done: boolean;
  /** The negative errno that ends the answer; 0 if it is no error. */
  readonly error: number;
}

/** Message types of linux/netlink.h. */
const [NLMSG_ERROR, NLMSG_DONE] = [2, 3];
/** sizeof(struct nlmsghdr). */
const HEADER = 16;
/** The type without NLA_F_NESTED and NLA_F_NET_BYTEORDER. */
const ATTRIBUTE_TYPE = 0x3fff;

/**
 * Reads what one recvmsg of a dump of rtnetlink returned: struct nlmsghdr (length 0 · type 4), then the body, aligned
 * to 4 bytes. Host byte order. Reading ends at the first length that does not fit.
 */
export function routeMessages(bytes: Uint8Array): RouteAnswer {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const messages: RouteMessage[] = [];
  for (let at = 0; at + HEADER <= bytes.byteLength; ) {
    const length = view.getUint32(at, true);
    if (length < HEADER || at + length > bytes.byteLength) break;
    const type = view.getUint16(at + 4, true);
    if (type === NLMSG_DONE) return { messages, done: true, error: 0 };
    if (type === NLMSG_ERROR)
      return { messages, done: true, error: length < HEADER + 4 ? 0 : view.getInt32(at + HEADER, true) };
    messages.push({ type, body: bytes.subarray(at + HEADER, at + length) });
    at += aligned(length);
  }
  return { messages, done: false, error: 0 };
}

/** The messages of a part of an answer that are kept, and those that end the answer, as they are in it. */
export function keptMessages(bytes: Uint8Array, isKept: (message: RouteMessage) => boolean): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kept: Uint8Array[] = [];
  for (let at = 0; at + HEADER <= bytes.byteLength; ) {
    const length = view.getUint32(at, true);
    if (length < HEADER || at + length > bytes.byteLength) break;
    const type = view.getUint16(at + 4, true);
    const ends = type === NLMSG_DONE || type === NLMSG_ERROR;
    if (ends || isKept({ type, body: bytes.subarray(at + HEADER, at + length) }))
      kept.push(bytes.subarray(at, at + aligned(length)));
    at += aligned(length);
  }
  return Buffer.concat(kept);
}

/** The attributes of a message or of an attribute: length u16 · type u16 · value, aligned to 4 bytes. */
export function* attributes(bytes: Uint8Array): Generator<readonly [type: number, value: Uint8Array]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + 4 <= bytes.byteLength; ) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > bytes.byteLength) return;
    yield [view.getUint16(at + 2, true) & ATTRIBUTE_TYPE, bytes.subarray(at + 4, at + length)];
    at += aligned(length);
  }
}

/** A 32-bit number; null if the value has another size. */
export function numberIn(value: Uint8Array): number | null {
  return value.byteLength === 4 ? new DataView(value.buffer, value.byteOffset).getUint32(0, true) : null;
}

/** An attribute with its length and type, aligned to 4 bytes. */
export function attributeOf(type: number, value: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(aligned(4 + value.byteLength));
  bytes.writeUInt16LE(4 + value.byteLength, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.set(value, 4);
  return bytes;
}

/** A 32-bit number as the value of an attribute. */
export function numberOf(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value | 0);
  return bytes;
}

/** A text up to its NUL. */
export function textIn(value: Uint8Array): string {
  const end = value.indexOf(0);
  return Buffer.from(end < 0 ? value : value.subarray(0, end)).toString("utf8");
}

function aligned(length: number): number {
  return (length + 3) & ~3;
}
