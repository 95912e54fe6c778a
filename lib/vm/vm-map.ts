/**
 * An immutable map: each new version shares all but a small part with the previous one, so that readers can keep the
 * state of any commit, at a cost that hardly depends on the number of VMs.
 */

/** Parts, each copied when something in it changes. With a thousand VMs a part has some sixteen. */
const shardCount = 64;

/** By zonename, in an order that depends on the names only. */
export class VmMap<T> {
  readonly #shards: readonly ReadonlyMap<string, T>[];
  readonly size: number;

  private constructor(shards: readonly ReadonlyMap<string, T>[], size: number) {
    this.#shards = shards;
    this.size = size;
  }

  static empty<T>(): VmMap<T> {
    return new VmMap<T>(new Array<ReadonlyMap<string, T>>(shardCount).fill(new Map()), 0);
  }

  get(zonename: string): T | undefined {
    return this.#shards[shardOf(zonename)]?.get(zonename);
  }

  has(zonename: string): boolean {
    return this.get(zonename) !== undefined;
  }

  *values(): Iterable<T> {
    for (const shard of this.#shards) yield* shard.values();
  }

  *keys(): Iterable<string> {
    for (const shard of this.#shards) yield* shard.keys();
  }

  /** A version that includes this VM. */
  with(zonename: string, value: T): VmMap<T> {
    return this.#changed(zonename, (shard) => shard.set(zonename, value));
  }

  /** A version without this VM. */
  without(zonename: string): VmMap<T> {
    return this.#changed(zonename, (shard) => shard.delete(zonename));
  }

  #changed(zonename: string, change: (shard: Map<string, T>) => unknown): VmMap<T> {
    const index = shardOf(zonename);
    const before = this.#shards[index];
    const shard = new Map(before);
    change(shard);
    return new VmMap(this.#shards.with(index, shard), this.size - (before?.size ?? 0) + shard.size);
  }
}

function shardOf(zonename: string): number {
  let hash = 0;
  for (let index = 0; index < zonename.length; index++) hash = (hash * 31 + zonename.charCodeAt(index)) | 0;
  return (hash >>> 0) % shardCount;
}
