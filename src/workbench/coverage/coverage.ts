import { dirname, relative, resolve } from "node:path";
import type { Point } from "../../policy/linker/points.js";

/** A point with the number of cases that reached it. */
export interface CountedPoint extends Point {
  count: number;
}

/** Coverage of one file of policies. */
export interface FileCoverage {
  /** Relative to the working directory. */
  readonly file: string;
  readonly lines: Share;
  readonly branches: Share;
  /** What no case reached: lines, and branches as `line:column arm`. */
  readonly missed: readonly string[];
}

export interface Share {
  readonly found: number;
  readonly reached: number;
}

/** Counts how often the tests of policies reach each statement and branch of the policies' files. */
export class Coverage {
  /** Points by file, then by place and branch: several attachments can use one file. */
  readonly #files = new Map<string, Map<string, CountedPoint>>();

  /** `config` is the path of the configuration, to which the files of points are relative. */
  constructor(private readonly config: string) {}

  /** Adds the points of an attachment's policy, and those of them that one case reached, by their numbers. */
  add(points: readonly Point[], reached: ReadonlySet<number>): void {
    for (const [number, point] of points.entries()) {
      const path = relative("", resolve(dirname(this.config), point.file));
      const ofFile = this.#files.get(path) ?? new Map<string, CountedPoint>();
      this.#files.set(path, ofFile);
      const key = `${point.line}:${point.column} ${point.branch?.arm ?? ""}`;
      const counted = ofFile.get(key) ?? { ...point, count: 0 };
      ofFile.set(key, counted);
      if (reached.has(number)) counted.count += 1;
    }
  }

  /** The points of each file in the order of its text. */
  get points(): ReadonlyMap<string, readonly CountedPoint[]> {
    const sorted = [...this.#files].sort(([left], [right]) => (left < right ? -1 : 1));
    const inOrder = (left: Point, right: Point) => left.line - right.line || left.column - right.column;
    return new Map(sorted.map(([file, points]) => [file, [...points.values()].sort(inOrder)]));
  }

  summary(): readonly FileCoverage[] {
    return Array.from(this.points, ([file, points]) => {
      const lines = countsByLine(points);
      const branches = points.filter(({ branch }) => branch !== null);
      const missedLines = [...lines].filter(([, count]) => count === 0).map(([line]) => String(line));
      const missedBranches = branches.filter(({ count, line }) => count === 0 && lines.get(line) !== 0);
      return {
        file,
        lines: { found: lines.size, reached: lines.size - missedLines.length },
        branches: { found: branches.length, reached: branches.filter(({ count }) => count > 0).length },
        missed: [
          ...missedLines,
          ...missedBranches.map(({ line, column, branch }) => `${line}:${column} ${branch!.arm}`),
        ],
      };
    });
  }
}

/** The count of each line on which a statement begins: that of the statement that was reached most often. */
export function countsByLine(points: readonly CountedPoint[]): ReadonlyMap<number, number> {
  const lines = new Map<number, number>();
  for (const { line, branch, count } of points)
    if (branch === null) lines.set(line, Math.max(count, lines.get(line) ?? 0));
  return lines;
}

/** Whether each share is at least `percent`. A file without branches has all of them. */
export function isAtLeast(percent: number, files: readonly FileCoverage[]): boolean {
  return files.every(({ lines, branches }) => percentOf(lines) >= percent && percentOf(branches) >= percent);
}

export function percentOf({ found, reached }: Share): number {
  return found === 0 ? 100 : (100 * reached) / found;
}
