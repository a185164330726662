/**
 * What a register or a stack slot may hold, as bits: one that may hold a number or a map's value has both. The kernel's
 * verifier (kernel/bpf/verifier.c, enum bpf_reg_type) lets nothing but these be used as a pointer, and no number become
 * one.
 */
export const KIND = {
  NUMBER: 1 << 0,
  /** The context that the program was called with. */
  CTX: 1 << 1,
  /** The packet, its metadata, or a message's data. */
  PACKET: 1 << 2,
  PACKET_END: 1 << 3,
  MAP_VALUE: 1 << 4,
  MAP: 1 << 5,
  STACK: 1 << 6,
  /** Any memory of the kernel. */
  KERNEL: 1 << 7,
  USER: 1 << 8,
  /** A socket in the form that programs see (struct bpf_sock …). */
  SOCKET: 1 << 9,
  /** Memory of the program's own: a ring buffer's record, an allocated object, a map's key. */
  MEMORY: 1 << 10,
  FUNCTION: 1 << 11,
  /** The buffer of a writable raw tracepoint. */
  BUFFER: 1 << 12,
  /** Data that hangs on the context: a socket option's value, a flow dissector's keys. */
  OPTION: 1 << 13,
  ARENA: 1 << 14,
  /**
   * Memory of others that may be written and holds no pointers: a value of the map that an iterator goes over, what a
   * caller lends.
   */
  LENT: 1 << 15,
  /**
   * An object of the kernel that BTF describes (PTR_TO_BTF_ID), or one that the program allocated itself (with
   * MEM_ALLOC) and that lies in no map of others. Nothing else is one: not what a kernel symbol or a per-CPU pointer
   * stands for.
   */
  OBJECT: 1 << 16,
} as const;

/** Everything but a number. */
export const POINTERS = 0x1fffe;

/** Those whose offset is followed; for FUNCTION the offset is the function's index. */
export const FOLLOWED = KIND.CTX | KIND.MAP_VALUE | KIND.STACK | KIND.FUNCTION;

/** Those that belong to a map. */
export const OF_MAPS = KIND.MAP_VALUE | KIND.MAP | KIND.ARENA;

/** A pointer of which nothing is known. */
export const ANYTHING = 0x1ffff & ~KIND.FUNCTION;

/** What a context that is not known may hold. */
export const FROM_ANY_CONTEXT =
  KIND.NUMBER | KIND.PACKET | KIND.PACKET_END | KIND.KERNEL | KIND.SOCKET | KIND.BUFFER | KIND.OPTION | KIND.LENT;

/** An offset that is not known. */
export const ANY_OFFSET = -0x80000000;
/** A frame that is not known; frames are named by their function's index. */
export const ANY_FRAME = -1;
/** A set of numbers with every number in it. */
export const ANY_NUMBER = -1;
