-- The stable surface for any program that can open the file: an insertable view and three to read.

CREATE VIEW job_view AS
SELECT
  j.id,
  t.name AS task,
  q.name AS queue,
  CASE j.state
    WHEN 0 THEN 'blocked' WHEN 3 THEN 'running' WHEN 4 THEN 'succeeded'
    WHEN 5 THEN 'failed' WHEN 6 THEN 'cancelled' ELSE 'queued'
  END AS state,
  CASE
    WHEN j.state NOT IN (1, 2) THEN NULL
    WHEN j.spent > j.base THEN 'retrying'
    WHEN j.state = 2 AND j.due_at > CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) THEN 'scheduled'
  END AS label,
  j.priority,
  j.attempt,
  j.base + coalesce(j.retries, t.defaults ->> '$.retries', 0) + 1 AS max_attempts,
  iif(typeof(j.payload) = 'text' AND j.serializer IS NULL AND j.coding IS NULL, j.payload, NULL) AS payload,
  iif(j.result_coding IS NULL, j.result, NULL) AS result,
  j.error,
  j.exit_code,
  j.signal,
  CASE WHEN j.progress IS NOT NULL THEN json_object('fraction', j.progress, 'text', j.progress_text) END AS progress,
  j.created_at,
  j.due_at,
  j.started_at,
  j.finished_at,
  w.name AS worker,
  j.pid,
  j.unique_key AS "unique",
  coalesce(j.tags, '[]') AS tags,
  coalesce(j.meta, '{}') AS meta,
  j.name,
  (SELECT json_group_array(needs) FROM jobq_dependencies d WHERE d.job = j.id AND d.any_end = 0) AS after,
  coalesce(j.serializer, 'json') AS serializer,
  j.coding ->> '$.compression' AS compression,
  j.coding ->> '$.key' AS signed_by,
  j.ref
FROM jobq_current j
JOIN jobq_queues q ON q.id = j.queue
JOIN jobq_tasks t ON t.id = j.task
LEFT JOIN jobq_leases l ON l.job = (SELECT max(job) FROM jobq_leases WHERE job <= j.id) AND l.last >= j.id
LEFT JOIN jobq_workers w ON w.id = coalesce(l.worker, j.worker);

CREATE VIEW event_view AS
SELECT
  e.id,
  e.at,
  CASE abs(e.type)
    WHEN 0 THEN 'job.queued' WHEN 1 THEN 'job.started' WHEN 2 THEN 'job.progress' WHEN 3 THEN 'job.succeeded'
    WHEN 4 THEN 'job.failed' WHEN 5 THEN 'job.snoozed' WHEN 6 THEN 'job.retried' WHEN 7 THEN 'job.requeued'
    WHEN 8 THEN 'job.replaced' WHEN 9 THEN 'job.released' WHEN 10 THEN 'job.cancelled' WHEN 11 THEN 'job.rejected'
    WHEN 12 THEN 'job.recovered' WHEN 13 THEN 'job.stale' WHEN 14 THEN 'worker.online' WHEN 15 THEN 'worker.heartbeat'
    WHEN 16 THEN 'worker.offline' WHEN 17 THEN 'pool.grown' WHEN 18 THEN 'pool.shrunk' WHEN 19 THEN 'child.started'
    WHEN 20 THEN 'child.exited' WHEN 21 THEN 'tasks.reloaded' WHEN 22 THEN 'cron.fired' WHEN 23 THEN 'queue.paused'
    WHEN 24 THEN 'queue.resumed'
  END AS type,
  e.job,
  t.name AS task,
  q.name AS queue,
  w.name AS worker,
  e.attempt,
  CASE
    WHEN e.runtime_ms IS NULL THEN coalesce(e.data, '{}')
    ELSE json_set(coalesce(e.data, '{}'), '$.runtimeMs', e.runtime_ms)
  END AS data
FROM (
  SELECT id, at, type, job, task, queue, worker, attempt, runtime_ms, data FROM jobq_events
  UNION ALL
  SELECT id - 1, at - runtime_ms, 1, job, task, queue, worker, attempt, NULL, NULL FROM jobq_events WHERE type < 0
) e
LEFT JOIN jobq_tasks t ON t.id = e.task
LEFT JOIN jobq_queues q ON q.id = e.queue
LEFT JOIN jobq_workers w ON w.id = e.worker;

CREATE VIEW queue_view AS
SELECT
  q.name,
  q.paused,
  (SELECT count(*) FROM jobq_jobs WHERE state IN (0, 3, 5, 6) AND state = 0 AND queue = q.id) AS blocked,
  (SELECT coalesce(sum(last - job + 1), 0) FROM jobq_ready WHERE queue = q.id)
    + (SELECT count(*) FROM jobq_throttled t JOIN jobq_jobs j ON j.id = t.job WHERE j.queue = q.id)
    + (SELECT count(*) FROM jobq_leases l CROSS JOIN jobq_jobs j ON j.id BETWEEN l.job AND l.last WHERE j.state = 1 AND j.queue = q.id)
    + (SELECT count(*) FROM jobq_jobs WHERE state = 2 AND queue = q.id) AS queued,
  (SELECT count(*) FROM jobq_jobs WHERE state IN (0, 3, 5, 6) AND state = 3 AND queue = q.id) AS running,
  q.succeeded,
  q.failed,
  q.cancelled
