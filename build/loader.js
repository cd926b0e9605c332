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

// What an import of one of Node's own modules gives. Few commands need more than files and paths, and child_process alone
// takes 2 ms to load, so the others are loaded when something of them is first used.
load.builtin = (name) => (name === 'node:fs' || name === 'node:path' ? direct(require(name)) : onFirstUse(name))

function direct(all) {
  return { __proto__: all, default: all }
}

function onFirstUse(name) {
  let all
  return new Proxy(Object.create(null), {
    get(_, key) {
      all ??= require(name)
      return key === 'default' ? all : all[key]
    },
  })
}

function compile(file) {
  const source = Buffer.from(sea.getRawAsset(file)).latin1Slice()
  const cachedData = hasCache ? Buffer.from(sea.getRawAsset(`${file}.cache`)) : undefined
  return new vm.Script(source, { filename: `jobq/${file}`, cachedData }).runInThisContext()
}

main({}, {}, load)
