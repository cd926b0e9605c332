-- Jobs and their log. Private to jobq, except for the views in 0002-views.sql. The tables may live in an
-- application's own database beside its tables, hence the prefix.
-- Numbers stand for names in rows that are written by the hundred thousand:
-- jobs.state: 0 blocked, 1 ready, 2 scheduled (queued, not due), 3 running, 4 succeeded, 5 failed, 6 cancelled
-- events.type: position in src/event.ts, negated where jobq_ends leads to the event; such a row stands for `job.started` as
-- well, which has the id before it and was runtime_ms earlier

CREATE TABLE jobq_meta (
  key TEXT PRIMARY KEY,
  value
) WITHOUT ROWID;

INSERT INTO jobq_meta VALUES ('token', 0), ('events_pruned', 0);

CREATE TABLE jobq_queues (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  paused INTEGER NOT NULL DEFAULT 0,
  -- finished jobs still in the table, by state; unfinished ones are counted from the partial indexes
  succeeded INTEGER NOT NULL DEFAULT 0,
  failed INTEGER NOT NULL DEFAULT 0,
  cancelled INTEGER NOT NULL DEFAULT 0
);

INSERT INTO jobq_queues(id, name) VALUES (1, 'default');

CREATE TABLE jobq_tasks (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  -- what a worker published of its definition (JSON); null where none did
  defaults TEXT
);

INSERT INTO jobq_tasks(id, name) VALUES (1, 'exec');

CREATE TABLE jobq_workers (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  host TEXT NOT NULL,
  pid INTEGER NOT NULL,
  boot TEXT NOT NULL,
  start_time TEXT,
  queues TEXT,
  started_at INTEGER NOT NULL,
  heartbeat_at INTEGER NOT NULL,
  left_at INTEGER,
  status TEXT NOT NULL
);

CREATE TABLE jobq_jobs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  queue INTEGER NOT NULL,
  task INTEGER NOT NULL,
  state INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  -- the number of the current or last run, and how many are used up
  attempt INTEGER NOT NULL DEFAULT 0,
  spent INTEGER NOT NULL DEFAULT 0,
  -- attempts used up before the present budget of retries began
  base INTEGER NOT NULL DEFAULT 0,
  retries INTEGER,
  crashes INTEGER NOT NULL DEFAULT 0,
  -- run it by itself: it was in flight when a process died
  alone INTEGER NOT NULL DEFAULT 0,
  -- the claim whose end was recorded last: a second report of it is known by this
  token INTEGER NOT NULL DEFAULT 0,
  worker INTEGER,
  pid INTEGER,
  held INTEGER NOT NULL DEFAULT 0,
  started_at INTEGER,
  finished_at INTEGER,
  expires_at INTEGER,
  exit_code INTEGER,
  signal TEXT,
  progress REAL,
  progress_text TEXT,
  unique_key TEXT,
  ref TEXT,
  name TEXT,
  tags TEXT,
  meta TEXT,
  options TEXT,
  -- null for json, else a content type
  serializer TEXT,
  -- how the payload is stored, as JSON: names of compression and encryption; null for none
  coding TEXT,
  signature TEXT,
  -- text, or bytes
  payload NOT NULL,
  result,
  -- as serializer, coding and signature together, as JSON; null for plain JSON text
  result_coding TEXT,
  error TEXT
);

-- Jobs that are not due cost the claim nothing: they are moved to ready when their time comes.
CREATE INDEX jobq_jobs_scheduled ON jobq_jobs(due_at, queue) WHERE state = 2;
-- Blocked, running, failed and cancelled jobs are few; they are found by state, in the order of their ids.
CREATE INDEX jobq_jobs_rare ON jobq_jobs(state) WHERE state IN (0, 3, 5, 6);
CREATE INDEX jobq_jobs_expiring ON jobq_jobs(expires_at) WHERE expires_at IS NOT NULL AND state < 3;
CREATE UNIQUE INDEX jobq_jobs_unique ON jobq_jobs(unique_key) WHERE unique_key IS NOT NULL AND state < 4;
CREATE UNIQUE INDEX jobq_jobs_ref ON jobq_jobs(ref) WHERE ref IS NOT NULL;

-- Jobs that a worker may take now, in the order in which they are taken: exactly the jobs in state 1 with neither a lease
-- nor an end that are not throttled. A row is for consecutive jobs, from `job` to `last`, that one statement has added; no two
-- rows overlap.
CREATE TABLE jobq_ready (
  queue INTEGER NOT NULL,
  -- the priority, negated, so that the highest comes first
  rank INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  job INTEGER NOT NULL,
  last INTEGER NOT NULL,
  PRIMARY KEY (queue, rank, due_at, job)
) WITHOUT ROWID;

