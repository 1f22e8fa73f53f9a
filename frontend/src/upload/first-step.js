// The first step of de-identification, before anything is sent: what names people and places is taken out of a DICOM file by
// the server's table. Dates and identifiers wait for the subject's key, which never comes here. Pixels are not touched.
import dicomParser from 'dicom-parser'

const HEAD = 256 * 1024
const PIXELS = new Set([0x7FE00008, 0x7FE00009, 0x7FE00010])
const META = [0x00020001, 0x00020002, 0x00020003, 0x00020010]
const LONG = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV'])
const BLOCK = 0x00090010
const DIGITS = 32
const LETTERS = /[\p{L}\p{M}\p{N}]+/gu

/** What a file is: `dicom`, `archive`, `empty` or `other`. */
export async function kindOf (file) {
  if (!file.size) return 'empty'
  const start = new Uint8Array(await file.slice(0, 132).arrayBuffer())
  if (latin(start.subarray(128)) === 'DICM') return 'dicom'
  return latin(start.subarray(0, 2)) === 'PK' ? 'archive' : 'other'
}

/** Prepares the files of one upload. */
export class FirstStep {
  /**
   * @param table what the server says of each element
   * @param site code of the site, within which patient numbers are compared
   */
  constructor (table, site) {
    this.table = table
    this.site = site
    this.salt = hex(crypto.getRandomValues(new Uint8Array(DIGITS / 2)))
    this.words = new Set() // of all files, as `plain` has them; they stay in this page
    this.digests = new Map()
    this.numbers = new Map()
    this.actions = new Map()
    for (const [action, byVr] of Object.entries(table.actions)) {
      for (const [vr, tags] of Object.entries(byVr)) {
        for (const tag of tags) this.actions.set(tag, { ...this.actions.get(tag), [vr]: action })
      }
    }
    const whole = (source) => new RegExp(`^(?:${source})$`)
    this.checks = Object.fromEntries(Object.entries({ ...table.checks, ...table.checksOfTags }).map(([of, source]) => [of, whole(source)]))
    this.numbersThatRead = whole(table.numbersThatRead)
    this.phases = table.phases.map(([name, source]) => [name, new RegExp(source, 'i')])
    this.word = new RegExp(table.word, 'g')
    this.shortName = whole(table.shortName)
  }

  /** The file without names, as a Blob of which the pixels still lie on the disk. Throws where the file cannot be read. */
  async prepare (file) {
    const read = await this.#read(file)
    const found = new Writer(this, read)
    const body = found.dataset(read.elements, '')
    const words = this.#wordsOf(read)
    for (const word of words.flatMap(readings)) this.words.add(word)
    const noted = await this.#noted(read, words, found)
    const before = body.filter(({ tag }) => tag < BLOCK).map(({ bytes }) => bytes)
    const after = body.filter(({ tag }) => tag > BLOCK).map(({ bytes }) => bytes)
    const start = [new Uint8Array(128), text('DICM'), ...found.meta(read.meta), ...before, ...noted, ...after]
    return new Blob(read.pixel ? [...start, file.slice(read.pixel.start, read.pixel.end)] : start)
  }

  /** A path in which the words that named somebody are covered, however they were written there. */
  covered (path) {
    return path.replace(LETTERS, (word) => this.words.has(plain(word)) ? '…' : word)
  }

