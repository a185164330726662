/**
 * The kinds of values in a register or stack slot, as bits: a value that may be a number or a pointer to a map's value
 * has both. The kernel's verifier (kernel/bpf/verifier.c, enum bpf_reg_type) allows memory access only through these
 * kinds of pointers, and never turns a number into a pointer.
 */
export const KIND = {
  NUMBER: 1 << 0,
  /** The context that the program was called with. */
  CTX: 1 << 1,
  /** Packet data, its metadata, or the data of a message. */
  PACKET: 1 << 2,
  PACKET_END: 1 << 3,
  MAP_VALUE: 1 << 4,
  MAP: 1 << 5,
  STACK: 1 << 6,
  /** Any kernel memory. */
  KERNEL: 1 << 7,
  USER: 1 << 8,
  /** A socket in the form that programs access (struct bpf_sock and similar). */
  SOCKET: 1 << 9,
  /** Memory of the program itself: a record of a ring buffer, an allocated object, a map's key. */
  MEMORY: 1 << 10,
  FUNCTION: 1 << 11,
  /** The buffer of a writable raw tracepoint. */
  BUFFER: 1 << 12,
  /** Data that the context points to: a socket option's value, a flow dissector's keys. */
  OPTION: 1 << 13,
  ARENA: 1 << 14,
  /**
   * Memory of others that may be written and holds no pointers: a value of the map that an iterator visits, or memory
   * that a caller passes.
   */
  LENT: 1 << 15,
  /**
   * A kernel object with a BTF type (PTR_TO_BTF_ID), or one that the program allocated itself (MEM_ALLOC) and that is
   * in no map of others. The targets of kernel symbols and per-CPU pointers do not count as objects.
   */
  OBJECT: 1 << 16,
  /** Not a kind of pointer: the value may be an address that counts, or be computed from one (addresses.ts). */
  ADDRESS: 1 << 17,
  /** What a pointer that was read from the value of a map of others points to: an object in that map. */
  HELD: 1 << 18,
  /** A place inside of a map that holds a pointer to the value: what the kernel computes in place of a lookup. */
  ELEMENT: 1 << 19,
  /** Not a kind of pointer: what the kernel follows within the access to one field of the context. */
  INSIDE: 1 << 20,
} as const;

/** All kinds of pointers. */
export const POINTERS = 0x1fffe | KIND.HELD | KIND.ELEMENT;

/** An object that the kernel gave the program, unlike a number that it read and that may be a pointer to one. */
export const GIVEN_OBJECT = KIND.OBJECT | KIND.ADDRESS;
/** The same for memory of any kind. */
export const GIVEN_MEMORY = KIND.KERNEL | KIND.ADDRESS;

/** Kinds whose offset is tracked. For FUNCTION the offset is the function's index. */
export const FOLLOWED = KIND.CTX | KIND.MAP_VALUE | KIND.STACK | KIND.FUNCTION;

/** Kinds that belong to a map. */
export const OF_MAPS = KIND.MAP_VALUE | KIND.MAP | KIND.ARENA | KIND.HELD | KIND.ELEMENT;

/** A pointer to an unknown kind of memory. */
export const ANYTHING = 0x1ffff & ~KIND.FUNCTION;

/** The kinds of values in an unknown context. */
export const FROM_ANY_CONTEXT =
  KIND.NUMBER | KIND.PACKET | KIND.PACKET_END | KIND.KERNEL | KIND.SOCKET | KIND.BUFFER | KIND.OPTION | KIND.LENT;

/** An unknown offset. */
export const ANY_OFFSET = -0x80000000;
/** An unknown frame. Frames are identified by the index of their function. */
export const ANY_FRAME = -1;
/** The set of all numbers. */
export const ANY_NUMBER = -1;
