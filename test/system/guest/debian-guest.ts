import { type BootOptions, Guest, type Ran } from "./guest.js";
import { debianKernel, type Kernel } from "./kernel.js";

/** A guest with one of Debian's full kernels, its modules, and this project. Landlock and BPF are LSMs there. */
export class DebianGuest extends Guest<Kernel> {
  readonly #shared: string[] = [];

  /** A guest to be filled, or the reason why there can be none. Without a kernel it is Debian's present one. */
  static make(given?: Kernel): DebianGuest | string {
    const missing = Guest.missing();
    if (missing !== null) return missing;
    const kernel = given ?? debianKernel();
    if (typeof kernel === "string") return kernel;
    const guest = new DebianGuest(kernel);
    guest.countersign();
    return guest;
  }

  /** Adds modules and what they depend on. Returns the commands that load them. */
  modules(names: readonly string[]): readonly string[] {
    return Array.from(this.kernel.withDependencies(names), ([name, bytes]) => {
      this.file(`lib/modules/${name}.ko`, bytes);
      return `insmod /lib/modules/${name}.ko`;
    });
  }

  /**
   * Adds a folder of this machine, into which the guest writes. Returns the commands that mount it, by its path in the
   * guest.
   */
  share(folder: string, path: string): readonly string[] {
    this.#shared.push("-virtfs", `local,path=${folder},mount_tag=shared,security_model=none`);
    const options = "trans=virtio,version=9p2000.L,msize=512000,cache=none";
    return [
      ...this.modules(["virtio_pci", "9p", "9pnet_virtio"]),
      `mkdir -p ${path}`,
      `mount -t 9p -o ${options} shared ${path}`,
    ];
  }

  override run(script: string, options: BootOptions = {}): Ran {
    return super.run(script, { ...DEFAULTS, devices: this.#shared, ...options });
  }
}

const DEFAULTS = { memory: 1536, seconds: 850, commandLine: "lsm=landlock,lockdown,yama,integrity,bpf" };
