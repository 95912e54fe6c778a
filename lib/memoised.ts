/**
 * What was made of an object, made once and kept as long as the object is.
 *
 * @param known What has been made already.
 */
export function memoised<K extends object, V extends object | boolean>(
  known: WeakMap<K, V>,
  key: K,
  make: (key: K) => V,
): V {
  let value = known.get(key);
  if (value === undefined) {
    value = make(key);
    known.set(key, value);
  }
  return value;
}
