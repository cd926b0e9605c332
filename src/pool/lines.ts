/** Cuts a stream of bytes into lines of UTF-8, without their newlines. */
export class LineSplitter {
  #rest: Buffer[] = []

  /** The lines that are complete with this piece. */
  push(data: Buffer): string[] {
    const end = data.lastIndexOf(10)
    if (end === -1) {
      this.#rest.push(data)
      return []
    }
    const complete = data.subarray(0, end)
    const text = (this.#rest.length === 0 ? complete : Buffer.concat([...this.#rest, complete])).toString('utf8')
    this.#rest = end + 1 < data.length ? [data.subarray(end + 1)] : []
    return text.split('\n')
  }
}
