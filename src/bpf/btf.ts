/**
 * BPF Type Format (Documentation/bpf/btf.rst), read lazily: `kind`, `name` and the rest look at the bytes when they are
 * asked. Type id 0 is void.
 */
export interface Btf {
  /** Number of type ids, void included: valid ids are 0 … count - 1. */
  readonly count: number;
  kind(id: number): BtfKind;
  /** Empty where it has none. */
  name(id: number): string;
  /** struct, union, enum, int, datasec: size in bytes. */
  size(id: number): number;
  /** ptr, typedef, const, volatile, restrict, func, var, func_proto (what it returns), type tag: the type behind. */
  target(id: number): number;
  /** The type behind typedefs, const, volatile, restrict and type tags. */
  resolve(id: number): number;
  members(id: number): readonly BtfMember[];
  /** Parameters of a func_proto; a last one of type 0 without name stands for `...`. */
  parameters(id: number): readonly BtfParameter[];
  /** Linkage of a func or var: 0 static, 1 global, 2 extern. */
  linkage(id: number): number;
}

export const BTF_KINDS = [
  "void",
  "int",
  "ptr",
  "array",
  "struct",
  "union",
  "enum",
  "fwd",
  "typedef",
  "volatile",
  "const",
  "restrict",
  "func",
  "func_proto",
  "var",
  "datasec",
  "float",
  "decl_tag",
  "type_tag",
  "enum64",
] as const;

export type BtfKind = (typeof BTF_KINDS)[number];

export interface BtfMember {
  readonly name: string;
  readonly type: number;
  /** Offset in bits from the start of its struct. */
  readonly bit: number;
}

export interface BtfParameter {
  readonly name: string;
  readonly type: number;
}
