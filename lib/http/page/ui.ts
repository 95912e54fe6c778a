/** What the reader has set on the page and is in no address: and a way to have it drawn again. */
export interface Ui {
  /** The row that the keys are at, by the VM's zonename. */
  cursor: string | undefined;
  /** Entries of the list of changes that are unfolded. */
  readonly unfolded: Set<string>;
  /** Secrets that are shown, as `<zonename> <path>`. */
  readonly revealed: Set<string>;
  /** The newest entry that is shown while the reader looks at older ones. */
  heldAt: string | undefined;
  /** What of the table is in view. */
  readonly viewport: { top: number; height: number };
  /** Whether there is room for a phone's page only. */
  isNarrow: boolean;
  /** Milliseconds since the epoch, to the second, of the last drawing. */
  now: number;
}

export function createUi(): Ui {
  return {
    cursor: undefined,
    unfolded: new Set(),
    revealed: new Set(),
    heldAt: undefined,
    viewport: { top: 0, height: 0 },
    isNarrow: false,
    now: Date.now(),
  };
}
