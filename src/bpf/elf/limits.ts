/**
 * Maximum number of relocations of one kind in an object: of its instructions, of its maps, or of CO-RE. Far above that
 * of any known object; each takes memory.
 */
export const MAX_RELOCATIONS = 100_000;
