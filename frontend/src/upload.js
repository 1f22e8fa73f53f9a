// Sends folders, files and zip archives: names are taken out first, then a list goes, then what the server lacks, twenty files at a
// time, two requests side by side.
const BATCH = 20
const SIDE_BY_SIDE = 2
const TRIES = 4
const NO_CONNECTION = 'No connection. Nothing is lost; start again when the network is back.'
// Not ./token.js: a module shared with the app would be a file of its own, fetched on every page of the staff.
const token = () => document.querySelector('meta[name="csrf-token"]')?.content ?? ''

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
    performance.mark('files chosen')
    this.entries = sendable(entries)
    this.#weigh()
    this.counts = { received: 0, duplicate: 0, rejected: 0, skipped: 0 }
    this.sentBytes = new Map()
    this.#draw()
    try {
      await this.#firstStep()
      performance.mark('names are out')
      await this.#sendAll()
      performance.mark('files sent')
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      this.#tell('stop', error.message, true)
    } finally {
      this.running = false
    }
  }

  /** Take names out here, where this browser can; what it cannot read goes as it is, and the server takes them out. */
  async #firstStep () {
    if (this.dataset.tableUrl && globalThis.crypto?.subtle && this.entries.some(({ looked }) => !looked)) {
      const { FirstStep, kindOf } = await import('./upload/first-step.js').catch(refusing(NO_CONNECTION))
      this.step ??= new FirstStep(await this.#json(this.dataset.tableUrl), this.dataset.site)
      await this.#openArchives(kindOf)
      const waiting = this.entries.filter(({ looked }) => !looked)
      for (const [index, entry] of waiting.entries()) {
        this.#show(index / waiting.length, `Taking names out on this computer: ${index + 1} of ${waiting.length} files`)
        await this.#look(entry, await kindOf(entry.file).catch(refusing(unreadable(entry))))
      }
      for (const entry of waiting) entry.sentAs = this.step.covered(entry.path)
    }
    this.#weigh()
  }

  #weigh () { this.bytes = this.entries.reduce((sum, { file }) => sum + file.size, 0) }

  /** Archives give way to the files in them; one that is odd stays whole. */
  async #openArchives (kindOf) {
    const opened = []
    for (const entry of this.entries) {
      if (entry.looked || await kindOf(entry.file).catch(refusing(unreadable(entry))) !== 'archive') opened.push(entry)
      else {
        this.#show(0, `Opening ${entry.path.split('/').pop()}`)
        const { unpacked } = await import('./upload/archive.js').catch(refusing(NO_CONNECTION))
        opened.push(...await unpacked(entry.file, entry.path).then(sendable, () => [{ ...entry, looked: true }]))
      }
    }
    this.entries = opened
  }

  async #look (entry, kind) {
    if (kind === 'dicom') {
      entry.file = await this.step.prepare(entry.file).then((blob) => { entry.prepared = true; return blob }, () => entry.file)
    } else entry.refused = { empty: 'empty', archive: 'nested_archive' }[kind] ?? 'not_dicom'
    entry.looked = true
  }

  async #sendAll () {
    let last = Infinity
    this.broken = false
    for (let round = 0; round < TRIES; round += 1) {
      const { upload, missing, refused = [] } = await this.#manifest()
      this.upload = upload
      if (!round) refused.forEach((result) => this.#result(result))
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
    const files = this.entries.map(({ path, sentAs, file, refused }) => ({ path: sentAs ?? path, size: file.size, refused }))
    return this.#json(this.dataset.manifestUrl, { files })
  }

  #alreadyThere (missing, round) {
    if (round) return
    const lacking = new Set(missing)
    this.entries.forEach(({ file }, index) => {
      if (lacking.has(index) || this.sentBytes.has(index)) return
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

  async #batch (indexes) {
    const body = new FormData()
    body.set('upload', this.upload)
    for (const index of indexes) {
      const { file } = this.entries[index]
      body.set(`file-${index}`, file, 'file')
      const digest = await sha256(file)
      if (digest) body.set(`sha256-${index}`, digest)
    }
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
    if (state === 'rejected' || state === 'skipped') {
      this.refusedFiles.add(index)
      this.#listRefused(`${index + 1}: ${this.entries[index].path}`, reason) // the number is all that the server keeps
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
    const { duplicate, rejected, skipped } = this.counts
    const prepared = this.entries.filter((entry) => entry.prepared).length
    const parts = [`${good} of ${this.entries.length} files are here`]
    if (duplicate) parts.push(`${duplicate} were here before`)
    if (rejected) parts.push(`${rejected} were not taken, see the reasons`)
    if (skipped) parts.push(`${skipped} are not needed`)
    const later = this.step ? this.entries.filter((entry) => !entry.prepared && !entry.refused).length : this.entries.length
    const where = prepared ? ` Names were taken out of ${prepared} before they were sent.` : ''
    const there = later && this.dataset.tableUrl ? ` Of ${later}, which this browser could not open, names are taken out on the server.` : ''
    return `${parts.join('; ')}.${where}${there}`
  }

  /** What the server answers to data, or, without any, to a question. */
  async #json (url, data) {
    let answer
    try {
      answer = await fetch(this.#url(url), {
        method: data ? 'POST' : 'GET',
        body: data && JSON.stringify(data),
        headers: { 'Content-Type': 'application/json', Accept: 'application/json', 'X-CSRFToken': token() },
        credentials: 'same-origin',
      })
    } catch {
      throw new Refused(NO_CONNECTION)
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
    this.#show(share, `${Object.values(this.counts).reduce((sum, count) => sum + count)} of ${this.entries.length} files`)
  }

  #show (share, words) {
    this.box.querySelector('progress').value = Math.round(share * 1000)
    this.box.querySelector('[data-share]').textContent = `${Math.floor(share * 100)} % of ${(this.bytes / 1e6).toFixed(1)} MB`
    const line = this.box.querySelector('[data-line]')
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
    const buttons = document.createElement('div')
    buttons.className = 'buttons'
    buttons.append(link)
    this.box.append(buttons)
  }

  #follow (url) {
    const progress = document.createElement('edc-progress')
    progress.dataset.url = url
    progress.innerHTML = '<progress></progress> <span data-text>Checking the images…</span>'
    this.box.append(progress)
  }
}

/** Without what an operating system leaves in every folder. */
const sendable = (entries) => entries.filter(({ path }) => !/(^|\/)(\.DS_Store|Thumbs\.db|__MACOSX\/.*)$/.test(path))

class Refused extends Error {}

const LARGEST_HASHED = 64 * 2 ** 20 // larger ones are archives; what is in them is counted and checked there

/** Digest of what is sent, so that the server can tell that it is what arrived; empty where this browser cannot make one. */
async function sha256 (file) {
  if (!globalThis.crypto?.subtle || file.size > LARGEST_HASHED) return ''
  try {
    const digest = await crypto.subtle.digest('SHA-256', await file.arrayBuffer())
    return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
  } catch {
    return '' // it cannot be read any more: sending it says so
  }
}

const refusing = (words) => () => { throw new Refused(words) }
const unreadable = ({ path }) => `${path} cannot be read. Is the disc still in its drive? Nothing was sent.`

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
