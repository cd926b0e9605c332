/** How much of the machine a program may use for each job, after a reading of the configuration: sizes in bytes, durations in milliseconds. */
export interface ResourceLimits {
  /** Address space, in bytes. */
  readonly as?: number
  /** Processor time, in milliseconds; whole seconds are what the system knows. */
  readonly cpu?: number
  /** Open files. */
  readonly nofile?: number
  /** Processes of its user. */
  readonly nproc?: number
  /** The largest file that it may write, in bytes. */
  readonly fsize?: number
  /** The largest core dump, in bytes. */
  readonly core?: number
}

/** The rights and limits under which commands and executables run. */
export interface ProcessOptions {
  /** Niceness, from -20 to 19. */
  readonly nice?: number
  /** `idle`, `best-effort:0..7` or `realtime:0..7`. */
  readonly ionice?: string
  /** A name or a numeric id. */
  readonly user?: string
  /** A name or a numeric id. */
  readonly group?: string
  readonly rlimits?: ResourceLimits
}

/** Process options as a configuration gives them: for everything that is a program, and by task. */
export interface ProcessPlan {
  readonly defaults: ProcessOptions
  readonly tasks: Readonly<Record<string, ProcessOptions>>
}

/** The process options among others; absent ones stay absent. */
export const processOptionsIn = ({ nice, ionice, user, group, rlimits }: ProcessOptions): ProcessOptions => ({
  ...(nice === undefined ? {} : { nice }),
  ...(ionice === undefined ? {} : { ionice }),
  ...(user === undefined ? {} : { user }),
  ...(group === undefined ? {} : { group }),
  ...(rlimits === undefined ? {} : { rlimits }),
})

/** The plan that a configuration's `defaults` and `taskOptions` come to. */
export const processPlan = (config: {
  readonly defaults?: ProcessOptions
  readonly taskOptions?: Readonly<Record<string, ProcessOptions>>
}): ProcessPlan => ({
  defaults: processOptionsIn(config.defaults ?? {}),
  tasks: Object.fromEntries(
    Object.entries(config.taskOptions ?? {})
      .map(([task, options]) => [task, processOptionsIn(options)] as const)
      .filter(([, options]) => Object.keys(options).length > 0),
  ),
})

/** What holds for one task of a plan: its own options over the defaults, limits one by one. */
export const processOptionsOf = ({ defaults, tasks }: ProcessPlan, task: string): ProcessOptions => {
  const own = ownProcessOptions({ defaults, tasks }, task)
  if (own === null) return defaults
  const rlimits = { ...defaults.rlimits, ...own.rlimits }
  return { ...defaults, ...own, ...(Object.keys(rlimits).length === 0 ? {} : { rlimits }) }
}

/** What a plan says about this task itself; null if nothing. */
export const ownProcessOptions = ({ tasks }: ProcessPlan, task: string): ProcessOptions | null =>
  (Object.hasOwn(tasks, task) ? tasks[task] : undefined) ?? null
