import { expect, it } from "vitest";
import { ReleasePace } from "../../../../src/loaded/verify/release-pace.js";

it("lets at most 50 programs lose their ids in any second", () => {
  const pace = new ReleasePace();
  const released: number[] = [];
  let now = 0;
  for (let count = 0; count < 1000; count++) {
    now += pace.wait(now) + (count % 7);
    pace.add(now);
    released.push(now);
  }
  for (const at of released) expect(released.filter((each) => each > at - 1000 && each <= at).length).toBeLessThan(51);
  expect(now).toBeLessThan(1000 * 30);
});

it("waits no longer than until the oldest of the last 50 is a second ago", () => {
  const pace = new ReleasePace();
  for (let at = 0; at < 50; at++) pace.add(at);
  expect([pace.wait(49), pace.wait(999), pace.wait(1000)]).toEqual([951, 1, 0]);
});
