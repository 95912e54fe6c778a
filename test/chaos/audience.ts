/**
 * Those who listen to the daemon: some that come and go, and a witness that stays, so that everything is counted once.
 */
import type { Findings } from './findings.js';
import { follow, type Follower } from './follower.js';

const size = 4;

/** The listeners of one daemon. */
export class Audience {
  readonly witness: Follower;
  /** How many were opened, without the witness. */
  opened = 0;
  readonly #url: string;
  readonly #findings: Findings;
  readonly #followers: Follower[] = [];

  private constructor(url: string, findings: Findings, witness: Follower) {
    this.#url = url;
    this.#findings = findings;
    this.witness = witness;
  }

  /** Opens them all. */
  static async at(url: string, findings: Findings): Promise<Audience> {
    const witness = await follow(url, {
      onProblem: findings.problem,
      onEvent: (event) => {
        findings.heard(event);
      },
    });
    const audience = new Audience(url, findings, witness);
    while (audience.#followers.length < size) await audience.#open();
    return audience;
  }

  all(): readonly Follower[] {
    return [this.witness, ...this.#followers];
  }

  /** One goes, another comes. */
  async change(): Promise<void> {
    this.#followers.shift()?.close();
    await this.#open();
  }

  close(): void {
    for (const follower of this.all()) follower.close();
  }

  async #open(): Promise<void> {
    this.opened++;
    this.#followers.push(await follow(this.#url, { onProblem: this.#findings.problem }));
  }
}
