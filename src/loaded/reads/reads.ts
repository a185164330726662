/** A result of the kernel: its bytes, or a negative errno. */
export type Raw = Uint8Array | number;

/**
 * Where results of the kernel come from: the kernel itself, or an archive of what it answered to another scan. A view
 * asks for each result by a name, so that both give the same.
 */
export interface Reads {
  /** Whether the kernel itself is asked. */
  readonly isLive: boolean;
  /**
   * A result by its name: a path of components, which is that of a file ({@link components}), or begins with `@` if the
   * view chose it. `read` asks the kernel. The result may not be changed.
   */
  bytes(name: string, read: () => Raw): Raw;
  /** Does what has no result, such as returning to a namespace, if the kernel itself is asked. */
  live(act: () => void): void;
  /** Waits until the results so far are stored, if they are. Call it between views: until then they are in memory. */
  stored(): Promise<void>;
  /** The names that were asked for, and that an archive does not have. */
  readonly missing: readonly string[];
}

/** Asks the kernel, and keeps nothing. */
export const KERNEL: Reads = {
  isLive: true,
  bytes: (_, read) => read(),
  live: (act) => act(),
  stored: () => Promise.resolve(),
  missing: [],
};

/**
 * The name of a result that is read from a file: the components of its path, with `%` and two hex digits for each byte
 * that a name does not have, such as `@`, and for the dots of `.` and `..`.
 */
export function components(path: string): string {
  return path
    .split("/")
    .filter((component) => component !== "")
    .map(escaped)
    .join("/");
}

function escaped(component: string): string {
  return component === "." || component === ".." ? component.replaceAll(".", "%2E") : encodeURIComponent(component);
}