  async #read (file) {
    const head = file.size > HEAD ? await readHeader(file.slice(0, HEAD)).catch(() => null) : null
    const read = head?.pixel ? head : await readHeader(file)
    if (!read.pixel) return read
    if (read.pixel.length !== 0xFFFFFFFF) read.pixel.end = Math.min(read.pixel.value + read.pixel.length, file.size)
    else read.pixel.end = endOfFragments(new DataView(await file.arrayBuffer()), read.pixel.value)
    read.behind = read.pixel.end < file.size
    return read
  }

  /** Words by which the header names people and places, as the server would find them. */
  #wordsOf (read) {
    const words = (tags) => tags.flatMap((tag) => latin(valueOf(read, tag)).match(this.word) ?? []).map(upper)
    const vendor = new Set(words(this.table.vendors))
    const found = new Set([...words(this.table.people), ...words(this.table.places).filter((word) => !vendor.has(word))])
    const long = [...found].filter((word) => word.length >= (/^\d+$/.test(word) ? 5 : 4))
    const short = words(this.table.names).filter((word) => this.shortName.test(word) && !this.table.noNames.includes(word))
    return [...new Set([...long, ...short])].sort()
  }

  /** The private block that tells the server what was done, and the digests in the place of what is gone. */
  async #noted (read, words, { emptied, replaced, removed, encode }) {
    const number = trimmed(read, 0x00100020) || trimmed(read, 0x00100010)
    const content = JSON.stringify({
      salt: this.salt,
      number: number && await this.#blinded(number),
      words: await Promise.all(words.map((word) => this.#digest(word))),
      emptied, replaced, removed,
      behind: Boolean(read.behind),
    })
    return [encode(BLOCK, 'LO', text(this.table.creator)), encode(0x00091001, 'UT', text(content))]
  }

  #digest (word) {
    if (!this.digests.has(word)) {
      const digest = crypto.subtle.digest('SHA-256', bytesOf(this.salt + word))
      this.digests.set(word, digest.then((bits) => hex(new Uint8Array(bits)).slice(0, DIGITS)))
    }
    return this.digests.get(word)
  }

  #blinded (number) {
    if (!this.numbers.has(number)) this.numbers.set(number, blinded(number, this.site, this.table.rounds))
    return this.numbers.get(number)
  }
}

/** One pass over one file: what is kept is copied, byte for byte. */
class Writer {
  constructor (step, { bytes, explicit, little }) {
    Object.assign(this, { step, bytes, explicit, little, emptied: [], replaced: [], removed: [] })
    this.encode = this.encode.bind(this)
  }

  /** The elements of a data set that stay, each as `{ tag, bytes }`. */
  dataset (elements, path) {
    const local = this.#isLocalCode(elements)
    return elements.map((element) => {
      const place = path + tagName(element.tag)
      const code = local && element.vr !== 'SQ' ? this.step.table.localCodes[element.tag] : undefined
      const bytes = code === undefined ? this.#element(element, place) : this.encode(element.tag, element.vr, text(code))
      if (!bytes) this.removed.push(place)
      return { tag: element.tag, bytes }
    }).filter(({ bytes }) => bytes)
  }

  /** The file meta information that says what the object is and how it is encoded; names of machines go. */
  meta (elements) {
    const kept = elements.filter(({ tag }) => META.includes(tag)).map(({ start, end }) => this.bytes.slice(start, end))
    const length = new Uint8Array(4)
    new DataView(length.buffer).setUint32(0, kept.reduce((sum, { length }) => sum + length, 0), true)
    return [encoded(0x00020000, 'UL', length, true, true), ...kept]
  }

  encode (tag, vr, value) { return encoded(tag, vr, value, this.explicit, this.little) }

