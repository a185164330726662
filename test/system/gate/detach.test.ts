import { describe, expect, it } from "vitest";
import { siteForTests, XDP_PASS } from "./site.js";
import { cgroupForTests } from "./test-cgroup.js";

const TC = XDP_PASS.replace('section("xdp")', 'section("tc")').replaceAll("xdp_md", "__sk_buff");
const BPF_XDP_LINK = "xdp-link v0 $BPF/pin";
const TCX = 46;
const EGRESS = 1;

/** How somebody outside attached a program, what root inside does about it, and whether the program is left then. */
interface Row {
  /** Leaves its id in $ID, and has it held by nothing else than what it is attached by, or by the file $BPF/pin. */
  readonly attached: string;
  readonly detaches: string;
  readonly left: "attached" | "detached";
  /** What the command says, if that counts. */
  readonly said?: string;
}

const others = (how: string) => `ID=$($OTHERS ${how} | sed "s/attached //")`;
const XDP = `ip link set dev v0 xdp obj $XDP sec xdp
  ID=$(ip -d link show dev v0 | sed -n "s/.*prog.xdp id \\([0-9]*\\).*/\\1/p")`;
const FILTER = `tc qdisc add dev v0 clsact; tc filter add dev v0 ingress bpf da obj $TC sec tc
  ID=$(tc filter show dev v0 ingress | sed -n "s/.* id \\([0-9]*\\).*/\\1/p")`;
const LINK = others("raw-link $BPF/pin");

/** Nothing of this reaches the gate: nobody decides about it, and nothing is logged. */
const UNSEEN: Readonly<Record<string, Row>> = {
  "`ip link … xdp off` of what netlink attached": {
    attached: XDP,
    detaches: "ip link set dev v0 xdp off",
    left: "detached",
  },
  "`bpftool net detach xdp` of the same": {
    attached: XDP,
    detaches: "bpftool net detach xdp dev v0",
    left: "detached",
  },
  "`ip link … xdp off` of a link": {
    attached: others(BPF_XDP_LINK),
    detaches: "ip link set dev v0 xdp off",
    left: "attached",
  },
  "`tc filter del`": { attached: FILTER, detaches: "tc filter del dev v0 ingress", left: "detached" },
  "`tc qdisc del` of a filter": { attached: FILTER, detaches: "tc qdisc del dev v0 clsact", left: "detached" },
  "`tc qdisc del` beside a link of tcx": {
    attached: `tc qdisc add dev v0 clsact; ${others("tcx-link v0 $BPF/pin")}`,
    detaches: "tc qdisc del dev v0 clsact",
    left: "attached",
  },
  "`ip link … netns` of a device with a filter": {
    attached: FILTER,
    detaches:
      'unshare -n sh -c "echo > $OTHER; read line < $OTHER" & read line < $OTHER; ip link set v0 netns $!; echo > $OTHER; wait',
    left: "detached",
  },
  "`ip link del` of a device with a program by netlink": {
    attached: XDP,
    detaches: "ip link del v0",
    left: "detached",
  },
  "`rm` of a pin": { attached: LINK, detaches: "rm $BPF/pin", left: "detached" },
  "`mv` of a pin": { attached: LINK, detaches: "mv $BPF/pin $BPF/elsewhere", left: "attached" },
  "`mv` of another file over a pin": {
    attached: `${LINK}; $OTHERS raw-link $BPF/other > /dev/null`,
    detaches: "mv -f -T $BPF/other $BPF/pin",
    left: "detached",
  },
  "`rm -r` of a folder with a pin": {
    attached: `mkdir $BPF/folder; ${others("raw-link $BPF/folder/pin")}`,
    detaches: "rm -r $BPF/folder",
    left: "detached",
  },
  "`umount` of the only mount of its file system": { attached: LINK, detaches: "umount $BPF", left: "detached" },
  "a new file system over that of the pins": { attached: LINK, detaches: "mount -t bpf none $BPF", left: "attached" },
};

/** Calls of bpf(2), which the gate decides about. */
const SEEN: Readonly<Record<string, Row>> = {
  "BPF_LINK_DETACH of a pinned link": {
    attached: others(BPF_XDP_LINK),
    detaches: "$OTHERS detach-pin $BPF/pin",
    left: "attached",
    said: "opening: EPERM",
  },
  "BPF_LINK_DETACH of a link by its id": {
    attached: `${others(BPF_XDP_LINK)}; LINK=$(bpftool -j link show pinned $BPF/pin | sed 's/{"id":\\([0-9]*\\).*/\\1/')`,
    detaches: "$OTHERS detach-link $LINK",
    left: "attached",
    said: "opening: EPERM",
  },
  "BPF_PROG_DETACH of a program by its id": {
    attached: others("tcx v0"),
    detaches: `$OTHERS detach-by-id ${TCX} v0 $ID`,
    left: "attached",
    said: "opening: EPERM",
  },
  "BPF_PROG_DETACH of a program by its id from a cgroup": {
    attached: others("cgroup $CGROUP"),
    detaches: `$OTHERS detach-by-id ${EGRESS} $CGROUP $ID`,
    left: "attached",
    said: "opening: EPERM",
  },
};