FROM jobq_queues q;

-- INSERT INTO enqueue(task, payload) VALUES ('mail/send', '{"to":"a@b.c"}');
-- INSERT INTO enqueue(argv) VALUES ('["convert","a.png","b.jpg"]');
CREATE VIEW enqueue AS
SELECT
  NULL AS task, NULL AS payload, NULL AS argv, NULL AS queue, NULL AS priority, NULL AS due_at, NULL AS delay_ms,
  NULL AS retries, NULL AS unique_key, NULL AS expires_at, NULL AS tags, NULL AS name, NULL AS meta, NULL AS ref
WHERE 0;

CREATE TRIGGER jobq_enqueue_insert INSTEAD OF INSERT ON enqueue
BEGIN
  -- Some languages have one kind of number only: 5.0 is as good as 5.
  SELECT RAISE(ABORT, 'task: give either task or argv')
    WHERE (NEW.task IS NULL) = (NEW.argv IS NULL);
  SELECT RAISE(ABORT, 'task: must be 1 to 128 of A-Z a-z 0-9 . _ : / -, without .. and not beginning with /')
    WHERE NEW.task IS NOT NULL AND (typeof(NEW.task) <> 'text' OR NEW.task = '' OR length(NEW.task) > 128
      OR NEW.task GLOB '*[^A-Za-z0-9._:/-]*' OR NEW.task GLOB '/*' OR '/' || NEW.task || '/' GLOB '*/../*' OR NEW.task = 'exec');
  SELECT RAISE(ABORT, 'argv: must be a JSON array of at least one text')
    WHERE NEW.argv IS NOT NULL AND NOT CASE WHEN json_valid(NEW.argv) THEN
      json_type(NEW.argv) = 'array' AND coalesce(length(NEW.argv ->> 0), 0) > 0
      AND NOT EXISTS (SELECT 1 FROM json_each(NEW.argv) WHERE type <> 'text' OR instr(value, char(0)) > 0) ELSE 0 END;
  SELECT RAISE(ABORT, 'payload: goes with task, not with argv')
    WHERE NEW.argv IS NOT NULL AND NEW.payload IS NOT NULL;
  SELECT RAISE(ABORT, 'payload: must be JSON text of at most 1 MiB')
    WHERE NEW.payload IS NOT NULL AND (typeof(NEW.payload) <> 'text' OR NOT json_valid(NEW.payload) OR length(CAST(NEW.payload AS BLOB)) > 1048576);
  SELECT RAISE(ABORT, 'queue: must be 1 to 128 of A-Z a-z 0-9 . _ : / -, without .. and not beginning with /')
    WHERE NEW.queue IS NOT NULL AND (typeof(NEW.queue) <> 'text' OR NEW.queue = '' OR length(NEW.queue) > 128
      OR NEW.queue GLOB '*[^A-Za-z0-9._:/-]*' OR NEW.queue GLOB '/*' OR '/' || NEW.queue || '/' GLOB '*/../*');
  SELECT RAISE(ABORT, 'priority: must be an integer from 0 to 9')
    WHERE NEW.priority IS NOT NULL AND (typeof(NEW.priority) NOT IN ('integer', 'real') OR NEW.priority <> round(NEW.priority) OR NEW.priority NOT BETWEEN 0 AND 9);
  SELECT RAISE(ABORT, 'due_at: must be milliseconds since the epoch or RFC 3339 text')
    WHERE NEW.due_at IS NOT NULL AND NOT (typeof(NEW.due_at) IN ('integer', 'real') AND NEW.due_at = round(NEW.due_at) AND NEW.due_at BETWEEN 0 AND 8640000000000000
      OR typeof(NEW.due_at) = 'text' AND NEW.due_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9][T ]*' AND julianday(NEW.due_at) IS NOT NULL);
  SELECT RAISE(ABORT, 'delay_ms: must be a whole number of milliseconds, not negative, and not beside due_at')
    WHERE NEW.delay_ms IS NOT NULL AND (typeof(NEW.delay_ms) NOT IN ('integer', 'real') OR NEW.delay_ms <> round(NEW.delay_ms) OR NEW.delay_ms NOT BETWEEN 0 AND 8640000000000000 OR NEW.due_at IS NOT NULL);
  SELECT RAISE(ABORT, 'retries: must be an integer from 0 to 1000000')
    WHERE NEW.retries IS NOT NULL AND (typeof(NEW.retries) NOT IN ('integer', 'real') OR NEW.retries <> round(NEW.retries) OR NEW.retries NOT BETWEEN 0 AND 1000000);
  SELECT RAISE(ABORT, 'unique_key: must be text of 1 to 512 characters')
    WHERE NEW.unique_key IS NOT NULL AND (typeof(NEW.unique_key) <> 'text' OR length(NEW.unique_key) NOT BETWEEN 1 AND 512);
  SELECT RAISE(ABORT, 'expires_at: must be milliseconds since the epoch or RFC 3339 text')
    WHERE NEW.expires_at IS NOT NULL AND NOT (typeof(NEW.expires_at) IN ('integer', 'real') AND NEW.expires_at = round(NEW.expires_at) AND NEW.expires_at BETWEEN 0 AND 8640000000000000
      OR typeof(NEW.expires_at) = 'text' AND NEW.expires_at GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9][T ]*' AND julianday(NEW.expires_at) IS NOT NULL);
  SELECT RAISE(ABORT, 'tags: must be a JSON array of tags (1 to 128 of A-Z a-z 0-9 . _ : / -)')
    WHERE NEW.tags IS NOT NULL AND NOT CASE WHEN json_valid(NEW.tags) THEN
      json_type(NEW.tags) = 'array' AND NOT EXISTS (SELECT 1 FROM json_each(NEW.tags)
        WHERE type <> 'text' OR value = '' OR length(value) > 128 OR value GLOB '*[^A-Za-z0-9._:/-]*') ELSE 0 END;
  SELECT RAISE(ABORT, 'name: must be text of at most 200 characters')
    WHERE NEW.name IS NOT NULL AND (typeof(NEW.name) <> 'text' OR length(NEW.name) > 200);
  SELECT RAISE(ABORT, 'meta: must be a JSON object of texts')
    WHERE NEW.meta IS NOT NULL AND NOT CASE WHEN json_valid(NEW.meta) THEN
      json_type(NEW.meta) = 'object' AND NOT EXISTS (SELECT 1 FROM json_each(NEW.meta) WHERE type <> 'text') ELSE 0 END;
  SELECT RAISE(ABORT, 'ref: must be text of 1 to 512 characters that no other job has')
    WHERE NEW.ref IS NOT NULL AND (typeof(NEW.ref) <> 'text' OR length(NEW.ref) NOT BETWEEN 1 AND 512
      OR EXISTS (SELECT 1 FROM jobq_jobs WHERE ref = NEW.ref));

  -- a taken key adds nothing
  SELECT RAISE(IGNORE) WHERE NEW.unique_key IS NOT NULL AND EXISTS (SELECT 1 FROM jobq_jobs WHERE unique_key = NEW.unique_key AND state < 4);

  INSERT OR IGNORE INTO jobq_tasks(name) VALUES (coalesce(NEW.task, 'exec'));
  INSERT OR IGNORE INTO jobq_queues(name)
    SELECT coalesce(NEW.queue, defaults ->> '$.queue', 'default') FROM jobq_tasks WHERE name = coalesce(NEW.task, 'exec');

  INSERT INTO jobq_jobs(queue, task, state, priority, due_at, created_at, retries, expires_at, unique_key, tags, name, meta, ref, payload)
    SELECT q.id, n.task, CASE WHEN n.due_at <= n.now THEN 1 ELSE 2 END, n.priority, n.due_at, n.now, n.retries, n.expires_at,
      NEW.unique_key, nullif(json(NEW.tags), '[]'), NEW.name, nullif(json(NEW.meta), '{}'), NEW.ref, n.payload
    FROM (
      SELECT
        t.id AS task,
        coalesce(NEW.queue, t.defaults ->> '$.queue', 'default') AS queue,
        coalesce(NEW.priority, t.defaults ->> '$.priority', 5) AS priority,
        coalesce(NEW.retries, t.defaults ->> '$.retries') AS retries,
        clock.now,
        CASE typeof(NEW.due_at)
          WHEN 'integer' THEN NEW.due_at
          WHEN 'real' THEN CAST(NEW.due_at AS INTEGER)
          WHEN 'text' THEN CAST(round((julianday(NEW.due_at) - 2440587.5) * 86400000) AS INTEGER)
          ELSE clock.now + coalesce(NEW.delay_ms, 0)
        END AS due_at,
        CASE typeof(NEW.expires_at)
          WHEN 'integer' THEN NEW.expires_at
          WHEN 'real' THEN CAST(NEW.expires_at AS INTEGER)
          WHEN 'text' THEN CAST(round((julianday(NEW.expires_at) - 2440587.5) * 86400000) AS INTEGER)
          ELSE clock.now + (t.defaults ->> '$.expiresMs')
        END AS expires_at,
        CASE WHEN NEW.argv IS NULL THEN coalesce(NEW.payload, 'null') ELSE json_object('argv', json(NEW.argv)) END AS payload
      FROM jobq_tasks t, (SELECT CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER) AS now) clock
      WHERE t.name = coalesce(NEW.task, 'exec')
    ) n
    JOIN jobq_queues q ON q.name = n.queue;

  INSERT INTO jobq_ready(queue, rank, due_at, job, last)
    SELECT queue, -priority, due_at, id, id FROM jobq_jobs WHERE id = last_insert_rowid() AND state = 1;

  INSERT INTO jobq_events(at, type, job, task, queue, attempt, data)
    SELECT created_at, 0, id, task, queue, 0, json_object('dueAt', due_at)
    FROM jobq_jobs WHERE id = last_insert_rowid();
END;