  #element (element, place) {
    const { action, vr } = this.#action(element)
    if (!action) return null
    if (action === 'recurse') return this.#sequence(element, place)
    if (element.undefined) throw new Error('A value of unknown length')
    const value = this.bytes.subarray(element.value, element.end)
    if (action === 'keep') return this.#holdsNumbers(element.tag, vr, value) ? this.#copied(element) : null
    if (action === 'check') return this.#checked(element, vr, value, place)
    if (action === 'phase') return this.#phase(element, value, place)
    if (!latin(value).replace(/[ \0]/g, '')) return this.#copied(element)
    const dummy = action === 'replace' ? this.step.table.dummies[named(element.vr) ?? vr] ?? '' : ''
    ;(dummy ? this.replaced : this.emptied).push(place)
    return this.encode(element.tag, element.vr, text(dummy))
  }

  /** What happens to an element; nothing where it goes. The dictionary says what it is, among numbers the file. */
  #action ({ tag, vr: given }) {
    const known = this.step.actions.get(tag)
    if (!known) return {}
    const [first] = Object.keys(known)
    const vr = named(given) ?? first
    if (vr === 'SQ' && given === 'UN') throw new Error('A sequence that does not say so')
    if (known[vr]) return { action: known[vr], vr }
    if ((vr === 'SQ') !== (first === 'SQ')) return {}
    if (![vr, first].every((each) => this.#isNumber(each)) || !['keep', 'check'].includes(known[first])) return { action: known[first], vr: first }
    return { action: this.step.table.sizes[vr] ? 'keep' : 'check', vr }
  }

  #isNumber (vr) { return vr === 'DS' || vr === 'IS' || vr in this.step.table.sizes }

  #holdsNumbers (tag, vr, value) {
    const { sizes, most } = this.step.table
    const [size, limit] = [sizes[vr], most[tag] ?? 1]
    if (!size) return !['OB', 'OW'].includes(vr) || value.length > 64 || !this.step.numbersThatRead.test(latin(value))
    if (value.length % size || (limit && value.length > size * limit)) return false
    return value.length > 64 || !this.step.numbersThatRead.test(latin(value))
  }

  #checked (element, vr, value, place) {
    if ((this.step.checks[element.tag] ?? this.step.checks[vr])?.test(latin(value))) return this.#copied(element)
    if (vr !== 'TM') return null
    this.emptied.push(place)
    return this.encode(element.tag, element.vr, text(''))
  }

  /** Of a description, the contrast phase that it names. */
  #phase (element, value, place) {
    const [phase] = this.step.phases.find(([, pattern]) => pattern.test(latin(value))) ?? []
    if (!phase) return null
    if (phase === latin(value).trimEnd()) return this.#copied(element)
    this.replaced.push(place)
    return this.encode(element.tag, element.vr, text(phase))
  }

  #sequence ({ tag, value, end, items }, place) {
    if (!items && end > value) throw new Error('A sequence that cannot be read')
    const parts = (items ?? []).map((item, index) => joined(this.dataset(item, `${place}[${index}].`).map(({ bytes }) => bytes)))
    return this.encode(tag, 'SQ', joined(parts.flatMap((part) => [itemHead(part.length, this.little), part])))
  }

  #copied ({ start, end }) { return this.bytes.slice(start, end) }

  /** Whether an item is a code of the site's own vocabulary, whose words may be anything. */
  #isLocalCode (elements) {
    const scheme = elements.find(({ tag }) => tag === 0x00080102)
    const name = scheme ? latin(this.bytes.subarray(scheme.value, scheme.end)).replace(/^[\0 \r\n\t]+|[\0 \r\n\t]+$/g, '') : ''
    return Boolean(name) && !this.step.table.schemes.includes(name.toUpperCase())
  }
}

/** Header of a file: its elements with their places, and where the pixels start. */
async function readHeader (blob) {
  const bytes = new Uint8Array(await blob.arrayBuffer())
  const dataSet = dicomParser.parseDicom(bytes, { untilTag: 'x7fe00010' })
  const syntax = dataSet.string('x00020010')
  if (syntax === '1.2.840.10008.1.2.1.99') throw new Error('Deflated')
  const read = { bytes, explicit: syntax !== '1.2.840.10008.1.2', little: syntax !== '1.2.840.10008.1.2.2', meta: [], elements: [] }
  for (const element of placed(dataSet.elements, read.explicit)) {
    if (PIXELS.has(element.tag)) read.pixel = element
    else (element.tag >>> 16 === 2 ? read.meta : read.elements).push(element)
  }
  return read
}

