import { literalStart, matchesAlias, moduleName, modulesOfFiles, normalizedAlias } from "./module-alias.js";
import { moduleNameOf } from "./module-btf.js";

/** The texts that depmod(8) writes beside the modules of a kernel; empty for a file that is not there. */
export interface IndexTexts {
  readonly dep: string;
  readonly alias: string;
  readonly softdep: string;
  readonly weakdep: string;
  /** Paths of modules that are part of the kernel's image. */
  readonly builtin: string;
}

interface Alias {
  readonly pattern: string;
  readonly module: string;
}

interface IndexedModule {
  /** Relative to the folder of the kernel's modules, or absolute. */
  readonly path: string;
  /** Names of modules that are loaded before it, all of them (modules.dep(5)). */
  readonly needs: readonly string[];
}

/** The modules of one kernel: their paths, aliases and dependencies. Names have `_` for `-`. */
export class ModuleIndex {
  readonly #modules = new Map<string, IndexedModule>();
  /** By the bus: what an alias has before its first colon. Null for patterns with a wildcard there. */
  readonly #aliases = new Map<string | null, Alias[]>();
  /** What modprobe also loads, before or after a module: names or aliases (modprobe.d(5): softdep, weakdep). */
  readonly #also = new Map<string, string[]>();
  readonly #builtin: ReadonlySet<string>;

  constructor({ dep, alias, softdep, weakdep, builtin }: IndexTexts) {
    for (const line of linesOf(dep)) {
      const [path = "", needed = ""] = line.split(":");
      const name = moduleNameOf(path);
      if (name === null) continue;
      this.#modules.set(name, { path, needs: modulesOfFiles(wordsOf(needed)) });
    }
    for (const line of linesOf(alias)) {
      const [word, pattern, module] = wordsOf(line);
      if (word === "alias" && pattern !== undefined && module !== undefined) this.#addAlias(pattern, module);
    }
    for (const line of [...linesOf(softdep), ...linesOf(weakdep)]) {
      const [word, module, ...others] = wordsOf(line);
      if ((word !== "softdep" && word !== "weakdep") || module === undefined) continue;
      const also = this.#also.get(moduleName(module)) ?? [];
      this.#also.set(moduleName(module), also);
      also.push(...others.filter((other) => other !== "pre:" && other !== "post:"));
    }
    this.#builtin = new Set(modulesOfFiles(linesOf(builtin)));
  }

  get names(): readonly string[] {
    return [...this.#modules.keys()];
  }

  /** Null if the kernel has no such module. */
  pathOf(name: string): string | null {
    return this.#modules.get(moduleName(name))?.path ?? null;
  }

  /** Whether the kernel's image has it. */
  isBuiltIn(name: string): boolean {
    return this.#builtin.has(moduleName(name));
  }

  /** The modules below folders of the kernel's source, such as `fs/`. */
  below(folders: readonly string[]): readonly string[] {
    const starts = folders.map((folder) => `kernel/${folder}`);
    return this.names.filter((name) => starts.some((start) => this.#modules.get(name)!.path.startsWith(start)));
  }

  /** The modules that modprobe loads for an alias, such as the modalias of a device. */
  matching(alias: string): readonly string[] {
    const normalized = normalizedAlias(alias);
    const candidates = [...(this.#aliases.get(busOf(normalized)) ?? []), ...(this.#aliases.get(null) ?? [])];
    const found = candidates.filter(({ pattern }) => matchesAlias(pattern, normalized));
    return [...new Set(found.map(({ module }) => module))];
  }

  /** What modprobe(8) loads with a module, directly or through others; without those that this kernel lacks. */
  loadedWith(name: string): readonly string[] {
    const found = new Set([moduleName(name)]);
    for (const each of found) {
      for (const need of this.#modules.get(each)?.needs ?? []) found.add(need);
      for (const word of this.#also.get(each) ?? []) for (const other of this.#resolve(word)) found.add(other);
    }
    found.delete(moduleName(name));
    return [...found].filter((each) => this.#modules.has(each));
  }

  #resolve(word: string): readonly string[] {
    return this.#modules.has(moduleName(word)) ? [moduleName(word)] : this.matching(word);
  }

  #addAlias(pattern: string, module: string): void {
    const normalized = normalizedAlias(pattern);
    const bus = literalStart(normalized).includes(":") ? busOf(normalized) : isLiteral(normalized) ? normalized : null;
    const aliases = this.#aliases.get(bus) ?? [];
    this.#aliases.set(bus, aliases);
    aliases.push({ pattern: normalized, module: moduleName(module) });
  }
}

function isLiteral(pattern: string): boolean {
  return literalStart(pattern).length === pattern.length;
}

function busOf(alias: string): string {
  return alias.split(":", 1)[0]!;
}

function linesOf(text: string): readonly string[] {
  return text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

function wordsOf(text: string): readonly string[] {
  return text
    .trim()
    .split(/\s+/)
    .filter((word) => word !== "");
}
