/**
 * The places of bytes that a function may write, as numbers: those of its own frame, from the lowest address up, then
 * those behind each of its parameters.
 */
const FRAME = 512;
/** Number of bytes behind a parameter that have a place: as many as a frame has. */
const BEHIND = FRAME;
/** The registers that a call passes: r1 to r5. */
export const PARAMETERS = 5;
export const PLACES = FRAME + PARAMETERS * BEHIND;

/** The place of the first of `size` bytes at an offset from the end of the own frame; -1 if they are not all inside. */
export function placeInFrame(offset: number, size: number): number {
  return offset >= -FRAME && offset + size <= 0 ? FRAME + offset : -1;
}

/** The place of the first of `size` bytes at a distance from a parameter (1 to 5); -1 if they have none. */
export function placeBehind(parameter: number, distance: number, size: number): number {
  return distance >= 0 && distance + size <= BEHIND ? FRAME + BEHIND * (parameter - 1) + distance : -1;
}

/** The offset of a place from the end of the own frame, or its distance from its parameter. */
export function offsetOf(place: number): number {
  return place < FRAME ? place - FRAME : (place - FRAME) % BEHIND;
}
