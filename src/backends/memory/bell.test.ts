import { expect, it, vi } from "vitest";
import { bell } from "./bell.js";

const longMs = 60_000;

it("Many rings in one turn are heard once, by everybody", async () => {
  const { listen, ring } = bell();
  const [first, second] = [vi.fn(), vi.fn()];
  listen(first);
  listen(second);

  ring();
  ring();
  await Promise.resolve();
  ring();
  await Promise.resolve();

  expect([first.mock.calls.length, second.mock.calls.length]).toEqual([2, 2]);
});

it("Who stops listening hears nothing more, and one of two listenings can stop alone", async () => {
  const { listen, ring } = bell();
  const heard = vi.fn();
  const stop = listen(heard);
  listen(heard);

  stop();
  stop();
  ring();
  await Promise.resolve();

  expect(heard).toHaveBeenCalledTimes(1);
});

it("A wait ends at a ring, after its time, or when a signal aborts, and leaves nothing behind", async () => {
  const { wait, ring } = bell();
  const end = new AbortController();
  const added = vi.spyOn(end.signal, "addEventListener");
  const removed = vi.spyOn(end.signal, "removeEventListener");

  const rung = wait(longMs, [end.signal]);
  ring();
  await rung;
  await wait(1, [undefined, end.signal]);
  const aborted = wait(longMs, [end.signal]);
  end.abort();
  await aborted;

  expect(removed).toHaveBeenCalledTimes(added.mock.calls.length);
});
