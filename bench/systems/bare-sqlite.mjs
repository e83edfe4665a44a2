// A loop that does to the database what Qluster does for the same tasks, and nothing else: no processes, no signatures
// checked, no leases, no deadlines. The upper bound of what one connection can do.
import { noop } from "../lib/bodies.mjs";
import { openSqlite } from "../lib/sqlite.mjs";
import { serve } from "../lib/verbs.mjs";
import { filled } from "./qluster.mjs";

const atOnce = 256;

const claimSql = `
  update qluster_message set owner = 1, deliveries = deliveries + 1
  where seq in (
    select seq from qluster_message indexed by qluster_message_free
    where project = ? and queue = ? and owner is null order by rank, due_at, seq limit ${atOnce})
  returning seq, envelope`;

const storeSql = `
  insert into qluster_task (project, id, state, finished_at, queue, priority, attempts, starts, queued_at, due_at, func,
    name, grp, kind, parent, ending, counted, started_at, stopped_at, worker, attempt_error, error, result, envelope)
  select project, id, 'succeeded', f.stopped, queue, -rank, 1, 1, queued_at, due_at, func, name, grp, kind, parent,
    'succeeded', 1, f.started, f.stopped, 'bare', null, null, f.result, envelope
  from (select value ->> 0 as place, value ->> 1 as started, value ->> 2 as stopped, value ->> 3 as result
    from json_each(?)) f
  cross join qluster_message m on m.seq = f.place and m.owner = 1`;

const removeSql = "delete from qluster_message where seq in (select value ->> 0 from json_each(?))";

await serve({ drain });

async function drain({ database: address, folder, tasks }) {
  await filled({ database: address, folder, tasks });
  const database = await openSqlite(address.slice("sqlite:".length));
  database.exec(
    "pragma journal_mode = wal; pragma synchronous = normal; pragma wal_autocheckpoint = 2000; pragma cache_size = -8000",
  );
  const [{ project, queue }] = database.prepare("select project, queue from qluster_message limit 1").all();
  const [claim, store, remove] = [claimSql, storeSql, removeSql].map((sql) => database.prepare(sql));

  const started = performance.now();
  for (;;) {
    const claimed = claim.all(project, queue);
    if (claimed.length === 0) break;
    const finished = [];
    for (const { seq, envelope } of claimed) finished.push(await run(seq, envelope));
    const text = JSON.stringify(finished);
    database.exec("begin immediate");
    store.run(text);
    remove.run(text);
    database.exec("commit");
  }
  const ms = performance.now() - started;

  const [{ done }] = database.prepare("select count(*) as done from qluster_task").all();
  database.close();
  if (done !== tasks) throw new Error(`The bare loop has done ${done} of ${tasks} tasks.`);
  return { rate: (tasks / ms) * 1_000 };
}

async function run(seq, envelope) {
  const startedAt = Date.now();
  const [order] = JSON.parse(envelope.slice(envelope.indexOf("\n") + 1, envelope.lastIndexOf("\n")));
  return [seq, startedAt, Date.now(), JSON.stringify(await noop(order))];
}
