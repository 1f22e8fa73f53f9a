// Opens a zip archive before it is sent, so that names can be taken out of the files in it. Anything odd about an archive is left to
// the server, which gets it whole and names what is wrong with it.
import { BlobReader, configure, ZipReader } from '@zip.js/zip.js/lib/zip-core-native.js'

configure({ useWebWorkers: false })

const MOST_FILES = 20_000
const MOST_BYTES = 512 * 1024 * 1024
const MOST_RATIO = 200
const RATIO_FLOOR = 1024 * 1024

/** Files of an archive as `{ path, file }`. Throws where it is damaged, protected, far larger than it should be, or climbs out of itself. */
export async function unpacked (archive, path) {
  const reader = new ZipReader(new BlobReader(archive), { checkOverlappingEntry: true })
  try {
    const members = (await reader.getEntries()).filter(({ directory }) => !directory)
    if (members.length > MOST_FILES || members.some(isOdd)) throw new Error('An odd archive')
    const found = []
    for (const member of members) found.push({ path: `${path}/${member.filename}`, file: await content(member) })
    return found
  } finally {
    await reader.close()
  }
}

function isOdd ({ filename, encrypted, compressedSize, uncompressedSize, externalFileAttributes = 0 }) {
  const parts = filename.replaceAll('\\', '/').split('/')
  const climbs = !parts[0] || parts[0].includes(':') || parts.includes('..') || filename.includes('\0')
  const isLink = (externalFileAttributes >>> 16 & 0o170000) === 0o120000
  const isBomb = uncompressedSize > RATIO_FLOOR && uncompressedSize > MOST_RATIO * Math.max(compressedSize, 1)
  return climbs || isLink || isBomb || encrypted || uncompressedSize > MOST_BYTES
}

/** A member as a Blob; refused as soon as it is larger than it says. */
async function content (member) {
  const parts = []
  let size = 0
  await member.getData(new WritableStream({
    write (chunk) {
      size += chunk.length
      if (size > member.uncompressedSize) throw new Error('Larger than it says')
      parts.push(chunk.slice())
    },
  }), { checkSignature: true })
  return new Blob(parts)
}
