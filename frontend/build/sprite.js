// One SVG file with every icon (`i-…`, from Lucide) and every status shape (`s-…`, ours), and the picture of the browser's tab.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { shapes } from './shapes.js'

const here = new URL('..', import.meta.url)
const generated = new URL('generated/', here)
mkdirSync(generated, { recursive: true })

function line (name) {
  const svg = readFileSync(new URL(`node_modules/lucide-static/icons/${name}.svg`, here), 'utf8')
  const inner = svg.slice(svg.indexOf('>', svg.indexOf('<svg')) + 1, svg.lastIndexOf('</svg>')).replace(/\s+/g, ' ').trim()
  return `<symbol id="i-${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.9" stroke-linecap="round" stroke-linejoin="round">${inner}</symbol>`
}

const names = JSON.parse(readFileSync(new URL('icons.json', here), 'utf8'))
const symbols = [
  ...names.map(line),
  ...Object.entries(shapes).map(([name, inner]) => `<symbol id="s-${name}" viewBox="0 0 16 16">${inner}</symbol>`),
]
writeFileSync(new URL('sprite.svg', generated), `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join('')}</svg>`)

const mark = readFileSync(new URL('../templates/components/mark.svg', here), 'utf8')
writeFileSync(new URL('favicon.svg', generated), mark.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ').replace(/ aria-hidden="true" focusable="false"/, ''))
