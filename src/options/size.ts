const units = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 } as const;
const shape = /^(\d+(?:\.\d+)?) ?(B|KB|MB|GB)$/;

/** A size in whole bytes, or `undefined` for what is no size. `"256KB"` is 262,144. */
export function parseSize(value: unknown): number | undefined {
  const bytes = typeof value === "string" ? bytesOf(shape.exec(value)) : value;
  if (typeof bytes !== "number" || !Number.isFinite(bytes) || bytes < 0) return undefined;
  return Math.round(bytes);
}

/** A size for people, in the largest unit that shows it exactly. */
export function formatSize(bytes: number): string {
  const unit = (["GB", "MB", "KB"] as const).find((name) => bytes >= units[name] && bytes % units[name] === 0) ?? "B";
  return `${bytes / units[unit]}${unit}`;
}

function bytesOf(parts: RegExpExecArray | null): number | undefined {
  return parts === null ? undefined : Number(parts[1]) * units[parts[2] as keyof typeof units];
}
