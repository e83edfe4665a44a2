import { measure } from "./processes.mjs";
import { median, summary } from "./statistics.mjs";
import { systems } from "./systems.mjs";

/** A measurement that takes longer has failed, in milliseconds. */
const patienceMs = 300_000;

/**
 * Measures one system once, on an empty database.
 *
 * @param {{ node: string, store: object, settings?: object, own?: object }} on
 */
async function once(name, { verb, options, own }, on) {
  const { script, env } = systems[name];
  const mine = name === "qluster" ? own : { settings: on.settings?.[name]?.[verb] };
  return await on.store.use((place) =>
    measure(on.node, script, [verb, { ...place, ...options, ...mine }], { env, patienceMs }),
  );
}

/**
 * Two systems in turn, so that both meet the same minute of the machine; each goes first every other round. Ratios are
 * taken within a round.
 */
export async function pair(names, one, on, rounds, say) {
  const found = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) found[name].push(await once(name, one, on));
    say(`  ${one.label}, round ${round + 1}: ${names.map((name) => shown(name, found[name].at(-1), one)).join(", ")}`);
  }
  const [first, second] = names.map((name) => found[name]);
  return one.figures.map(({ name }) => ({
    figure: name,
    values: names.map((system) => summary(found[system].map((run) => run[name]))),
    ratio: summary(first.map((run, round) => run[name] / second[round][name])),
  }));
}

/** A system on its own. */
export async function alone(name, one, on, rounds, say) {
  const found = [];
  for (let round = 0; round < rounds; round += 1) {
    found.push(await once(name, one, on));
    say(`  ${one.label}, round ${round + 1}: ${shown(name, found.at(-1), one)}`);
  }
  return one.figures.map(({ name: figure }) => ({ figure, values: [summary(found.map((run) => run[figure]))] }));
}

/** Looks for the settings with which a peer is fastest on this machine. */
export async function bestSettings(name, one, on, rounds, say) {
  const candidates = (await measure(on.node, systems[name].script, ["candidates"]))[one.verb] ?? [];
  if (candidates.length <= 1) return candidates[0] ?? {};
  const [{ name: figure, more }] = one.figures;
  const trials = candidates.map((settings) => ({ settings, found: [] }));
  for (let round = 0; round < rounds; round += 1) {
    for (const { settings, found } of trials) {
      const chosen = { ...on, settings: { [name]: { [one.verb]: settings } } };
      found.push((await once(name, one, chosen))[figure]);
    }
  }
  const ranked = trials
    .map(({ settings, found }) => ({ settings, value: median(found) }))
    .sort((a, b) => (more ? b.value - a.value : a.value - b.value));
  say(
    `  ${name}, ${one.verb}: ${ranked.map(({ settings, value }) => `${JSON.stringify(settings)} ${value.toFixed(1)}`).join(" · ")}`,
  );
  return ranked[0].settings;
}

function shown(name, run, { figures }) {
  return `${name} ${figures.map((figure) => `${run[figure.name].toFixed(1)} ${figure.unit}`).join(", ")}`;
}
