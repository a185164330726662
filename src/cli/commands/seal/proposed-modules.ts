import { existsSync } from "node:fs";
import { join } from "node:path";
import { CountersignError } from "../../../error.js";
import { CHOICES, leavesOpen, moduleChoice } from "../../input/module-choice.js";
import { type FoundModules, machineModules } from "../../kernel/modules/machine-modules.js";
import { MODULE_SETS } from "../../kernel/modules/module-sets.js";
import { ModuleTree } from "../../kernel/modules/module-tree.js";
import { presentModules } from "../../kernel/modules/present-modules.js";

/** A choice of `seal build --modules`; one of them is proposed. */
export interface ModuleProposal {
  readonly name: string;
  readonly proposed: boolean;
  readonly leaves_open: string;
  readonly reason: string;
}

/** Programs by which a machine uses a set, in the folders of programs. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  firewall: ["nft", "iptables", "ipset", "firewalld"],
  containers: ["runc", "crun", "containerd", "dockerd", "podman", "lxc-start"],
};
const FOLDERS = ["usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin"];

/** Class 0c, subclass 03 of PCI: a USB controller. */
const USB_CONTROLLER = /^pci:.*bc0Csc03/;

interface Found {
  readonly tree: ModuleTree;
  readonly machine: FoundModules;
}

/** What a configuration and its machine have, on which choices depend. */
export interface ModuleNeeds {
  /** The rule about modules: with one, `all-signed` cannot be sealed; without an attachment, none loads by ticket. */
  readonly rule: "attachment" | "default" | null;
  readonly withAgent: boolean;
}

/** The choices of `seal build --modules` for a machine, the proposed one first. Throws FILE_TOO_LARGE. */
export async function proposedModules(
  root: string,
  release: string,
  needs: ModuleNeeds,
): Promise<readonly ModuleProposal[]> {
  const found = await foundIn(root, release);
  const present = typeof found === "string" ? null : presentProposal(found, root);
  const file = {
    name: CHOICES.list.written,
    proposed: present === null,
    leaves_open: CHOICES.list.leavesOpen,
    reason: present === null ? `${found}; an audit and \`learn\` make FILE` : "names what else the machine needs",
  };
  const all = {
    name: "all-signed",
    proposed: false,
    leaves_open: CHOICES["all-signed"].leavesOpen,
    reason:
      needs.rule === null ? "no module is listed" : "cannot be sealed: the configuration has a rule about modules",
  };
  const byTicket = {
    name: "by-ticket",
    proposed: false,
    leaves_open: CHOICES["by-ticket"].leavesOpen,
    reason: whenByTicket(needs),
  };
  return [...(present === null ? [] : [present]), file, byTicket, all];
}

function whenByTicket({ rule, withAgent }: ModuleNeeds): string {
  if (rule !== "attachment") return "loads none: no attachment that enforces decides about modules";
  const agent = withAgent ? "" : "needs an agent (`seal initramfs --with-agent`); ";
  return `${agent}adds to the others what tasks of the agent's containers load; udev and modprobe load what is listed`;
}

/** Why `present` cannot be proposed. */
async function foundIn(root: string, release: string): Promise<Found | string> {
  try {
    return { tree: new ModuleTree(root, release), machine: await machineModules(root, release) };
  } catch (error) {
    if (!(error instanceof CountersignError) || error.code !== "FILE_UNREADABLE") throw error;
    return `${error.place} ${error.message}`;
  }
}

function presentProposal({ tree, machine }: Found, root: string): ModuleProposal {
  const reasons = setReasons({ tree, machine }, root);
  const name = ["present", ...reasons.map(([set]) => set)].join("+");
  const { modules } = presentModules(
    tree.index,
    machine,
    reasons.map(([set]) => set),
  );
  const count = `${modules.length} of ${tree.index.names.length} modules`;
  return {
    name,
    proposed: true,
    leaves_open: leavesOpen(moduleChoice([name])),
    reason: [`${count}: ${machine.notes.join(", ")}`, ...reasons.map(([set, why]) => `${set}: ${why}`)].join("; "),
  };
}

/** The sets that a machine seems to use, each with the reason. */
function setReasons({ tree, machine }: Found, root: string): readonly (readonly [set: string, why: string])[] {
  const hasUsb = (machine.devices ?? []).some((alias) => USB_CONTROLLER.test(alias));
  return MODULE_SETS.flatMap(({ name, folders }) => {
    const own = new Set(tree.index.below(folders));
    const loaded = machine.loaded?.find((module) => own.has(module));
    const program = PROGRAMS[name]?.find((file) => FOLDERS.some((folder) => existsSync(join(root, folder, file))));
    const why =
      program !== undefined
        ? `${program} is installed`
        : hasUsb && (name === "usb" || name === "filesystems")
          ? "there is a USB controller"
          : name === "tc" && loaded !== undefined
            ? `${loaded} is loaded`
            : null;
    return why === null ? [] : [[name, why] as const];
  });
}
