/** Collects the values of an option that may be given several times, for Commander. */
export function append(text: string, before: readonly string[]): string[] {
  return [...before, text];
}
