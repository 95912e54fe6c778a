/**
 * One character for each line. Ink takes a screen apart character by character, which for whole lines takes longer than
 * everything else: so it arranges these, and they become the lines on their way to the terminal.
 */

/** Private characters of Unicode; there are more than a screen has lines. */
const firstCode = 0xf0000;
const count = 4_096;
const standIns = /[\u{f0000}-\u{f0fff}]/gu;

export class StandIns {
  /** By character; the older are kept for what has not been written yet. */
  readonly #lines: string[] = [];
  #current: ReadonlyMap<string, string> = new Map();
  #next = 0;

  /** A character for each of these lines: the same as before if the line was on the screen before. */
  of(lines: readonly string[]): readonly string[] {
    const before = this.#current;
    const used = new Set(before.values());
    const current = new Map<string, string>();
    for (const line of lines) {
      if (!current.has(line)) current.set(line, before.get(line) ?? this.#unused(line, used));
    }
    this.#current = current;
    return lines.map((line) => current.get(line) ?? '');
  }

  /** Text with the lines in place of their characters. */
  replace(text: string): string {
    return text.replace(standIns, (standIn) => this.#lines[(standIn.codePointAt(0) ?? 0) - firstCode] ?? '');
  }

  #unused(line: string, used: ReadonlySet<string>): string {
    let index: number;
    let standIn: string;
    do {
      index = this.#next++ % count;
      standIn = String.fromCodePoint(firstCode + index);
    } while (used.has(standIn));
    this.#lines[index] = line;
    return standIn;
  }
}
