import { execFileSync } from "node:child_process";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { Attached, type Line, needsScan, scanned } from "./scan-site.js";

const attached = new Attached();

beforeEach(async (context) => {
  needsScan(context, "bpftool", "gcc", "unshare");
  await attached.start();
});
afterAll(() => attached.stop());

function listed(kind: string): readonly Line[] {
  return JSON.parse(execFileSync("bpftool", ["-j", kind], { encoding: "utf8", maxBuffer: 1 << 28 }));
}

/** The fields of a program, map or link as bpftool has them, made of a line of `scan`. */
const AS_BPFTOOL: Readonly<Record<string, (line: Line) => object>> = {
  program: ({ id, type, name, tag, gpl_compatible, uid, loaded_at, translated_bytes, jited_bytes, maps, btf_id }) => ({
    ...{ id, type, tag, gpl_compatible, uid, bytes_xlated: translated_bytes },
    name: name === "" ? undefined : name,
    loaded_at: Math.floor(Date.parse(loaded_at) / 1000),
    jited: jited_bytes > 0,
    map_ids: maps.length === 0 ? undefined : maps,
    btf_id: btf_id ?? undefined,
  }),
  map: ({ id, type, name, flags, key_size, value_size, max_entries, frozen, btf_id }) => ({
    ...{ id, type, flags, bytes_key: key_size, bytes_value: value_size, max_entries, frozen: frozen ? 1 : 0 },
    name: name === "" ? undefined : name,
    btf_id: btf_id ?? undefined,
  }),
  link: ({ id, type, program }) => ({ id, type, prog_id: program ?? undefined }),
};

/** bpftool prints the whole name of a program's function where the kernel has its first 15 bytes. */
function comparable(kind: string, line: Line): object {
  if (kind === "program") {
    const { id, type, tag, gpl_compatible, uid, bytes_xlated, name, loaded_at, jited, map_ids, btf_id } = line;
    return {
      id,
      type,
      tag,
      gpl_compatible,
      uid,
      bytes_xlated,
      name: name?.slice(0, 15),
      loaded_at,
      jited,
      map_ids,
      btf_id,
    };
  }
  if (kind === "link") return { id: line.id, type: line.type, prog_id: line.prog_id || undefined };
  const { id, type, flags, bytes_key, bytes_value, max_entries, frozen, name, btf_id } = line;
  return { id, type, flags, bytes_key, bytes_value, max_entries, frozen: Number(frozen), name, btf_id };
}

describe("scan", () => {
  it.each([
    ["program", "prog"],
    ["map", "map"],
    ["link", "link"],
  ])("has each %s that bpftool has, and nothing else", (kind, command) => {
    // what comes or goes meanwhile is left out: what is compared was there before and after
    const [first, { lines, status }, last] = [listed(command), scanned(), listed(command)];
    expect(status).toBe(0);
    const ids = new Set(last.map(({ id }) => id));
    const stayed = first.filter(({ id }) => ids.has(id)).map((line) => comparable(kind, line));
    const own = lines.filter((line) => line.kind === kind).map((line) => AS_BPFTOOL[kind]!(line));
    expect(stayed.length).toBeGreaterThan(0);
    for (const line of stayed) {
      const same = own.find((one: Line) => one.id === (line as Line).id) as Line;
      // a second is rounded differently if the clock is set meanwhile
      if (kind === "program" && Math.abs(same?.loaded_at - (line as Line).loaded_at) === 1)
        same.loaded_at = (line as Line).loaded_at;
      // since Linux 6.18 the kernel keeps what was in the buffer, and bpftool shows the id of the map before this one
      if (kind === "map" && same?.btf_id === undefined) (line as Line).btf_id = undefined;
      expect(same).toEqual(line);
    }
    const seen = new Set([...first, ...last].map(({ id }) => id));
    const highest = Math.max(...seen);
    expect(
      own.filter((line: Line) => line.id <= highest && !seen.has(line.id) && stayed.length === first.length),
    ).toEqual([]);
  });

  it("says what links attach to", () => {
    const { lines } = scanned();
    const target = (name: string) =>
      lines.find((line) => line.kind === "link" && line.program === attached.ids.get(name))?.target;
    const places = {
      scan_tcx: { ifindex: 1, attach_type: "tcx_ingress" },
      scan_xdp: { ifindex: 1 },
      scan_lookup: { attach_type: "sk_lookup", netns_ino: expect.any(Number) },
      scan_raw: { tp_name: "sched_wakeup_new" },
    };
    for (const [name, place] of Object.entries(places))
      if (attached.ids.has(name)) expect([name, target(name)]).toEqual([name, place]);
    expect(attached.ids.size).toBeGreaterThan(1);
  });
});
