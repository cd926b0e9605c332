/** A queue that has ready jobs. */
export interface ReadyQueue {
  readonly id: number
  readonly weight: number
  readonly strict: boolean
}

/** With more queues than this a turn visits about so many of them only, so that its cost does not grow with their number. */
const manyQueues = 8
const visitsAmongMany = 4

/**
 * Shares claims among queues: in the order given where that is strict, else by deficit round robin
 * (M. Shreedhar and G. Varghese, "Efficient Fair Queuing Using Deficit Round-Robin", 1995): each queue
 * earns its weight of every claim, takes whole jobs for it and keeps the rest as credit, so that shares hold
 * over time even when one job is claimed at a time. What a queue leaves goes to the others.
 */
export class QueueTurns {
  readonly #credit = new Map<number, number>()

  /** Takes at most `limit` rows from the queues by `from(queue, limit)`, which never gives a row twice. */
  take<Row>(queues: readonly ReadyQueue[], limit: number, from: (queue: number, limit: number) => Row[]): Row[] {
    if (queues.length === 0 || limit <= 0) return []
    const only = queues.length === 1 ? queues[0] : undefined
    if (only !== undefined) return from(only.id, limit)
    const shares = queues[0]?.strict ? queues.map(() => limit) : this.#earn(queues, limit)
    return this.#fill(queues, shares, { limit, from })
  }

  /**
   * Whole jobs each queue may take now, those with the most credit first. With many queues a turn visits a few of them for
   * a good many jobs each instead of all of them for one or two; what they take beyond their credit they owe.
   */
  #earn(queues: readonly ReadyQueue[], limit: number): number[] {
    const total = queues.reduce((sum, queue) => sum + queue.weight, 0)
    const known = new Set(queues.map((queue) => queue.id))
    for (const id of this.#credit.keys()) if (!known.has(id)) this.#credit.delete(id)
    for (const queue of queues) this.#credit.set(queue.id, this.#creditOf(queue) + (limit * queue.weight) / total)
    const least = Math.ceil(limit / (queues.length > manyQueues ? visitsAmongMany : manyQueues))
    const order = queues.map((queue, index) => ({ index, credit: this.#creditOf(queue), share: 0 }))
    let left = limit
    for (const turn of order.toSorted((a, b) => b.credit - a.credit)) {
      turn.share = Math.min(left, Math.max(Math.floor(turn.credit), least))
      left -= turn.share
    }
    // Rounding leaves less than one job a queue: those that it took most from get them.
    for (const turn of order.toSorted((a, b) => b.credit - b.share - (a.credit - a.share)).slice(0, left))
      turn.share += 1
    return order.map((turn) => turn.share)
  }

  #creditOf(queue: ReadyQueue): number {
    return this.#credit.get(queue.id) ?? 0
  }

  #fill<Row>(
    queues: readonly ReadyQueue[],
    shares: readonly number[],
    take: { readonly limit: number; readonly from: (queue: number, limit: number) => Row[] },
  ): Row[] {
    const taken = new Map<ReadyQueue, Row[]>()
    let left = take.limit
    for (const [index, queue] of queues.entries()) {
      const share = Math.min(shares[index] ?? 0, left)
      const rows = share > 0 ? take.from(queue.id, share) : []
      taken.set(queue, rows)
      left -= rows.length
      if (!queue.strict) this.#credit.set(queue.id, rows.length < share ? 0 : this.#creditOf(queue) - rows.length)
    }
    for (const [index, queue] of queues.entries()) {
      if (left <= 0) break
      const rows = taken.get(queue) ?? []
      if (rows.length < (shares[index] ?? 0)) continue
      const more = take.from(queue.id, left)
      left -= more.length
      taken.set(queue, [...rows, ...more])
    }
    return [...taken.values()].flat()
  }
}
