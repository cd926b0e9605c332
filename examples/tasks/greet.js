// The smallest task: a function, in plain JavaScript.
//   jobq enqueue greet '{"name": "Ada"}' --wait --follow

export const options = { retries: 1, backoff: 'fixed:1s' }

export default async function greet({ name = 'world' }, job) {
  job.log(`greeting ${name}, attempt ${job.attempt}`)
  return { greeting: `Hello, ${name}!` }
}