/** BPF_PROG_DETACH that names no program: the kernel takes what is attached. */
const NAMELESS: Readonly<Record<string, Row>> = {
  "from a device": { attached: others("tcx v0"), detaches: `$OTHERS detach-any ${TCX} v0`, left: "detached" },
  "from a device, by bpftool": {
    attached: others("tcx v0"),
    detaches: "bpftool net detach tcx_ingress dev v0",
    left: "detached",
  },
  "from a cgroup": {
    attached: others("cgroup $CGROUP"),
    detaches: `$OTHERS detach-any ${EGRESS} $CGROUP`,
    left: "detached",
  },
};

/** Runs the attempts of rows, one after the other, each with a new device and file system, behind one gate. */
const SCRIPT = `
mkfifo $TRY $TRIED $OTHER
"$@" sh -c 'while read -r try < $TRY && [ "$try" != end ]; do eval "$try" > $SAID 2>&1; echo > $TRIED; done' &
attempt() {
  ID= LINK=; mount -t bpf none $BPF; ip link add v0 type veth peer name v1
  eval "$2"
  [ -n "$ID" ] || exit 9
  echo "ID=$ID LINK=$LINK; $3" > $TRY; read line < $TRIED
  echo "$1: $($OTHERS there $ID): $(cat $SAID)"
  [ ! -d "$CGROUP" ] || $OTHERS detach-any ${EGRESS} $CGROUP > /dev/null
  umount $BPF 2> /dev/null; umount $BPF 2> /dev/null; ip link del v0 2> /dev/null; true
}
`;
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

/** What docs/threat-model.md says of programs and links that the gate did not hand out. */
describe("a program that somebody outside attached", () => {
  const site = siteForTests("export const bpf_prog_load = () => 0;", [
    "gcc",
    "clang-19",
    "bpftool",
    "ip",
    "tc",
    "unshare",
  ]);
  const cgroup = cgroupForTests();

  /** What is left of each program when a command behind the gate has tried, and what the command said. */
  const attempts = (rows: Readonly<Record<string, Row>>) => {
    const { folder, bpffs } = site();
    const files = {
      ...{ BPF: bpffs, SAID: `${folder}/said`, CGROUP: cgroup.folder },
      ...{ TRY: `${folder}/try`, TRIED: `${folder}/tried`, OTHER: `${folder}/other` },
    };
    const programs = {
      OTHERS: site().attack("others"),
      XDP: site().object("xdp", XDP_PASS),
      TC: site().object("tc", TC),
    };
    const inside = Object.entries({ ...files, ...programs }).map(([name, value]) => `${name}=${value}`);
    const calls = Object.entries(rows).map(([name, row]) =>
      ["attempt", ...[name, row.attached, row.detaches].map(quoted)].join(" "),
    );
    site().bare("rm", "-f", files.TRY, files.TRIED, files.OTHER);
    const script = [SCRIPT, ...calls, "echo end > $TRY", "wait"].join("\n");
    const words = ["env", ...inside, "unshare", "-n", "-m", "sh", "-c", script, "sh", ...site().words()];
    const { stdout } = site().bare(...words);
    return Object.fromEntries(
      [...stdout.matchAll(/^(.*): (attached|detached): ?(.*)$/gm)].map(([, ...its]) => [its[0], its]),
    );
  };
  const expected = (rows: Readonly<Record<string, Row>>) =>
    Object.fromEntries(
      Object.entries(rows).map(([name, { left, said }]) => [name, [name, left, said ?? expect.any(String)]]),
    );
  const decided = () => site().log.filter(({ subject: { name } }) => /DETACH|PIN/.test(name));

  it("is detached by netlink, by files and by calls that name no program, without anybody deciding about it", (context) => {
    cgroup.needed(context);
    const rows = { ...UNSEEN, ...NAMELESS };
    expect(attempts(rows)).toEqual(expected(rows));
    expect(decided()).toEqual([]);
  });

  it("cannot be opened, and so not detached by a call that names it or its link", (context) => {
    cgroup.needed(context);
    expect(attempts(SEEN)).toEqual(expected(SEEN));
    const rules = site()
      .log.filter(({ denied_by }) => denied_by !== null)
      .map(({ denied_by }) => denied_by?.rule);
    expect(rules).toEqual(Object.keys(SEEN).map(() => "existing"));
  });

  it("is detached by a call that names no program only if policies at hook bpf allow that", (context) => {
    cgroup.needed(context);
    site().policy(`
      import { deny } from "countersign";
      export const bpf_prog_load = () => 0;
      export const bpf = ({ name, program }) =>
        name === "BPF_PROG_DETACH" && program === null ? deny("names no program") : 0;
    `);
    const denied = Object.fromEntries(
      Object.entries(NAMELESS).map(([name, row]): [string, Row] => [name, { ...row, left: "attached" }]),
    );
    expect(attempts(denied)).toEqual(expected(denied));
    expect(decided().map(({ denied_by }) => denied_by?.reason)).toEqual(
      Object.keys(NAMELESS).map(() => "policy: names no program"),
    );
  });
});

describe("a program that somebody outside attached to what a command inherits", () => {
  const site = siteForTests("export const bpf_prog_load = () => 0;", ["gcc"]);

  it.each(["socket", "event"])("is detached by the command, unseen: %s", (what) => {
    const program = site().attack("others");
    const { stdout } = site().bare(program, what, ...site().words(program, `detach-${what}`));
    expect(stdout).toBe("detaching: done\ndetached\n");
    expect(site().log).toEqual([]);
  });
});
