/** DER as a tree that tests change and encode again. */

/** An element: its tag, and its contents or the elements in them. */
export type DerNode = readonly [tag: number, content: Buffer | readonly DerNode[]];

export function derNodes(bytes: Buffer): readonly DerNode[] {
  const nodes: DerNode[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at]!;
    const short = bytes[at + 1]!;
    const many = short < 0x80 ? 0 : short & 0x7f;
    const length = many === 0 ? short : bytes.readUIntBE(at + 2, many);
    const body = at + 2 + many;
    const contents = bytes.subarray(body, body + length);
    nodes.push([tag, (tag & 0x20) !== 0 ? derNodes(contents) : contents]);
    at = body + length;
  }
  return nodes;
}

export function derBytes([tag, content]: DerNode): Buffer {
  const body = content instanceof Buffer ? content : Buffer.concat((content as readonly DerNode[]).map(derBytes));
  const octets: number[] = [];
  for (let rest = body.length; rest > 0; rest >>= 8) octets.unshift(rest & 0xff);
  const length = body.length < 0x80 ? [body.length] : [0x80 | octets.length, ...octets];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

/** The elements in an element, with their paths as indexes of children, the element itself included. */
export function* derPaths(
  node: DerNode,
  path: readonly number[] = [],
): Generator<readonly [readonly number[], DerNode]> {
  yield [path, node];
  const [, content] = node;
  if (content instanceof Buffer) return;
  for (const [index, child] of (content as readonly DerNode[]).entries()) yield* derPaths(child, [...path, index]);
}

/** The same tree with what `change` makes of the element at a path. */
export function derChanged(
  node: DerNode,
  [first, ...rest]: readonly number[],
  change: (node: DerNode) => readonly DerNode[],
): DerNode {
  const [tag, content] = node;
  if (first === undefined) return change(node)[0]!;
  const children = content as readonly DerNode[];
  const changed = (child: DerNode) => (rest.length === 0 ? change(child) : [derChanged(child, rest, change)]);
  return [tag, children.flatMap((child, index) => (index === first ? changed(child) : [child]))];
}
