/** `jobq keys`: makes the keys with which jobq signs and encrypts, and says which of them count. */
import { Argument, type Command, Option } from 'commander'
import { systemClock } from '../../src/clock.ts'
import { parseDuration } from '../../src/duration.ts'
import { Cipher } from '../../src/envelope/keys/cipher.ts'
import { type KeyType, keyTypes, type StoredKey } from '../../src/envelope/keys/key-file.ts'
import { Keyring } from '../../src/envelope/keys/keyring.ts'
import { importedKey, newKey } from '../../src/envelope/keys/new-key.ts'
import { readPrivateFile } from '../../src/envelope/keys/private-file.ts'
import { checkValidity, sign, verify } from '../../src/envelope/keys/sign.ts'
import { formatSignature } from '../../src/envelope/keys/signature.ts'
import { Rejected } from '../../src/envelope/rejected.ts'
import { JobqError } from '../../src/errors.ts'
import { quote } from '../../src/quote.ts'
import { Exit } from '../exit.ts'
import { explain } from '../help.ts'
import { keysFolder } from '../keys-folder.ts'
import { argument, jobId, named, nameOf, oneOf, option, plainText } from '../options.ts'
import type { Output } from '../output.ts'
import { resignWaiting, verifyJob } from '../resign.ts'
import { openSession, type Session } from '../session.ts'

interface Flags {
  readonly type?: KeyType
  readonly validFor?: number
  readonly certificate?: string
  readonly privateKey?: string
  readonly verifyOnly?: boolean
  readonly job?: number
  readonly queue?: string
  readonly dryRun?: boolean
}

interface Context {
  readonly keyring: Keyring
  readonly session: Session
  readonly output: Output
  readonly flags: Flags
}

type Verb = 'new' | 'list' | 'retire' | 'verify' | 'export' | 'resign'

/** What a verb does, whether it needs the name of a key, and which flags it takes. */
interface Action {
  readonly named: boolean | ((flags: Flags) => boolean)
  readonly flags: readonly (keyof Flags)[]
  run(context: Context, name: string): void | Promise<void>
}

const verbs: Readonly<Record<Verb, Action>> = {
  new: {
    named: true,
    flags: ['type', 'validFor', 'certificate', 'privateKey'],
    async run({ keyring, output, flags }, name) {
      const key = await keyOf(name, flags)
      keyring.add(key)
      if (output.json) output.document(document(key))
      else output.line(key.id)
      output.message(`made in ${keyring.folder}`)
    },
  },
  list: {
    named: false,
    flags: [],
    run({ keyring, output }) {
      const { keys, problems } = keyring.list()
      if (output.json) output.document(keys.map(document))
      else if (output.quiet) for (const { id } of keys) output.line(id)
      else output.table(columns, keys)
      for (const { message } of problems) output.complain(message)
      if (problems.length > 0) throw new Exit(77)
    },
  },
  retire: {
    named: true,
    flags: ['verifyOnly'],
    run({ keyring, output, flags }, name) {
      const key = keyring.demote(name, flags.verifyOnly === true ? 'verify-only' : 'retired')
      if (output.json) output.document(document(key))
      else if (!output.quiet) output.line(`${key.id}\t${key.state}`)
    },
  },
  verify: {
    named: ({ job }) => job === undefined,
    flags: ['job'],
    async run({ keyring, session, output, flags }, name) {
      if (flags.job !== undefined) {
        await verifyJob(session, flags.job)
        return
      }
      const key = keyring.read(name)
      const detail = tryOut(keyring, key)
      if (output.json) output.document({ ...document(key), detail })
      else if (!output.quiet) output.line(`${key.id}\t${detail}`)
    },
  },
  export: {
    named: true,
    flags: [],
    run({ keyring, output }, name) {
      const { type, public: text } = keyring.read(name)
      if (text === null)
        throw new JobqError('usage', `a key of the type ${type} has no public part: whoever has it can sign`)
      output.raw(text)
    },
  },
  resign: {
    named: true,
    flags: ['queue', 'dryRun'],
    run: ({ session, flags: { queue, dryRun = false } }, key) =>
      resignWaiting(session, { key, dryRun, ...(queue === undefined ? {} : { queue }) }),
  },
}

const flagNames: Readonly<Record<keyof Flags, string>> = {
  type: '--type',
  validFor: '--valid-for',
  certificate: '--certificate',
  privateKey: '--private-key',
  verifyOnly: '--verify-only',
  job: '--job',
  queue: '--queue',
  dryRun: '--dry-run',
}

