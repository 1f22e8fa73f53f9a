// Takes the first step of de-identification with every file of a folder, as the upload page does.
// node first_step.mjs <module> <table.json> <site> <folder in> <folder out>; prints the names of the files that it could not prepare.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

const [module, table, site, from, to] = process.argv.slice(2)
const { FirstStep, kindOf } = await import(module)
const step = new FirstStep(JSON.parse(readFileSync(table)), site)
const failed = []
for (const name of readdirSync(from)) {
  const file = new Blob([readFileSync(`${from}/${name}`)])
  if (await kindOf(file) !== 'dicom') continue
  await step.prepare(file).then(
    async (made) => writeFileSync(`${to}/${name}`, new Uint8Array(await made.arrayBuffer())),
    () => failed.push(name),
  )
}
console.log(JSON.stringify({ failed, covered: step.covered('CD/EKSEMPEL_Kari/MRN-0048213377/IM0001') }))
