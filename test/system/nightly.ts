/** How much of something a test does: little in each run of the tests, and the long form in `npm run test:nightly`. */
export function amount(short: number, long: number): number {
  return process.env.COUNTERSIGN_NIGHTLY === undefined ? short : long;
}
