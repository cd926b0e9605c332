/** Loads the addon as the binary does and prints, as JSON, the file it was mapped from and that it works. */
import fs from 'node:fs'
import { loadAddon } from '../../cli/binary/addon.ts'
import { useNativeBinding } from '../../src/broker/sqlite/binding.ts'
import { openDatabase } from '../../src/broker/sqlite/native.ts'

const [source = '', file = ''] = process.argv.slice(2)
try {
  useNativeBinding(() => loadAddon({ file, bytes: fs.readFileSync(source) }))
  const one = openDatabase(':memory:').prepare('SELECT 1').pluck().get()
  const maps = fs.readFileSync('/proc/self/maps', 'utf8').split('\n')
  const mapped = maps.find((line) => line.includes(file))
  console.log(JSON.stringify({ one, mapped: mapped?.slice(mapped.indexOf('/')) }))
} catch (error) {
  console.log(JSON.stringify({ error: error instanceof Error ? error.message : String(error) }))
}
