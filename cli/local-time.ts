/** An instant (epoch milliseconds) as the clock of this machine shows it: `2030-01-31 14:32:07.123`. */
export const localTime = (at: number): string => {
  const date = new Date(at)
  const pad = (part: number, length = 2): string => String(part).padStart(length, '0')
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => pad(part)).join(':')
  return `${day} ${time}.${pad(date.getMilliseconds(), 3)}`
}
