/** What a task's definition says about the process that it runs in. */
export interface TaskLifeHooks {
  setup?(child: { readonly shared: Readonly<Record<string, unknown>> }): unknown
  teardown?(): unknown
}

/** The setup and teardown of one task in one child: the first before its first job there, the other once when the child leaves. */
export class TaskLife {
  readonly #hooks: TaskLifeHooks
  #begun: Promise<unknown> | null = null

  constructor(hooks: TaskLifeHooks) {
    this.#hooks = hooks
  }

  /** Resolves once the setup has been done. One that throws fails the job that waited for it; the next job tries again. */
  async begin(shared: Readonly<Record<string, unknown>>): Promise<void> {
    this.#begun ??= (async () => this.#hooks.setup?.({ shared }))()
    try {
      await this.#begun
    } catch (error) {
      this.#begun = null
      throw error
    }
  }

  /** Undoes the setup, if it was done; rejects with what the teardown throws. */
  async end(): Promise<void> {
    if (this.#begun === null) return
    this.#begun = null
    await this.#hooks.teardown?.()
  }
}
