// "Sends" a mail by writing it into an outbox folder, as a stand-in for the mail server that you have:
//   jobq enqueue mail/send '{"to": "ada@example.org", "subject": "Hello", "text": "It works."}'
//
// The folder that a task lies in is part of its name: this one is `mail/send`.
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineTask, Snooze } from 'jobq'
import { schema, text } from '../_schema.ts'

/** What may be enqueued; the check below fills in the rest. */
interface Mail {
  to: string
  subject?: string
  text?: string
  outbox?: string
}

export default defineTask({
  queue: 'mail',
  priority: 7,
  retries: 5,
  backoff: 'exponential:2s..10m',
  expires: '1d',

  input: schema<Mail, Required<Mail>>((value) => {
    const to = text(value, 'to')
    if (!to.includes('@')) throw new TypeError('to: an address is needed')
    return {
      to,
      subject: text(value, 'subject', '(no subject)'),
      text: text(value, 'text', ''),
      outbox: text(value, 'outbox', join(tmpdir(), 'jobq-outbox')),
    }
  }),

  async run({ to, subject, text: body, outbox }, job) {
    // "Not now" is not a failure: a snoozed job comes back later and uses up none of its attempts.
    if (existsSync(join(outbox, 'CLOSED'))) throw new Snooze('10m')
    await mkdir(outbox, { recursive: true })
    // Delivery is at least once. Naming the file by the job makes a second run write the same mail, not another one.
    const file = join(outbox, `${job.id}.eml`)
    await writeFile(file, `To: ${to}\nSubject: ${subject}\n\n${body}\n`)
    job.log(`wrote ${file}`)
    return { file }
  },
})
