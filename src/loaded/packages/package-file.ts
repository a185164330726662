/** What a package says of one of its files. */
export interface PackageOfFile {
  readonly name: string;
  readonly version: string;
  /**
   * Whether the file has the checksum (MD5) that the package database has for it; null if that has none. Who may write
   * the file may mostly write the database, too.
   */
  readonly isUnchanged: boolean | null;
}
