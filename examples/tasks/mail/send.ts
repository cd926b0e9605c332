// "Sends" a mail by writing it into an outbox folder, as a stand-in for the mail server that you have:
//   jobq enqueue mail/send '{"to": "ada@example.org", "subject": "Hello", "text": "It works."}'
//
// The folder that a task lies in is part of its name: this one is `mail/send`.
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineTask, Snooze } from 'jobq'
import { property, schema } from '../_schema.ts'

export default defineTask({
  queue: 'mail',
  priority: 7,
  retries: 5,
  backoff: 'exponential:2s..10m',
  expires: '1d',

  input: schema((value) => {
    const [to, subject, text, outbox] = ['to', 'subject', 'text', 'outbox'].map((name) => property(value, name))
    if (typeof to !== 'string' || !to.includes('@')) throw new TypeError('to: an address is needed')
    return {
      to,
      subject: String(subject ?? '(no subject)'),
      text: String(text ?? ''),
      outbox: typeof outbox === 'string' ? outbox : join(tmpdir(), 'jobq-outbox'),
    }
  }),

  async run({ to, subject, text, outbox }, job) {
    // "Not now" is not a failure: a snoozed job comes back later and uses up none of its attempts.
    if (existsSync(join(outbox, 'CLOSED'))) throw new Snooze('10m')
    await mkdir(outbox, { recursive: true })
    // Delivery is at least once. Naming the file by the job makes a second run write the same mail, not another one.
    const file = join(outbox, `${job.id}.eml`)
    await writeFile(file, `To: ${to}\nSubject: ${subject}\n\n${text}\n`)
    job.log(`wrote ${file}`)
    return { file }
  },
})
