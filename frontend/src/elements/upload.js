// Sends folders, files and zip archives: a list first, then what the server lacks, twenty files at a time, two requests side by side.
import { token } from '../htmx.js'

const BATCH = 20
const SIDE_BY_SIDE = 2
const TRIES = 4

class Upload extends HTMLElement {
  connectedCallback () {
    if (this.ready) return
    this.ready = true
    this.zone = this.querySelector('.drop') ?? this
    this.addEventListener('change', (event) => {
      if (event.target.type !== 'file') return
      const chosen = [...event.target.files].map((file) => ({ path: file.webkitRelativePath || file.name, file }))
      event.target.value = ''
      this.send(chosen)
    })
    for (const type of ['dragenter', 'dragover']) this.zone.addEventListener(type, (event) => { event.preventDefault(); this.zone.classList.add('over') })
    for (const type of ['dragleave', 'drop']) this.zone.addEventListener(type, () => this.zone.classList.remove('over'))
    this.zone.addEventListener('drop', async (event) => {
      event.preventDefault()
      this.send(await dropped(event.dataTransfer))
    })
    this.leave = (event) => { if (this.running) event.preventDefault() }
    window.addEventListener('beforeunload', this.leave)
  }

  disconnectedCallback () { window.removeEventListener('beforeunload', this.leave) }

  /** Send files; a break is resumed by asking again what is missing. */
  async send (entries) {
    if (this.running || !entries.length) return
    this.running = true
    this.entries = entries.filter(({ path }) => !/(^|\/)(\.DS_Store|Thumbs\.db|__MACOSX\/.*)$/.test(path))
    this.bytes = this.entries.reduce((sum, { file }) => sum + file.size, 0)
    this.counts = { received: 0, duplicate: 0, rejected: 0 }
    this.sentBytes = new Map()
    this.#draw()
    try {
      await this.#sendAll()
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      this.#tell('stop', error.message, true)
    } finally {
      this.running = false
    }
  }

