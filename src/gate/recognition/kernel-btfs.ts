import { ERRNO } from "../../errno.js";
import { type BtfReport, btfReportById, nextBtfId } from "../../sys/btf.js";

/**
 * The BTF objects of the kernel and of its modules, by id as libbpf reads them. Tasks can load any number of other BTF
 * objects, which have ids too, so each id is looked at only once: the kernel gives a new object a higher id
 * (idr_alloc_cyclic), until it has given all 2^31.
 */
export class KernelBtfs {
  #listed: readonly BtfReport[] = [];
  /** All objects up to this id were looked at. */
  #last = 0;

  /** The newest object of each name: the BTF of a module that was unloaded exists as long as somebody holds it. */
  get listed(): readonly BtfReport[] {
    return this.#listed;
  }

  has(id: number): boolean {
    return this.#listed.some((each) => each.id === id);
  }

  /**
   * Looks for objects that are new, and for listed ones that are gone. Returns whether the list changed. Without the
   * right to list objects it does not change.
   */
  refresh(): boolean {
    const listed = this.#listed.filter(({ id }) => nextBtfId(id - 1) === id);
    for (let id = nextBtfId(this.#last); id > 0; id = nextBtfId(id)) {
      const report = btfReportById(id);
      if (typeof report === "number" && report !== -ERRNO.ENOENT) return false;
      this.#last = id;
      if (typeof report !== "number" && report.ofKernel) listed.push(report);
    }
    const newest = [...new Map(listed.map((report) => [report.name, report])).values()].sort((a, b) => a.id - b.id);
    const before = this.#listed;
    this.#listed = newest;
    return newest.length !== before.length || newest.some(({ id }, index) => id !== before[index]!.id);
  }
}
