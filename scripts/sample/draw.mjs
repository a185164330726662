/** Random numbers below 1, the same for a seed on every machine (mulberry32). `seed` is 8 hex digits. */
export function randomOf(seed) {
  let state = Number.parseInt(seed, 16);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Draws `count` items without repetition. Each group gets its share of the sample: the share is rounded down, and the
 * groups with the largest remainders get the rest. The sample is in the order of the items.
 * @param {object[]} items
 * @param {number} count
 * @param {string} seed 8 hex digits
 * @param {(item: object) => string} groupOf
 */
export function draw(items, count, seed, groupOf) {
  const random = randomOf(seed);
  const groups = grouped(items, groupOf);
  const wanted = Math.min(count, items.length);
  const shares = [...groups].map(([group, members]) => {
    const exact = (wanted * members.length) / items.length;
    return { group, members, size: Math.floor(exact), remainder: exact % 1 };
  });
  const missing = wanted - shares.reduce((sum, { size }) => sum + size, 0);
  const byRemainder = [...shares].sort((left, right) => right.remainder - left.remainder);
  for (const share of byRemainder.slice(0, missing)) share.size += 1;
  const drawn = new Set(shares.flatMap(({ members, size }) => shuffled(members, random).slice(0, size)));
  return items.filter((item) => drawn.has(item));
}

function grouped(items, groupOf) {
  const groups = new Map();
  for (const item of items) groups.set(groupOf(item), [...(groups.get(groupOf(item)) ?? []), item]);
  return groups;
}

function shuffled(items, random) {
  const all = [...items];
  for (let last = all.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [all[last], all[other]] = [all[other], all[last]];
  }
  return all;
}