-- How many jobs wait is the number of rows, which SQLite knows soon, and what the rows here stand for beside one job each;
-- these are few, unless somebody adds very many jobs in twos and threes.
CREATE INDEX jobq_ready_several ON jobq_ready(queue, job, last) WHERE last > job;

-- Jobs in the hands of workers. A claim moves a job from jobq_ready to here and leaves its own row alone: a job that is
-- over before its start was worth telling has that row written once, at its end. A row is for consecutive jobs, from `job`
-- to `last`, that were claimed together; no two rows overlap.
CREATE TABLE jobq_leases (
  job INTEGER PRIMARY KEY,
  last INTEGER NOT NULL,
  -- fences the claim
  token INTEGER NOT NULL,
  worker INTEGER NOT NULL,
  -- milliseconds of the monotonic clock
  lease_until INTEGER NOT NULL,
  cancelling INTEGER NOT NULL DEFAULT 0
);

-- Ends of jobs whose only run succeeded, without a result and before its start was worth telling: small jobs that come
-- by the hundred thousand. Such an end stands for the columns of these names in the job's own row, which is wide and is
-- not written again for it, and for the index by job of its two events. A row is for consecutive jobs, from `job` to `last`.
CREATE TABLE jobq_ends (
  job INTEGER PRIMARY KEY,
  last INTEGER NOT NULL,
  token INTEGER NOT NULL,
  worker INTEGER NOT NULL,
  pid INTEGER,
  started_at INTEGER NOT NULL,
  finished_at INTEGER NOT NULL,
  -- `job.succeeded` of job n has the id 2 n + event_shift; `job.started` has the id before it
  event_shift INTEGER NOT NULL
);

-- Jobs as they are, wherever their ends are kept; `row_state` is for the index by state.
CREATE VIEW jobq_current AS
SELECT
  j.id, j.queue, j.task, iif(e.job IS NULL, j.state, 4) AS state, j.state AS row_state, j.priority, j.due_at, j.created_at,
  iif(e.job IS NULL, j.attempt, 1) AS attempt, iif(e.job IS NULL, j.spent, 1) AS spent, j.base, j.retries, j.crashes, j.alone,
  coalesce(e.token, j.token) AS token, coalesce(e.worker, j.worker) AS worker, coalesce(e.pid, j.pid) AS pid, j.held,
  coalesce(e.started_at, j.started_at) AS started_at, coalesce(e.finished_at, j.finished_at) AS finished_at, j.expires_at,
  j.exit_code, j.signal, j.progress, j.progress_text, j.unique_key, j.ref, j.name, j.tags, j.meta, j.options, j.serializer,
  j.coding, j.signature, j.payload, j.result, j.result_coding, j.error
FROM jobq_jobs j LEFT JOIN jobq_ends e ON e.job = (SELECT max(job) FROM jobq_ends WHERE job <= j.id) AND e.last >= j.id;

-- How often jobs of a task may be started, over all workers.
CREATE TABLE jobq_start_rates (
  task INTEGER PRIMARY KEY,
  count INTEGER NOT NULL,
  per_ms INTEGER NOT NULL,
  -- epoch milliseconds until which all starts so far are paid for
  paid_until REAL NOT NULL
);

-- Ready jobs that were met when their task had no start left; not in jobq_ready meanwhile.
CREATE TABLE jobq_throttled (
  task INTEGER NOT NULL,
  rank INTEGER NOT NULL,
  due_at INTEGER NOT NULL,
  job INTEGER NOT NULL,
  PRIMARY KEY (task, rank, due_at, job)
) WITHOUT ROWID;

-- `job` runs after `needs`: when that succeeded, or with `any_end` when it finished however.
CREATE TABLE jobq_dependencies (
  job INTEGER NOT NULL,
  needs INTEGER NOT NULL,
  any_end INTEGER NOT NULL,
  PRIMARY KEY (job, needs)
) WITHOUT ROWID;

CREATE INDEX jobq_dependencies_needs ON jobq_dependencies(needs);

CREATE TABLE jobq_events (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  type INTEGER NOT NULL,
  job INTEGER,
  task INTEGER,
  queue INTEGER,
  worker INTEGER,
  attempt INTEGER,
  runtime_ms INTEGER,
  -- what the type adds, as JSON
  data TEXT
);

CREATE INDEX jobq_events_job ON jobq_events(job) WHERE job IS NOT NULL AND type >= 0;

-- How far consumers have come in the event log.
CREATE TABLE jobq_cursors (
  name TEXT PRIMARY KEY,
  -- the id of the last event that is dealt with
  cursor INTEGER NOT NULL,
  -- who has it, and until when in milliseconds of the monotonic clock
  session INTEGER,
  lease_until INTEGER NOT NULL
) WITHOUT ROWID;
