/**
 * `base` with some members of its own. Works with literals and with classes that have private fields, and passes on what
 * the contract gains later.
 */
export function over<T extends object>(base: T, own: Partial<T>): T {
  const bound = new Map<PropertyKey, unknown>();
  return new Proxy(base, {
    get(target, key) {
      if (Object.hasOwn(own, key)) return own[key as keyof T];
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function") return value;
      if (!bound.has(key)) bound.set(key, value.bind(target));
      return bound.get(key);
    },
  });
}
