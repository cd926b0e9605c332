import { JobqError } from '../src/errors.ts'
import { quote } from '../src/quote.ts'

/** What a unit is made of. */
export interface Unit {
  readonly command: readonly string[]
  /** Working directory, where ./tasks and jobq.config.* are looked for. */
  readonly folder: string
  /** How long a stop may take before systemd kills the worker, in milliseconds. */
  readonly stopMs: number
  /** The folder of the broker's file. */
  readonly writable: string
  /** A unit of a user's own systemd, where most of the hardening needs rights that it has not. */
  readonly user: boolean
}

/**
 * The text of a systemd unit that runs a worker (systemd.service(5), systemd.exec(5)).
 * @throws JobqError `usage` for text that no unit can hold
 */
export const unitText = ({ command, folder, stopMs, writable, user }: Unit): string =>
  [
    '[Unit]',
    'Description=jobq worker',
    'After=network.target',
    '',
    '[Service]',
    '# Ready when it takes jobs; killed and started again when its loop has stood still for so long. What it tells is sent',
    '# by systemd-notify, which is a process of its own.',
    'Type=notify',
    'NotifyAccess=all',
    'WatchdogSec=60s',
    `ExecStart=${command.map(unitWord).join(' ')}`,
    `WorkingDirectory=${percent(folder)}`,
    'ExecReload=kill -HUP $MAINPID',
    'Restart=on-failure',
    'RestartSec=2s',
    '# A warm stop waits --grace for running jobs; jobs that are cut go back to the queue.',
    'KillMode=mixed',
    `TimeoutStopSec=${Math.ceil(stopMs / 1_000)}s`,
    'UMask=0077',
    'NoNewPrivileges=true',
    ...(user
      ? []
      : [
          'PrivateTmp=true',
          'ProtectSystem=full',
          'ProtectClock=true',
          'ProtectHostname=true',
          'ProtectKernelTunables=true',
          'ProtectKernelModules=true',
          'ProtectControlGroups=true',
          'RestrictRealtime=true',
          'RestrictSUIDSGID=true',
          'LockPersonality=true',
          `ReadWritePaths=${quoted(`-${writable}`)}`,
        ]),
    '',
    '[Install]',
    `WantedBy=${user ? 'default.target' : 'multi-user.target'}`,
    '',
  ].join('\n')

const unitWord = (text: string): string => {
  const safe = /^[A-Za-z0-9_./:=,@+-]+$/.test(text)
  return safe ? text : quoted(text).replaceAll('$', '$$$$')
}

const quoted = (text: string): string => `"${percent(text).replace(/["\\]/g, '\\$&')}"`

const percent = (text: string): string => checked(text).replaceAll('%', '%%')

const checked = (text: string): string => {
  if (/[\u0000-\u001f\u007f]/.test(text)) throw new JobqError('usage', `${quote(text)} cannot stand in a systemd unit`)
  return text
}
