/** Where in a VM something is. */

/** Keys from the VM down; null stands for some element of an array. */
export type Path = readonly (string | null)[];

/**
 * A path as text: joined with `.`, null as `*`. A key that contains `.`, `[` or `]` is put in brackets, and brackets in
 * it are escaped with a backslash: `tags[a.b]`, `disks.*.size`.
 */
export function prettyPath(path: Path): string {
  return path.reduce<string>((text, key) => {
    if (key !== null && /[.[\]]/.test(key)) return `${text}[${key.replace(/[[\]]/g, '\\$&')}]`;
    return text === '' ? (key ?? '*') : `${text}.${key ?? '*'}`;
  }, '');
}
