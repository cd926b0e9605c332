// The first script of the binary, together with `main` and `hasCache`, which the build puts before it. Every other module
// is a file inside the binary, compiled when it is first asked for, from V8's code cache where there is one.
const sea = require('node:sea')
const vm = require('node:vm')

const loaded = Object.create(null)

function load(name) {
  if (!name.startsWith('./')) return require(name)
  if (loaded[name] === undefined) {
    const module = { exports: {} }
    loaded[name] = module
    compile(name.slice(2))(module, module.exports, load)
  }
  return loaded[name].exports
}

function compile(file) {
  const source = Buffer.from(sea.getRawAsset(file)).latin1Slice()
  const cachedData = hasCache ? Buffer.from(sea.getRawAsset(`${file}.cache`)) : undefined
  return new vm.Script(source, { filename: `jobq/${file}`, cachedData }).runInThisContext()
}

main({}, {}, load)
