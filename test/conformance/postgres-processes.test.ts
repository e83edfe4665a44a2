import { it } from "vitest";
import { claimByFour } from "../support/claimers.js";
import { emptyPlace, locationOf, openAt } from "../support/postgres.js";

it("hands 20,000 tasks to four processes, each once (P257)", async () => {
  const url = emptyPlace();
  await using backend = await openAt(url);

  await claimByFour(backend, locationOf(url), ["postgres", "postgres", "postgres", "postgres"]);
}, 120_000);
