/**
 * Kernel modules that the guard denies by their names, listed or not: root writes memory or ports of devices by one of
 * their parameters, which is not marked HWPARAM, so that the kernel does not ask hook `locked_down` about it. The guard
 * cannot judge parameters: the kernel copies them after its last hook (load_module() of kernel/module/main.c).
 *
 * The parameters of all modules of Debian's generic kernels 6.12, 6.18 and 7.3 (amd64) were searched by name, type and
 * description; the source was read of these modules and of some twenty others, and the rest judged by what the
 * description says. Places are those of Linux 6.12. test/system/core/module-parameters.test.ts compares these kernels
 * with what was found. In the order of never-modules.bpf.h.
 */
export interface NeverModule {
  /** KBUILD_MODNAME, as in /proc/modules. */
  readonly name: string;
  readonly parameter: string;
  /** Where the kernel declares the parameter. */
  readonly source: string;
  /** What root can do by it. */
  readonly does: string;
  /** Who needs the module: what stops on a sealed machine. */
  readonly stops: string;
}

export const NEVER_MODULES: readonly NeverModule[] = [
  {
    name: "arc_rimi",
    parameter: "io",
    source: "drivers/net/arcnet/arc-rimi.c:312",
    does: "copies each packet of `arc0` to this physical address (line 294)",
    stops: "ARCnet cards of type RIM I (ISA)",
  },
  {
    name: "com90xx",
    parameter: "shmem",
    source: "drivers/net/arcnet/com90xx.c:93",
    does: "writes 0x42 to this physical address if there is 0xD1 (line 245), and later packets",
    stops: "ARCnet cards of type COM90xx (ISA)",
  },
  {
    name: "diskonchip",
    parameter: "doc_config_location",
    source: "drivers/mtd/nand/raw/diskonchip.c:112",
    does: "writes the bytes that reset a chip near this physical address, and then those of an MTD (lines 1331, 312)",
    stops: "M-Systems DiskOnChip 2000 and Millennium",
  },
  {
    name: "ipmi_si",
    parameter: "hotmod",
    source: "drivers/char/ipmi/ipmi_si_hotmod.c:19",
    does: "writes commands of a management controller to any physical address or port, at any time after the load, too",
    stops: "IPMI by KCS, SMIC and BT (`/dev/ipmi0` of most servers; not `ipmi_ssif`, and not IPMI by the network)",
  },
  {
    name: "vt8231",
    parameter: "force_addr",
    source: "drivers/hwmon/vt8231.c:31",
    does: "writes a PCI configuration register (line 979), and then attributes of sensors to these ports (line 175)",
    stops: "sensors of the south bridge VIA VT8231",
  },
  {
    name: "via686a",
    parameter: "force_addr",
    source: "drivers/hwmon/via686a.c:44",
    does: "writes a PCI configuration register (line 861), and then attributes of sensors to these ports (line 334)",
    stops: "sensors of the south bridge VIA 686A",
  },
  {
    name: "sis5595",
    parameter: "force_addr",
    source: "drivers/hwmon/sis5595.c:63",
    does: "writes a PCI configuration register (line 812), and then attributes of sensors to these ports (line 207)",
    stops: "sensors of the south bridge SiS 5595",
  },
  {
    name: "advantechwdt",
    parameter: "wdt_start",
    source: "drivers/watchdog/advantechwdt.c:67",
    does: "writes a number from 1 to 63 to this port (line 89)",
    stops: "watchdogs of Advantech's single board computers with ISA",
  },
  {
    name: "pata_legacy",
    parameter: "winbond",
    source: "drivers/ata/pata_legacy.c:121",
    does: "writes registers of a controller to ports behind this one (line 795)",
    stops: "ATA disks on ISA and VLB",
  },
  {
    name: "floppy",
    parameter: "floppy",
    source: "drivers/block/floppy.c:5016",
    does: "`two_fdc` names the port of the second controller, to which commands are written (lines 4388, 601)",
    stops: "floppy disk drives",
  },
  {
    name: "comedi",
    parameter: "comedi_num_legacy_minors",
    source: "drivers/comedi/comedi_fops.c:73",
    does: "allows ioctl COMEDI_DEVCONFIG, by which drivers such as 8255 write any bytes to the ports that it names",
    stops: "data acquisition boards (Comedi), also those on PCI and USB",
  },
];

/** By KBUILD_MODNAME, which modpost writes into section .modinfo of each module. */
const BY_NAME = new Map(NEVER_MODULES.map((row) => [row.name, row]));

/** Why the guard denies a module always; null if it does not. `contents` are those of the module, not compressed. */
export function whyNeverModule(contents: Uint8Array): string | null {
  const row = BY_NAME.get(moduleNameOf(contents) ?? "");
  if (row === undefined) return null;
  return `the guard always denies ${row.name}: its parameter \`${row.parameter}\` ${row.does}`;
}

/** The name that a module has in .modinfo; null if there is none. */
export function moduleNameOf(contents: Uint8Array): string | null {
  const bytes = Buffer.from(contents.buffer, contents.byteOffset, contents.byteLength);
  for (let at = bytes.indexOf(START); at !== -1; at = bytes.indexOf(START, at + 1)) {
    const name = /^\w+(?=\0)/.exec(bytes.toString("latin1", at + START.length, at + START.length + MAX_NAME))?.[0];
    if (name !== undefined) return name;
  }
  return null;
}

const START = "\0name=";
/** MODULE_NAME_LEN of include/linux/moduleparam.h. */
const MAX_NAME = 56;
