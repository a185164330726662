/** An attribute of netlink: its length and type, then its value, aligned to 4 bytes. */
export function attribute(type: number, value: Uint8Array): Buffer {
  const bytes = Buffer.alloc((4 + value.byteLength + 3) & ~3);
  bytes.writeUInt16LE(4 + value.byteLength, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.set(value, 4);
  return bytes;
}

/** A message of rtnetlink about an interface: struct nlmsghdr, struct ifinfomsg, then attributes. */
export function message(type: number, ifindex: number, attributes: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(32), ...attributes]);
  bytes.writeUInt32LE(bytes.byteLength, 0);
  bytes.writeUInt16LE(type, 4);
  bytes.writeInt32LE(ifindex, 20);
  return bytes;
}

/** A message of rtnetlink about tc: struct nlmsghdr, struct tcmsg, then attributes. */
export function tcMessage(
  type: number,
  ifindex: number,
  handle: number,
  parent: number,
  attributes: readonly Uint8Array[],
): Buffer {
  const bytes = Buffer.concat([Buffer.alloc(36), ...attributes]);
  bytes.writeUInt32LE(bytes.byteLength, 0);
  bytes.writeUInt16LE(type, 4);
  bytes.writeInt32LE(ifindex, 20);
  bytes.writeUInt32LE(handle, 24);
  bytes.writeUInt32LE(parent, 28);
  return bytes;
}
