import { describe, expect, it } from "vitest";
import { siteForTests, XDP_PASS } from "./site.js";

const ALLOWING = `
export const bpf_prog_load = () => 0;
`;

/** A program with a map, and a link of it if it is attached. */
const COUNTING = `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, int);
  __type(value, int);
} counts SEC(".maps");
SEC("raw_tp/sys_enter") int count(void *context) {
  int key = 0, *value = bpf_map_lookup_elem(&counts, &key);
  if (value) *value += 1;
  return 0;
}
char _license[] SEC("license") = "GPL";
`;

describe("a tool that lists what the kernel has", () => {
  const site = siteForTests(ALLOWING, ["bpftool", "clang-19"]);

  /** What bpftool lists behind the gate: each list, after a program was loaded there and attached with a link. */
  const listed = (options: readonly string[]) => {
    const own = `${site().bpffs}/own`;
    const commands = [
      `bpftool prog loadall ${site().object("counting", COUNTING)} ${own} autoattach pinmaps ${own}-maps`,
      ...["prog", "map", "link", "net"].map((kind) => `bpftool -j ${kind}`),
      `rm -r ${own} ${own}-maps`,
    ];
    const done = site().runWith(options, {}, "sh", "-ec", commands.join("\n"));
    expect(done).toMatchObject({ status: 0, stderr: "" });
    const [programs, maps, links] = done.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as readonly { readonly name?: string; readonly id: number }[]);
    const names = (list: readonly { readonly name?: string }[] | undefined) => list?.map(({ name }) => name);
    return { programs: names(programs), maps: names(maps), links: links?.length };
  };
  /** Loads a program outside of the gate. Returns its id and name. */
  const stranger = () => {
    const pin = `${site().bpffs}/stranger`;
    if (site().bare("test", "-e", pin).status !== 0)
      expect(site().bare("bpftool", "prog", "load", site().object("stranger", XDP_PASS), pin).status).toBe(0);
    return JSON.parse(site().bare("bpftool", "-j", "prog", "show", "pinned", pin).stdout) as {
      id: number;
      name: string;
    };
  };

  it("lists the objects that were handed out here, and ends without an error where there are others", () => {
    stranger();
    expect(listed([])).toEqual({ programs: ["count"], maps: ["counts"], links: 1 });
    expect(site().log.filter(({ verdict }) => verdict < 0)).toEqual([]);
  });

  it("lists everything where gate.existing is allow, and in audit", () => {
    const { name } = stranger();
    const config = site().write(
      "allow.yaml",
      "version: 1\nlog: { file: log.jsonl }\ngate: { existing: allow }\nattachments: [{ policy: policy.js }]\n",
    );
    for (const options of [["--config", config], ["--audit"]]) {
      const { programs } = listed(options);
      expect(programs).toEqual(expect.arrayContaining([name, "count"]));
    }
  });

  it("is told that another's program may not be opened, and the log says what would allow it", () => {
    const { id } = stranger();
    const { status, stderr } = site().run("bpftool", "prog", "show", "id", String(id));
    expect(status).not.toBe(0);
    expect(stderr).toContain("Operation not permitted");
    expect(site().log.map(({ denied_by }) => denied_by?.reason)).toEqual([
      `gate: program ${id} was not handed out here: gate.existing must be \`allow\` to open it`,
    ]);
  });
});
