/** The review of parameters by which the guard denies modules (never-modules.ts), against Debian's kernels. */

import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { moduleName } from "../../../src/gate/commands/module-name.js";
import { moduleNameOf, NEVER_MODULES } from "../../../src/seal/guard/never-modules.js";
import { Guest } from "../guest/guest.js";
import { kernelOfSuite } from "../guest/kernel.js";
import type { DebianKernel } from "./debian-kernels.js";
import { KernelModule, type ModuleParameter } from "./module-parameters.js";

const isShort = process.env.COUNTERSIGN_NIGHTLY === undefined;
const KERNELS: readonly DebianKernel[] = isShort ? ["6.12"] : ["6.12", "6.18", "7.3"];
const NAMES = new Set(NEVER_MODULES.map(({ name }) => name));

/** Parameters that the patterns find, and by which root names no address or port that is written. By module. */
const REVIEWED: Readonly<Record<string, string>> = {
  "3c59x": "global_use_mmio use_mmio",
  aacraid: "expose_physicals",
  acquirewdt: "wdt_start wdt_stop",
  amdgpu: "vm_size",
  atl1e: "rx_mem_size",
  be2iscsi: "be_max_phys_size beiscsi_log_enable",
  bfa: "bfa_io_max_sge bfa_linkup_delay max_rport_logins num_rports",
  bnx2fc: "devloss_tmo",
  cx18: "mmio_ndelay retry_mmio",
  ddbridge: "adapter_alloc dummy_tuner ts_loop",
  e100: "use_io",
  fnic: "io_completions",
  hfcmulti: "port",
  hfi1: "max_ahs",
  i915: "lmem_size mmio_debug",
  ib_mthca: "num_udav",
  ib_qib: "krcvqs max_ahs singleport",
  ipr: "max_devs",
  it8712f_wdt: "wdt_control_reg",
  ivtv: "cardtype",
  ixgbe: "max_vfs",
  ksz884x: "mac1addr macaddr",
  lpfc: "lpfc_cr_count lpfc_debugfs_max_nvmeio_trc lpfc_delay_discovery lpfc_devloss_tmo lpfc_enable_nvmet lpfc_fcp_cpu_map lpfc_fcp_io_sched lpfc_hdw_queue lpfc_nodev_tmo lpfc_peer_port_login lpfc_restrict_login",
  matroxfb_base: "mem novga",
  megaraid: "max_sectors_per_io",
  megaraid_mbox: "fast_load max_sectors",
  megaraid_sas: "max_sectors poll_queues resetwaittime throttlequeuedepth",
  mlx4_core: "log_num_mac log_num_vlan port_type_array",
  mpi3mr: "max_sgl_entries poll_queues",
  mpt3sas: "missing_delay poll_queues",
  nvme: "io_queue_depth max_host_mem_size_mb poll_queues",
  parport_pc: "init_mode",
  pcmcia: "io_speed",
  pcmcia_rsrc: "probe_mem",
  pcmciamtd: "mem_speed mem_type",
  pcnet_cs: "hw_addr if_port mem_speed use_shmem",
  qla2xxx: "ql2xabts_wait_nvme ql2xextended_error_logging ql2xfwloadbin ql2xgffidenable qlport_down_retry",
  radeon: "vm_size",
  ramoops: "mem_name mem_size mem_type",
  saa7134: "tsbufs",
  sata_mv: "irq_coalescing_io_count",
  sbc60xxwdt: "wdt_start wdt_stop",
  sisfb: "mem",
  smartpqi: "expose_ld_first",
  smc91c92_cs: "if_port",
  snd_emu10k1: "seq_ports",
  snd_ice1712: "omni",
  snd_indigoio: "enable id index",
  snd_mtpav: "hwports",
  snd_nm256: "buffer_top",
  snd_serial_u16550: "base",
  snd_soc_avs: "i2s_test",
  sstfb: "mem",
  sunhme: "macaddr",
  sym53c8xx: "excl",
  tlan: "aui speed",
  typhoon: "use_mmio",
  viafb: "viafb_dvi_port viafb_lcd_port",
  w83627hf: "force_i2c",
  xirc2ps_cs: "if_port",
};

/** By which a driver takes addresses and ports that no bus gave it; buses use them, too. */
const REGIONS = /ioremap|memremap|ioport_map|request_region|acpi_os_map|insert_resource/;
const WORDS =
  /\b(?:io|iobase|ioport|i\/o|mmio|phys|physical|mem|shmem|addr|address|base|ports?|hotmod|location|region|map)\b|addr\b/i;

function isCandidate({ name, description, type, isHardware }: ModuleParameter): boolean {
  if (isHardware || type === "bool" || type === "invbool") return false;
  return WORDS.test(`${name} ${description}`.replaceAll("_", " "));
}

function contentsOf(file: string): Uint8Array {
  return spawnSync("xz", ["-dc", file], { maxBuffer: 1 << 28 }).stdout;
}

describe.each(KERNELS)("module parameters of Debian's kernel %s", (name) => {
  it("of modules that are always denied are there, and not marked as addresses", ({ skip }) => {
    const kernel = Guest.missing() ?? kernelOfSuite(name);
    if (typeof kernel === "string") return skip(kernel);
    const found = NEVER_MODULES.filter((row) => kernel.has(row.name));
    expect(found.length).toBeGreaterThan(7);
    for (const { name: module, parameter } of found) {
      const bytes = kernel.module(module);
      expect(moduleNameOf(bytes)).toBe(module);
      const parameters = new KernelModule(bytes).parameters();
      // Linux 7.3 has the module without the parameter
      if (module === "pata_legacy" && name === "7.3") continue;
      expect(
        parameters.find((each) => each.name === parameter),
        module,
      ).toMatchObject({ isHardware: false });
    }
  });

  it("that could name an address were reviewed, all of them", { timeout: 1_800_000 }, ({ skip }) => {
    if (isShort) return skip("reads 4,000 modules: nightly");
    const kernel = kernelOfSuite(name);
    if (typeof kernel === "string") return skip(kernel);
    const files = readdirSync(kernel.folder, { recursive: true, encoding: "utf8" });
    const modules = files.filter((file) => file.endsWith(".ko.xz")).map((file) => join(kernel.folder, file));
    expect(modules.length).toBeGreaterThan(3000);
    const unreviewed: string[] = [];
    for (const file of modules) {
      const bytes = contentsOf(file);
      const module = moduleNameOf(bytes);
      expect(module, file).toBe(basename(file, ".ko.xz").replaceAll("-", "_"));
      expect(moduleName(bytes), `${file}: a gate denies a module with two names`).toBe(module);
      if (NAMES.has(module!)) continue;
      const parsed = new KernelModule(bytes);
      const candidates = parsed.parameters().filter(isCandidate);
      if (candidates.length === 0 || !parsed.imports().some((symbol) => REGIONS.test(symbol))) continue;
      const known = REVIEWED[module!]?.split(" ") ?? [];
      for (const each of candidates)
        if (!known.includes(each.name)) unreviewed.push(`${module} ${each.name}: ${each.description}`);
    }
    expect(unreviewed).toEqual([]);
  });
});