/** Adds `jobq keys`. */
export const register = (program: Command): void => {
  const names = Object.keys(verbs) as Verb[]
  const type = new Option('--type <type>', `new: ${keyTypes.join(', ')}`).choices(keyTypes)
  const command = program
    .command('keys')
    .addArgument(new Argument('<verb>', names.join(', ')).choices(names).argParser(oneOf(...names)))
    .addArgument(argument('[name]', 'the id of the key', nameOf('key')))
    .addOption(type.argParser((text) => named('--type', () => oneOf(...keyTypes)(text))))
    .addOption(
      option('--valid-for <duration>', 'new, x509: how long its certificate is valid; default 730d', parseDuration),
    )
    .addOption(option('--certificate <file>', 'new, x509: one that an authority issued, in PEM', plainText))
    .addOption(option('--private-key <file>', 'new, x509: the private key to that certificate, in PEM', plainText))
    .option('--verify-only', 'retire: sign no more, but go on verifying what it signed')
    .addOption(option('--job <id>', 'verify: not a key, but the signature of this job', jobId))
    .addOption(option('-q, --queue <name>', 'resign: only of this queue', nameOf('queue')))
    .option('--dry-run', 'resign: verify and count, change nothing')
    .description('make, list and retire the keys that sign and encrypt')
    .action(async (verb: Verb, name: string | undefined, flags: Flags, command: Command) => {
      const action = verbs[verb]
      const stray = (Object.keys(flags) as (keyof Flags)[]).find(
        (flag) => flag in flagNames && !action.flags.includes(flag),
      )
      if (stray !== undefined) throw new JobqError('usage', `${flagNames[stray]} does not go with ${verb}`)
      const isNamed = typeof action.named === 'boolean' ? action.named : action.named(flags)
      if (isNamed && name === undefined) throw new JobqError('usage', `${verb}: which key?`)
      if (!isNamed && name !== undefined) throw new JobqError('usage', `${verb}: ${quote(name)} is one word too many`)
      const session = await openSession(command)
      const { output, sources } = session
      await action.run({ keyring: new Keyring(keysFolder(sources)), session, output, flags }, name ?? '')
    })
  explain(
    command,
    [
      ['jobq keys new prod --type hmac', 'one secret, for all who sign and verify'],
      ['jobq keys new web --type ed25519', 'a pair: only who has the secret can sign'],
      ['jobq keys export web > web.pub', 'its public part, for the keys of a worker'],
      ['jobq keys list', 'id, type, state and age of each'],
      ['jobq keys verify prod', 'can it be used? 77 if not'],
      ['jobq keys retire web --verify-only', 'rotate: another one signs, this one still verifies'],
      ['jobq keys resign next', 'sign anew, with this key, whatever waits'],
      ['jobq keys retire web', 'refuse it from now on'],
      ['jobq keys verify --job 41', 'does the signature of that job hold?'],
    ],
    `new: hmac signs fast with one secret; ed25519 signs with a pair; x509 with a pair and its certificate, which is made here
unless --certificate and --private-key bring one; aes256 encrypts payloads and results.
retire: for good. A worker that runs hears of it within a second.
verify: reads the key as a worker would, and signs and verifies (or encrypts and decrypts) a sample with it; with --job it
verifies what a job holds, as a worker would.
resign: verifies the signature of each job that waits, and puts one by this key in its place; what a worker holds, and what
was not signed, stays as it is. Jobs whose signature does not hold are named, left alone, and make the exit code 77.
export: prints the public key or the certificate in PEM.

Keys are files in $XDG_CONFIG_HOME/jobq/keys (default ~/.config/jobq/keys; 'keys.folder' in the configuration says
otherwise), mode 0600: NAME.key. To believe somebody else's signatures, put their public key there as NAME.pub, or their
certificate as NAME.crt; a certificate that did not sign itself needs that of its authority beside it. A key that others
can read or write, or that belongs to another user, is refused.

Exit 3 for an unknown key, 77 for one that is retired, corrupt, expired or not safe from others.`,
  )
}

const keyOf = (id: string, { type, validFor, certificate, privateKey }: Flags): Promise<StoredKey> | StoredKey => {
  const { at } = systemClock.now()
  if (type === undefined) throw new JobqError('usage', `--type is missing: one of ${keyTypes.join(', ')}`)
  const given = [validFor, certificate, privateKey].some((value) => value !== undefined)
  if (type !== 'x509' && given) {
    throw new JobqError('usage', '--valid-for, --certificate and --private-key go with --type x509')
  }
  if (certificate === undefined && privateKey === undefined) {
    return newKey(id, type, { now: at, ...(validFor === undefined ? {} : { validMs: validFor }) })
  }
  if (certificate === undefined || privateKey === undefined || validFor !== undefined) {
    throw new JobqError('usage', '--certificate and --private-key go together, and without --valid-for')
  }
  const parts = {
    certificate: readPrivateFile(certificate, 'public').toString('utf8'),
    privateKey: readPrivateFile(privateKey, 'secret').toString('utf8'),
  }
  return importedKey(id, parts, at)
}

/** Uses a key on a sample and says what it can do. @throws JobqError `permission` where it can do nothing */
const tryOut = (keyring: Keyring, key: StoredKey): string => {
  if (key.state === 'retired') throw new JobqError('permission', `the key ${key.id} is retired`)
  const now = systemClock.now()
  const binding = { part: 'payload', task: 'sample', contentType: 'application/json', compression: null } as const
  const bytes = Buffer.from('"sample"')
  if (key.type === 'aes256') {
    const cipher = new Cipher(key.secret ?? Buffer.alloc(0))
    cipher.decrypt(cipher.encrypt(bytes, binding), binding)
    return 'encrypts and decrypts'
  }
  const content = { ...binding, job: 1, queue: 'default', encryption: null, bytes }
  try {
    if (key.state === 'verify-only') {
      checkValidity(keyring.verifier(key.id, now).validity, key.id, now.at)
      return 'verifies'
    }
    const signature = formatSignature(sign(keyring.signer(key.id, now), content, now.at))
    verify(keyring, { ...content, signature, required: true }, now)
    return 'signs and verifies'
  } catch (error) {
    if (!(error instanceof Rejected)) throw error
    throw new JobqError('permission', `the key ${key.id} cannot be used: ${error.message}`, { cause: error })
  }
}

const document = ({ id, type, state, createdAt }: StoredKey): object => ({
  id,
  type,
  state,
  createdAt: new Date(createdAt).toISOString(),
})

const columns = [
  { title: 'id', value: ({ id }: StoredKey) => id },
  { title: 'type', value: ({ type }: StoredKey) => type },
  { title: 'state', value: ({ state }: StoredKey) => state },
  { title: 'created', value: ({ createdAt }: StoredKey) => ({ at: createdAt }) },
]
