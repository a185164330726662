import { readdirSync, readFileSync } from "node:fs";
import type { ReportedHookContext, TestCase, TestModule } from "vitest/node";
import type { Reporter } from "vitest/reporters";

const isLong = process.env.COUNTERSIGN_NIGHTLY === "1" || process.env.COUNTERSIGN_COMPLETE === "1";
/**
 * Milliseconds that a test or a hook may take before it is ended from outside: more than any test's own time limit. In
 * a long form, one test may run 2,000 policies without a pause.
 */
const PATIENCE = (isLong ? 240 : 16) * 60_000;

/**
 * Ends what does not come back. A test that waits for a process, blocked, is out of reach of its own time limit, and
 * would keep the whole run waiting without a word. What it waits for is named and killed, so that the test fails and
 * the run goes on; where it waits for nothing, or that was of no use, the worker is, and the file fails; where that is
 * of none either, as with what waits in the kernel for ever, the run ends.
 */
export default class Stalls implements Reporter {
  #timer: NodeJS.Timeout | undefined;
  /** What was last begun in each file that runs. */
  readonly #doing = new Map<string, string>();
  #tries = 0;

  onTestModuleQueued(module: TestModule): void {
    this.#progress(module, "the start");
  }

  onTestModuleEnd(module: TestModule): void {
    this.#progress(module, null);
  }

  onTestCaseReady(test: TestCase): void {
    this.#progress(test.module, test.fullName);
  }

  onTestCaseResult(test: TestCase): void {
    this.#progress(test.module, `what comes after ${test.fullName}`);
  }

  onHookStart({ name, entity }: ReportedHookContext): void {
    this.#progress(moduleOf(entity), entity.type === "module" ? name : `${name} of ${entity.fullName}`);
  }

  onHookEnd({ name, entity }: ReportedHookContext): void {
    this.#progress(moduleOf(entity), `what comes after ${name}`);
  }

  onTestRunEnd(): void {
    clearTimeout(this.#timer);
  }

  #progress({ id, relativeModuleId }: TestModule, doing: string | null): void {
    if (doing === null) this.#doing.delete(id);
    else this.#doing.set(id, `${relativeModuleId} > ${doing}`);
    this.#tries = 0;
    this.#wait();
  }

  #wait(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end(), PATIENCE).unref();
  }

  #end(): void {
    const below = descendants(process.pid, processes());
    const lines = below.map(
      ({ pid, parent, state, waits, words }) => `  ${pid} of ${parent} ${state} ${waits} ${words}`,
    );
    const doing = [...this.#doing.values()].join(", ");
    console.error(`stalled for ${PATIENCE / 1000} s: ${doing}\n${lines.join("\n")}`);
    if (this.#tries === 2) process.exit(1);
    // one that has ended stays until its parent looks, which a worker that is stuck does not
    const alive = below.filter(({ state }) => state !== "Z");
    const workers = alive.filter(({ parent }) => parent === process.pid);
    const others = alive.filter(({ parent }) => parent !== process.pid);
    for (const { pid } of this.#tries === 0 && others.length > 0 ? others : workers) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // it has ended by itself
      }
    }
    this.#tries += 1;
    this.#wait();
  }
}

function moduleOf(entity: ReportedHookContext["entity"]): TestModule {
  return entity.type === "module" ? entity : entity.module;
}

/** One process, as /proc tells it (proc_pid_stat(5)): its state's letter, and where in the kernel it waits. */
interface Running {
  readonly pid: number;
  readonly parent: number;
  readonly state: string;
  readonly waits: string;
  readonly words: string;
}

function processes(): readonly Running[] {
  return readdirSync("/proc").flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    const read = (file: string) => readFileSync(`/proc/${name}/${file}`, "utf8");
    try {
      const [state = "", parent] = read("stat")
        .replace(/^.*\) /s, "")
        .split(" ");
      const words = read("cmdline").split("\0").join(" ").slice(0, 200);
      return [{ pid: Number(name), parent: Number(parent), state, waits: read("wchan"), words }];
    } catch {
      return []; // it has ended meanwhile
    }
  });
}

function descendants(of: number, all: readonly Running[]): readonly Running[] {
  return all.filter(({ parent }) => parent === of).flatMap((child) => [child, ...descendants(child.pid, all)]);
}
