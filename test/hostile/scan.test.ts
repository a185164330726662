import { expect, it } from "vitest";
import { linkPlace } from "../../src/cli/output/link-place.js";
import { mountPoints } from "../../src/loaded/mounts/mount-points.js";
import { interfaceOf } from "../../src/loaded/places/link-messages.js";
import { routeMessages } from "../../src/loaded/places/route-messages.js";
import { filterPlaces, programFilter } from "../../src/loaded/places/tc-messages.js";
import { cgroupOwner } from "../../src/loaded/references/cgroup-owner.js";
import { describedObject } from "../../src/loaded/references/descriptor.js";
import { LINK_SIZE, linkReport, textPlace } from "../../src/loaded/views/link-report.js";
import { MAP_SIZE, mapReport } from "../../src/loaded/views/map-report.js";
import { PROGRAM_SIZE, programReport } from "../../src/loaded/views/program-report.js";
import { damaged, numbers, seedOf } from "../support/damage.js";
import { attribute, message, tcMessage } from "../support/netlink.js";

const seed = seedOf();
console.log(`seed of test/hostile/scan.test.ts: ${seed}`);

/** Random bytes, of which the first word is small, so that it is often a known type. */
function randomReport(size: number, next: (below: number) => number): DataView {
  const info = new DataView(new ArrayBuffer(size));
  for (let at = 0; at < size; at += 1) info.setUint8(at, next(256));
  info.setUint32(0, next(40), true);
  if (next(2) === 0) info.setUint32(16, next(9), true);
  return info;
}

it("reads a report of any bytes", () => {
  const next = numbers(seed);
  for (let round = 0; round < 2_000; round += 1) {
    const text = new Uint8Array(Array.from({ length: next(20) }, () => next(256)));
    const program = programReport(randomReport(PROGRAM_SIZE, next), [1, 2, 3]);
    expect(program.maps).toEqual([1, 2, 3]);
    const map = mapReport(randomReport(MAP_SIZE, next), Buffer.from(text).toString("latin1"));
    expect(map.name.length).toBeLessThanOrEqual(16);
    const info = randomReport(LINK_SIZE, next);
    const place = textPlace(info);
    if (place !== null) expect(place.address + 8 <= LINK_SIZE && place.length + 4 <= LINK_SIZE).toBe(true);
    const link = linkReport(info, next(2) === 0 ? null : text);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(linkPlace(link)).not.toMatch(/[\u0000-\u001f\u007f]/);
  }
});

const TEXTS = [
  "36 25 0:31 / /sys/fs/bpf rw,nosuid shared:9 - bpf bpf rw,mode=700\n37 25 0:32 /a /b\\040c rw - bpf none rw\n",
  `0::/system.slice/docker-${"ab".repeat(32)}.scope\n9:name=systemd:/system.slice/ssh.service\n`,
  "pos:\t0\nlink_type:\tcgroup\nlink_id:\t2\nprog_tag:\tab\nprog_id:\t37\n",
].map((text) => Buffer.from(text));

it("reads any text of /proc", () => {
  const next = numbers(seed);
  for (let round = 0; round < 3_000; round += 1) {
    const text = damaged(TEXTS[next(TEXTS.length)]!, next).toString("latin1");
    for (const { device } of mountPoints(text, "bpf")) expect(device).toMatch(/^\d+:\d+$/);
    const { unit, container } = cgroupOwner(text);
    expect(unit ?? "a.service").toMatch(/\.(service|scope)$/);
    expect(container ?? "0".repeat(64)).toMatch(/^[0-9a-f]{64}$/);
    const object = describedObject(text);
    if (object !== null) expect(object.id).toBeGreaterThan(0);
  }
});

it("reads long texts in one pass", () => {
  const long = "0".repeat(1 << 20);
  expect(describedObject(`prog_id:${" ".repeat(1 << 20)}x`)).toBeNull();
  expect(cgroupOwner(`0::/${long}.service`).unit).toHaveLength(long.length + 8);
  expect(mountPoints(`1 2 0:3 / /${"\\040".repeat(1 << 18)} rw - bpf b rw`, "bpf")[0]?.path).toHaveLength(
    (1 << 18) + 1,
  );
});

it("reads any answer of rtnetlink", () => {
  const next = numbers(seed);
  const xdp = attribute(43, attribute(4, Buffer.of(37, 0, 0, 0)));
  const kind = (name: string) => attribute(1, Buffer.from(`${name}\0`));
  const whole = Buffer.concat([
    message(16, 2, [attribute(3, Buffer.from("eth0\0")), xdp]),
    tcMessage(36, 2, 0xffff0000, 0xfffffff1, [kind("clsact")]),
    tcMessage(44, 2, 1, 0xfffffff2, [kind("bpf"), attribute(2, attribute(11, Buffer.of(37, 0, 0, 0)))]),
    message(3, 0, []),
  ]);
  const read = (bytes: Uint8Array) => {
    const { messages } = routeMessages(bytes);
    expect(messages.length).toBeLessThanOrEqual(bytes.byteLength / 16);
    for (const one of messages) {
      expect(interfaceOf(one)?.xdp ?? []).not.toContain(0);
      expect(programFilter(one, { ifindex: 2, parent: 0xfffffff2 })?.program).not.toBe(0);
      expect(filterPlaces(one).length).toBeLessThanOrEqual(2);
    }
  };
  for (let round = 0; round < 3_000; round += 1)
    read(next(4) === 0 ? Buffer.from(Array.from({ length: next(80) }, () => next(256))) : damaged(whole, next));
  for (let length = 0; length < whole.byteLength; length += 1) read(whole.subarray(0, length));
});
