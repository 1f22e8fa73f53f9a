// Inter, cut down to what is shown: one file that every page needs, and three that a browser fetches only when a page has such letters.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import subsetFont from 'subset-font'

const here = new URL('..', import.meta.url)
const generated = new URL('generated/', here)
mkdirSync(generated, { recursive: true })

const ranges = {
  latin: 'U+20-7E, U+A0-FF, U+131, U+152-153, U+160-161, U+178, U+17D-17E, U+192, U+2C6, U+2DA, U+2DC, U+394, U+3B1-3B3, U+3BC, U+2013-2014, U+2018-201A, U+201C-201E, U+2020-2022, U+2026, U+2030, U+2032-2033, U+2039-203A, U+2044, U+2070, U+2074-2079, U+2080-2089, U+20AC, U+2122, U+2190-2193, U+21B5, U+2212, U+2215, U+2248, U+2260, U+2264-2265',
  'latin-ext': 'U+100-130, U+132-151, U+154-15F, U+162-177, U+179-17C, U+17F-191, U+1E00-1E9F',
  greek: 'U+370-393, U+395-3B0, U+3B4-3BB, U+3BD-3FF',
  cyrillic: 'U+400-45F, U+490-491, U+4B0-4B1, U+2116',
  vietnamese: 'U+1A0-1A1, U+1AF-1B0, U+300-301, U+303-304, U+308-309, U+323, U+329, U+1EA0-1EF9, U+20AB',
}

function letters (range) {
  let text = ''
  for (const part of range.split(',')) {
    const [from, to] = part.trim().slice(2).split('-').map((hex) => parseInt(hex, 16))
    for (let code = from; code <= (to ?? from); code += 1) text += String.fromCodePoint(code)
  }
  return text
}

const source = readFileSync(new URL('node_modules/inter-ui/variable/InterVariable.woff2', here))
const stamp = createHash('sha256').update(source).update(readFileSync(new URL(import.meta.url))).digest('hex')
const stampFile = new URL('fonts.stamp', generated)
if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp) {
  const faces = []
  for (const [name, range] of Object.entries(ranges)) {
    const font = await subsetFont(source, letters(range), {
      targetFormat: 'woff2',
      variationAxes: { opsz: 14, wght: { min: 400, max: 700 } },
      keepFeatures: ['kern', 'liga', 'calt', 'ccmp', 'locl', 'mark', 'mkmk', 'tnum', 'zero', 'ss02', 'ss03', 'sups', 'subs', 'case'],
    })
    writeFileSync(new URL(`inter-${name}.woff2`, generated), font)
    faces.push(`@font-face{font-family:"Inter Hilum";src:url("./inter-${name}.woff2") format("woff2");font-weight:400 700;font-style:normal;font-display:swap;unicode-range:${range}}`)
  }
  // Arial with Inter's metrics: the page does not move when the font arrives.
  faces.push('@font-face{font-family:"Inter fallback";src:local("Arial"),local("Liberation Sans"),local("Helvetica");size-adjust:107.12%;ascent-override:90.44%;descent-override:22.52%;line-gap-override:0%}')
  writeFileSync(new URL('fonts.css', generated), faces.join('\n') + '\n')
  writeFileSync(stampFile, stamp)
}
