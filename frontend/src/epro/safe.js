// Answers on the device, unreadable without the link: AES-GCM, the key made from the link's secret.
import { openDB } from 'idb'

const STORE = 'answers'
const open = () => openDB('hilum-questionnaire', 1, { upgrade: (db) => db.createObjectStore(STORE) })
const bytes = (text) => new TextEncoder().encode(text)

async function keyOf (name, secret) {
  const raw = await crypto.subtle.importKey('raw', bytes(secret || name), 'HKDF', false, ['deriveKey'])
  const recipe = { name: 'HKDF', hash: 'SHA-256', salt: bytes(name), info: bytes('answers') }
  return crypto.subtle.deriveKey(recipe, raw, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
}

/** Keep a value under a name; on a page without HTTPS nothing is kept. */
export async function keep (name, secret, value) {
  if (!crypto.subtle) return
  const iv = crypto.getRandomValues(new Uint8Array(12))
  const cipher = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, await keyOf(name, secret), bytes(JSON.stringify(value)))
  const db = await open()
  await db.put(STORE, { iv, cipher }, name)
  db.close()
}

/** What was kept, or null: nothing there, or another link's. */
export async function recall (name, secret) {
  if (!crypto.subtle) return null
  const db = await open()
  const kept = await db.get(STORE, name)
  db.close()
  if (!kept) return null
  try {
    const plain = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: kept.iv }, await keyOf(name, secret), kept.cipher)
    return JSON.parse(new TextDecoder().decode(plain))
  } catch (error) {
    if (error.name === 'OperationError') return null
    throw error
  }
}

export async function forget (name) {
  if (!crypto.subtle) return
  const db = await open()
  await db.delete(STORE, name)
  db.close()
}
