/** A mount of a file system. */
export interface MountPoint {
  /** Where it is mounted, as the processes of its mount namespace see it. */
  readonly path: string;
  /** `MAJOR:MINOR` of the file system. */
  readonly device: string;
  /** The folder of the file system that is mounted: `/` for all of it. */
  readonly root: string;
}

/**
 * The mounts of a type in the text of a mountinfo: `36 25 0:31 / /sys/fs/bpf rw - bpf bpf rw`
 * (proc_pid_mountinfo(5)). Optional fields are before the hyphen. Lines of another form are left out.
 */
export function mountPoints(mountinfo: string, type: string): readonly MountPoint[] {
  return mountinfo.split("\n").flatMap((line) => {
    const words = line.split(" ");
    const [, , device, root, path] = words;
    const hyphen = words.indexOf("-", 6);
    if (hyphen < 0 || words[hyphen + 1] !== type || !/^\d+:\d+$/.test(device ?? "")) return [];
    return [{ path: unescaped(path ?? ""), device: device ?? "", root: unescaped(root ?? "") }];
  });
}

/** Spaces, tabs, line breaks and backslashes are octal escapes of bytes. */
function unescaped(text: string): string {
  return text.replace(/\\([0-3][0-7]{2})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
