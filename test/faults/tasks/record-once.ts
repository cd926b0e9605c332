// The recording task, acknowledged before it runs: never a second time, whatever happens.
import record from './record.ts'

export const options = { ack: 'early' }

export default record
