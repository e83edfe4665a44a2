import type { RedisServer } from "./redis.js";

/** Moves the slot of a key as `redis-cli --cluster reshard` does: step by step, with the slot open on both nodes for a while. */
export async function moveSlot(nodes: readonly RedisServer[], key: string): Promise<void> {
  const slot = Number(nodes[0]!.cli("cluster", "keyslot", key));
  const owners = nodes.map((node) =>
    node
      .cli("cluster", "nodes")
      .split("\n")
      .find((line) => line.includes("myself"))!,
  );
  const from = owners.findIndex((line) => ownsSlot(line, slot));
  const to = (from + 1) % nodes.length;
  const [source, target] = [nodes[from]!, nodes[to]!];
  const idOf = (index: number): string => owners[index]!.split(" ")[0]!;
  target.cli("cluster", "setslot", String(slot), "importing", idOf(from));
  source.cli("cluster", "setslot", String(slot), "migrating", idOf(to));
  for (;;) {
    const keys = source.cli("cluster", "getkeysinslot", String(slot), "7").split("\n").filter(Boolean);
    if (keys.length === 0) break;
    source.cli("migrate", "127.0.0.1", String(target.port), "", "0", "5000", "KEYS", ...keys);
  }
  for (const node of [target, source, ...nodes]) node.cli("cluster", "setslot", String(slot), "node", idOf(to));
}

function ownsSlot(line: string, slot: number): boolean {
  return line
    .split(" ")
    .slice(8)
    .some((range) => {
      const [first = -1, last = first] = range.split("-").map(Number);
      return slot >= first && slot <= last;
    });
}