function placed (elements, explicit) {
  return Object.values(elements).filter(({ tag }) => !tag.startsWith('xfffe')).map((element) => {
    const tag = parseInt(element.tag.slice(1), 16)
    const vr = explicit || tag >>> 16 === 2 ? element.vr : undefined
    const start = element.dataOffset - (vr && LONG.has(vr) ? 12 : 8)
    return {
      tag, vr, start,
      value: element.dataOffset,
      length: element.hadUndefinedLength ? 0xFFFFFFFF : element.length,
      end: element.dataOffset + element.length,
      undefined: Boolean(element.hadUndefinedLength),
      items: element.items?.map((item) => placed(item.dataSet?.elements ?? {}, explicit)),
    }
  }).sort((one, other) => one.tag - other.tag)
}

/** Where compressed pixel data end: behind the delimiter of their fragments. Always little endian. */
function endOfFragments (view, start) {
  let at = start
  while (at + 8 <= view.byteLength) {
    const item = view.getUint16(at + 2, true)
    const length = view.getUint32(at + 4, true)
    at += 8
    if (item === 0xE0DD) return at
    at += length
  }
  return view.byteLength
}

function encoded (tag, vr, value, explicit, little) {
  const odd = value.length % 2
  const padded = odd ? joined([value, text(['UI', 'OB', 'UN'].includes(vr) ? '\0' : ' ')]) : value
  const long = explicit && LONG.has(vr)
  const head = new DataView(new ArrayBuffer(long ? 12 : 8))
  head.setUint16(0, tag >>> 16, little)
  head.setUint16(2, tag & 0xFFFF, little)
  if (!explicit) head.setUint32(4, padded.length, little)
  else {
    head.setUint8(4, vr.charCodeAt(0))
    head.setUint8(5, vr.charCodeAt(1))
    if (long) head.setUint32(8, padded.length, little)
    else head.setUint16(6, padded.length, little)
  }
  return joined([new Uint8Array(head.buffer), padded])
}

function itemHead (length, little) {
  const head = new DataView(new ArrayBuffer(8))
  head.setUint16(0, 0xFFFE, little)
  head.setUint16(2, 0xE000, little)
  head.setUint32(4, length, little)
  return new Uint8Array(head.buffer)
}

async function blinded (number, site, rounds) {
  const utf8 = (words) => new TextEncoder().encode(words)
  const key = await crypto.subtle.importKey('raw', utf8(number), 'PBKDF2', false, ['deriveBits'])
  const salt = utf8(`hilum patient number/${site}`)
  return hex(new Uint8Array(await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations: rounds }, key, DIGITS * 4)))
}

function valueOf ({ bytes, elements }, tag) {
  const element = elements.find((each) => each.tag === tag)
  return element ? bytes.subarray(element.value, element.end) : new Uint8Array()
}

/** A word of a header in capitals without accents, in each of the character sets that it may be written in. */
function readings (word) {
  const decoded = ['utf-8', 'latin1'].map((charset) => new TextDecoder(charset).decode(bytesOf(word)))
  return decoded.flatMap((each) => each.match(LETTERS) ?? []).map(plain).filter((each) => each.length > Math.min(3, word.length - 1))
}

const named = (vr) => vr && vr !== 'UN' ? vr : undefined
const plain = (word) => word.normalize('NFKD').replace(/\p{M}/gu, '').toUpperCase()
const trimmed = (read, tag) => latin(valueOf(read, tag)).replace(/^[\0 \r\n\t]+|[\0 \r\n\t]+$/g, '')
const tagName = (tag) => tag.toString(16).toUpperCase().padStart(8, '0')
const upper = (word) => word.replace(/[a-z]+/g, (letters) => letters.toUpperCase())
const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
const bytesOf = (words) => Uint8Array.from(words, (letter) => letter.charCodeAt(0))
const text = bytesOf

/** Bytes as text, a letter for each. */
function latin (bytes) {
  let words = ''
  for (let at = 0; at < bytes.length; at += 8192) words += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return words
}

function joined (parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