  async #sendAll () {
    let last = Infinity
    this.broken = false
    for (let round = 0; round < TRIES; round += 1) {
      const { upload, missing } = await this.#manifest()
      this.upload = upload
      if (!missing.length || (missing.length >= last && !this.broken)) break
      last = missing.length
      this.#alreadyThere(missing, round)
      await this.#batches(missing.filter((index) => !this.refusedFiles.has(index)))
      if (!this.broken) break
      await new Promise((resolve) => setTimeout(resolve, 1000 * 2 ** round))
    }
    if (this.broken) throw new Refused('The connection broke. What has arrived is kept; start again to send the rest.')
    await this.#finish()
  }

  async #manifest () {
    const files = this.entries.map(({ path, file }) => ({ path, size: file.size }))
    return this.#json(this.dataset.manifestUrl, { files })
  }

  #alreadyThere (missing, round) {
    if (round) return
    const lacking = new Set(missing)
    this.entries.forEach(({ file }, index) => {
      if (lacking.has(index)) return
      this.counts.duplicate += 1
      this.sentBytes.set(index, file.size)
    })
    this.#progress()
  }

  async #batches (indexes) {
    this.broken = false
    const batches = []
    for (let from = 0; from < indexes.length; from += BATCH) batches.push(indexes.slice(from, from + BATCH))
    const worker = async () => {
      for (let batch = batches.shift(); batch && !this.broken; batch = batches.shift()) await this.#batch(batch)
    }
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker))
  }

  #batch (indexes) {
    const body = new FormData()
    body.set('upload', this.upload)
    for (const index of indexes) body.set(`file-${index}`, this.entries[index].file, this.entries[index].path.split('/').pop())
    const total = indexes.reduce((sum, index) => sum + this.entries[index].file.size, 0) || 1
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest() // fetch tells nothing about the way up
      request.open('POST', this.#url(this.dataset.batchUrl))
      request.setRequestHeader('X-CSRFToken', token())
      request.setRequestHeader('Accept', 'application/json')
      request.upload.onprogress = (event) => {
        const share = Math.min(event.loaded / total, 1)
        for (const index of indexes) this.sentBytes.set(index, this.entries[index].file.size * share)
        this.#progress()
      }
      request.onerror = () => { this.broken = true; resolve() }
      request.ontimeout = request.onerror
      request.onload = () => {
        if (request.status >= 500 || request.status === 0) request.onerror()
        else if (request.status >= 400) reject(new Refused(reasonIn(request.responseText)))
        else {
          for (const result of JSON.parse(request.responseText).results) this.#result(result)
          resolve()
        }
      }
      request.send(body)
    })
  }

  #result ({ index, state, reason }) {
    this.counts[state] = (this.counts[state] ?? 0) + 1
    this.sentBytes.set(index, this.entries[index].file.size)
    if (state === 'rejected') {
      this.refusedFiles.add(index)
      this.#listRefused(this.entries[index].path, reason)
    }
    this.#progress()
  }

  async #finish () {
    const answer = await this.#json(this.dataset.finishUrl, { upload: this.upload })
    const good = this.counts.received + this.counts.duplicate
    this.#tell(this.counts.rejected ? 'attention' : 'ok', this.#sum(good))
    this.dispatchEvent(new CustomEvent('edc:uploaded', { bubbles: true, detail: { ...answer, counts: this.counts } }))
    if (answer.status) this.#follow(answer.status)
    else if (answer.redirect && !this.counts.rejected) location.assign(answer.redirect)
    else if (answer.redirect) this.#offer(answer.redirect)
  }

  #sum (good) {
    const { duplicate, rejected } = this.counts
    const parts = [`${good} of ${this.entries.length} files are here`]
    if (duplicate) parts.push(`${duplicate} were here before`)
    if (rejected) parts.push(`${rejected} were not taken, see the reasons`)
    return `${parts.join('; ')}.`
  }

  async #json (url, data) {
    let answer
    try {
      answer = await fetch(this.#url(url), {
        method: 'POST',
        body: JSON.stringify(data),
        headers: { 'Content-Type': 'application/json', Accept: 'application/json', 'X-CSRFToken': token() },
        credentials: 'same-origin',
      })
    } catch {
      throw new Refused('No connection. Nothing is lost; start again when the network is back.')
    }
    if (!answer.ok) throw new Refused(reasonIn(await answer.text()))
    return answer.json()
  }

  #url (url) { return url.replace('{upload}', encodeURIComponent(this.upload ?? '')) }

  // ---- what one sees

  #draw () {
    this.refusedFiles = new Set()
    this.querySelector('.upload-state')?.remove()
    const box = document.createElement('div')
    box.className = 'upload-state'
    box.innerHTML = '<div class="row between"><span role="status" data-line></span><span class="num" data-share></span></div><progress max="1000" value="0" aria-label="Upload"></progress><div data-message></div><ul class="upload-files" hidden></ul>'
    this.append(box)
    this.box = box
    this.#progress()
  }

  #progress () {
    const sent = [...this.sentBytes.values()].reduce((sum, n) => sum + n, 0)
    const share = this.bytes ? sent / this.bytes : 0
    this.box.querySelector('progress').value = Math.round(share * 1000)
    this.box.querySelector('[data-share]').textContent = `${Math.floor(share * 100)} % of ${(this.bytes / 1e6).toFixed(1)} MB`
    const arrived = this.counts.received + this.counts.duplicate + this.counts.rejected
    const line = this.box.querySelector('[data-line]')
    const words = `${arrived} of ${this.entries.length} files`
    if (line.textContent !== words) line.textContent = words
  }

  #listRefused (path, reason) {
    const list = this.box.querySelector('.upload-files')
    list.hidden = false
    const item = document.createElement('li')
    const name = document.createElement('span')
    const why = document.createElement('span')
    name.textContent = path
    name.className = 'clip'
    why.textContent = reason ?? 'Not taken.'
    why.className = 'reason'
    item.append('✕', name, why)
    list.append(item)
  }

  #tell (tone, words, retry = false) {
    const message = document.createElement('div')
    message.className = `message ${tone}`
    const text = document.createElement('p')
    text.textContent = words
    message.append(text)
    if (retry) {
      const button = document.createElement('button')
      button.type = 'button'
      button.className = 'button small'
      button.textContent = 'Send again'
      button.addEventListener('click', () => this.send(this.entries))
      message.append(button)
    }
    this.box.querySelector('[data-message]').replaceChildren(message)
  }

  #offer (url) {
    const link = document.createElement('a')
    link.className = 'button primary'
    link.href = url
    link.textContent = 'Go on'
    this.box.append(link)
  }

  #follow (url) {
    const progress = document.createElement('edc-progress')
    progress.dataset.url = url
    progress.innerHTML = '<progress></progress> <span data-text>Checking the images…</span>'
    this.box.append(progress)
  }
}

class Refused extends Error {}

function reasonIn (text) {
  try {
    const problem = JSON.parse(text)
    return problem.detail ?? problem.title ?? 'The server did not take the files.'
  } catch {
    return 'The server did not take the files.'
  }
}

/** All files of a drop, folders walked to the bottom. */
async function dropped (transfer) {
  const roots = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean)
  if (!roots.length) return [...transfer.files].map((file) => ({ path: file.name, file }))
  const found = []
  for (const root of roots) await walk(root, '', found)
  return found
}

async function walk (entry, folder, found) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject))
    found.push({ path: folder + entry.name, file })
    return
  }
  const reader = entry.createReader()
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject))
    if (!some.length) return
    for (const one of some) await walk(one, `${folder}${entry.name}/`, found)
  }
}

customElements.define('edc-upload', Upload)
