/** What `jobq help TOPIC` prints, by topic. */
export const topics = {
  'exit-codes': `Exit codes

    0  success
    1  the operation failed
    2  usage: a bad flag, value or payload; nothing was written
    3  not found: a job, queue, worker or task
    4  a job that was waited for failed or was cancelled, and has no exit code of its own to pass on
    5  refused as a duplicate (--unique with --on-conflict fail)
    8  still pending (wait --no-wait)
   69  no worker answered (control)
   75  the broker is busy or unreachable: try again
   77  permission refused: a file of others, a key that is retired, corrupt or open to others
   78  the broker cannot be used (foreign, newer, corrupt, moved, symlinked, read-only for a write); it is untouched
  124  timed out waiting
  130  interrupted (INT twice)
  131  QUIT
  143  terminated

'jobq wait ID' and 'jobq enqueue --wait' on one command end with the exit code of that command: 128+n where signal n
killed it.
`,
  environment: `Environment

Read by jobq, each the same as the option of its name:

  by every command  JOBQ_BROKER JOBQ_CONFIG JOBQ_COLOR JOBQ_JSON JOBQ_QUIET
  by jobq run       JOBQ_QUEUES JOBQ_CONCURRENCY JOBQ_AUTOSCALE JOBQ_AUTOSCALE_KEEPALIVE JOBQ_MAX_TASKS_PER_CHILD
                    JOBQ_MAX_MEMORY_PER_CHILD JOBQ_TASKS JOBQ_WATCH JOBQ_PREFETCH JOBQ_DRAIN
                    JOBQ_SOFT_TIME_LIMIT JOBQ_TIME_LIMIT JOBQ_KILL_AFTER JOBQ_HTTP JOBQ_HTTP_TOKEN JOBQ_METRICS_TEXTFILE
                    JOBQ_NAME JOBQ_GRACE JOBQ_UI JOBQ_LOG_LEVEL JOBQ_LOG_FORMAT

A flag wins over a variable, a variable over jobq.config.{ts,js,mjs,json}, that over the default ('jobq config' shows
which did). Options that steps of the configuration add to jobq run have variables of their own in the same way: --health-port
is JOBQ_HEALTH_PORT. An empty variable counts as unset; switches take 1 or 0. JOBQ_TASKS separates paths as PATH does.
NO_COLOR and CLICOLOR_FORCE are obeyed. JOBQ_DEBUG=1 adds a stack trace to unexpected errors.

jobq run under a service manager also reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and hands them to no job.

Given to a job:

  JOBQ_JOB_ID  JOBQ_ATTEMPT  JOBQ_QUEUE  JOBQ_TASK  JOBQ_BROKER  JOBQ_LEASE

A task in TypeScript or JavaScript has none of them, but JOBQ_CHILD: a mark by which what it starts is found again.

A command gets these, PATH, HOME, USER, LOGNAME, SHELL, LANG, LC_*, TZ and TMPDIR of the worker, and what --env NAME,
--env NAME=VALUE and --env-all of 'jobq enqueue' name, with the value they had there; and TRACEPARENT and TRACESTATE
where the job belongs to a trace (see monitoring). Nothing else is passed on.
`,
  brokers: `Brokers

A broker is where jobs are kept. -b (or JOBQ_BROKER, or 'broker' in the configuration) says which:

  jobs.db, sqlite:jobs.db   a SQLite file, made on first use (an empty file is adopted)

Default: $XDG_DATA_HOME/jobq/jobq.db if that variable is set, else /var/lib/jobq/jobq.db for root and
~/.local/share/jobq/jobq.db for anybody else. Folders are made with mode 0700, files with 0600. The output of jobs is
in a folder beside the file, with .logs behind its name.

Any number of workers and enqueuers on one machine can share a file; do not put it on a network file system. A file of
another application or of a newer jobq, and a symbolic link, are refused and left untouched (exit 78); one that can
only be read can be looked at.

Any program that can open the file with SQLite 3.38 or newer can add a job:

  INSERT INTO enqueue(task, payload) VALUES ('mail/send', '{"to":"ann"}');
  INSERT INTO enqueue(argv, queue) VALUES ('["convert","a.png","b.jpg"]', 'media');

and read the views job_view, event_view and queue_view. See also: jobq doctor, jobq backup.
`,
  tasks: `Tasks

A task is a file in the folder of 'jobq run --tasks PATH' (default ./tasks); its path without the extension is its name:
tasks/mail/send.ts is mail/send. Names beginning with _ or ., *.test.* and *.d.ts are no tasks.

TypeScript or JavaScript:

  import { defineTask } from 'jobq'
  export default defineTask({
    queue: 'mail', retries: 3, backoff: 'exponential:2s..10m', softTimeLimit: '50s', timeLimit: '60s',
    async run(payload, job) {
      job.progress(0.5, 'half')
      return { sent: true }
    },
  })

A plain 'export default async function (payload, job) {…}' with an optional 'export const options = {…}' will do.
Throw to try again while attempts are left; throw Fail(reason) to fail for good, Snooze('5m') to run later without using
an attempt, Cancel(reason) to give up quietly.

A definition may also have setup({ shared }), called in each child process before its first job of the task, and
teardown(), called when the child leaves. job.shared is what the steps of the configuration share with tasks.

An executable file in any language is a task too: payload as JSON on stdin, result as JSON on file descriptor 3 or the
last line of stdout; exit 0 succeeded, 75 later without using an attempt, 65 failed for good, anything else failed.
A line 'JOBQ_PROGRESS 0.5 text' on stdout or stderr is progress.

Commands and executables may run with other rights and limits, by 'defaults' or 'taskOptions' of the configuration (all
commands together are the task exec): nice, ionice, user, group, and rlimits with as, cpu, nofile, nproc, fsize, core.

  taskOptions: { exec: { nice: 10, rlimits: { nofile: 256 } }, scan: { user: 'nobody', ionice: 'idle' } }

'jobq tasks' lists them, 'jobq tasks --check' fails on one that does not load or whose limits cannot be had.
`,
  time: `Time

Durations: 90 (seconds), 500ms, 1.5s, 5m, 2h, 1d, 1h30m, or ISO 8601 such as PT5M.

Instants: RFC 3339 (2030-01-31T08:00:00Z, 2030-01-31T08:00:00+01:00), also without an offset (2030-01-31 08:00, in the
machine's time zone) or without a time; HH:MM, its next occurrence; today HH:MM, tomorrow HH:MM; @SECONDS since the
epoch. Where a time in the past is asked for (--since), HH:MM is its last occurrence, and an age (2h) will do.

Times are printed relative on a terminal (3m ago), and as RFC 3339 in UTC with milliseconds elsewhere.

Time limits, from the least to the most specific: 'defaults' of the configuration, 'jobq run --soft-time-limit and
--time-limit', the task's softTimeLimit and timeLimit, the job's. They count from the start of the job.
At the soft limit a task's job.signal aborts with a SoftTimeLimitExceeded, and a program is sent TERM (softSignal under
taskOptions says what else). What ends well after that has succeeded; what does not failed as SoftTimeLimitExceeded.
At the hard limit the process is killed with all that it started, and the job failed as TimeLimitExceeded. Both are
retried like other failures.

Backoffs: exponential:2s..10m doubles from 2 s to at most 10 min and draws evenly between 0 and that (full jitter) unless
,nojitter follows; linear:5s waits 5 s, 10 s, 15 s; fixed:30s always 30 s; ,jitter draws.
`,
  monitoring: `Monitoring

jobq run --http [HOST:]PORT answers, without HOST for this machine only:

  /metrics  figures for Prometheus
  /healthz  200, or 503 when the worker is wedged: its loop has not come round for 30 s, and a restart is the remedy
  /readyz   200 while it takes jobs; 503 while it starts, drains, stops, is wedged, waits for its broker, or while no
            child of it starts

The last two answer a line of JSON with 'status' and 'reason'. With JOBQ_HTTP_TOKEN, or 'token' in 'http' of the configuration,
every request needs 'Authorization: Bearer TOKEN'.

jobq run --metrics-textfile FILE.prom writes the figures for the textfile collector of node_exporter, every 15 s or as
'every' in 'metrics' of the configuration says, and deletes the file at its end.

Figures of the broker (jobq_jobs, jobq_oldest_waiting_seconds, …) are the same from each of its workers; what counts jobs that
ended, runs and children is of the one worker and begins at 0 with it.

  http: { listen: '0.0.0.0:9464', token: process.env.METRICS_TOKEN },
  metrics: { textfile: '/var/lib/node_exporter/jobq.prom', every: '30s' },

Traces: a job whose meta has a traceparent (W3C) belongs to that trace. 'jobq enqueue' takes it from TRACEPARENT, commands
get it there, tasks have job.trace, and an OpenTelemetry SDK that is registered in the application and by a module of the
tasks sees a span for each enqueue and each run.
`,
  serializers: `Serializers

A payload or result is written by a serializer and read by the content type that is recorded with it.

  json     application/json         text; the default
  msgpack  application/vnd.msgpack  bytes; smaller, and keeps more
  yaml     application/yaml         text, the core schema of YAML 1.2
  v8       application/x-v8         bytes, structured clone; only where 'accept' names it, because it is not safe
                                    to read bytes that somebody means harm with

What each does with a value: kept exactly, refused with the place that it is at, or what it becomes instead:

                                          json           msgpack     yaml     v8
  null, booleans, text                    kept           kept        kept     kept
  numbers, integers to 2^53               kept           kept        kept     kept
  -0                                      0              0           kept     kept
  NaN, infinities                         refused        kept        kept     kept
  bigint                                  refused        kept        refused  kept
  Date                                    ISO text       kept        refused  kept
  invalid Date                            refused        refused     refused  refused
  Uint8Array                              refused        kept        refused  kept
  Buffer                                  refused        Uint8Array  refused  kept
  other binary views, ArrayBuffer         refused        refused     refused  kept
  undefined as a property                 absent         refused     refused  kept
  undefined in an array                   refused        refused     refused  kept
  holes in an array                       refused        refused     refused  refused
  Map, Set                                refused        refused     refused  kept
  cycles                                  refused        refused     refused  kept
  objects with toJSON                     what it gives  refused     refused  refused
  class instances                         plain objects  refused     refused  refused
  Error, RegExp                           refused        refused     refused  refused
  functions                               refused        refused     refused  refused
  symbols                                 refused        refused     refused  refused
  half of a surrogate pair                refused        refused     refused  kept
  NUL in text                             refused        kept        kept     kept
  keys __proto__, constructor, prototype  refused        refused     refused  refused
  more than 100 levels                    refused        refused     refused  refused

Every reader refuses more bytes than allowed, keys that are doubled (json and v8 keep the last, as JSON.parse does), and
integers that a number of JavaScript cannot hold.

Compressors are gzip, zlib, bzip2, zstd and brotli; what the programs of those names write can be read, and the reverse.
A payload is compressed only where that makes it smaller. Unpacking stops at the allowed size; data that is cut short or
followed by anything is refused, but for gzip, which reads several members as one, as the program does. bzip2 and zstd
read one stream or frame only; windows of more than 8 MiB (zstd) or 16 MiB (brotli) are refused.

'jobq help signing' tells of signatures and encryption.
`,
  signing: `Signing and encryption

A job is signed with --sign KEY, with 'sign' in its task's definition or in taskOptions, or with keys.sign of the
configuration where 'require' wants signed jobs: everywhere, or in a queue (queues: {money: {require: 'signed'}}). Where
they are required, a job without a key to sign it is refused with exit 77, and one that came into the file otherwise is
parked as Rejected.

A signature covers the payload as it is stored, how it is written, and the job's id, task and queue, so that it holds for one
job only. It does not cover when and how often a job runs (priority, due time, expiry, retries, limits, dependencies), nor
its labels, tags and meta. It is verified before anything is unpacked.

Rotation: make the next key and put its public part where it is verified; sign with it; 'jobq keys retire OLD --verify-only';
once no job waits by the old one, or after 'jobq keys resign NEXT', 'jobq keys retire OLD'.

encrypt: {keyFile: 'queue.key'} encrypts payloads and results by AES-256-GCM. Still to be seen in the file: names of tasks,
queues, workers, tags and labels, meta, keys of unique jobs, times and counts, errors, progress, the output of jobs, and the
lengths of payloads and results. Who has not the key sees why nothing is shown.

What is Rejected stays in the queue as failed: 'jobq why ID' names the reason, 'jobq retry ID' runs it once that is mended.
`,
} as const
