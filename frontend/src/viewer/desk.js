// The reading desk: the pictures, their tools, keys and marks.
import { Enums, eventTarget, imageLoader } from '@cornerstonejs/core'
import { Enums as ToolEnums } from '@cornerstonejs/tools'
import { annotations, Engine, MARKS, TOOLS, start } from './engine.js'
import { actionOf } from './keys.js'
import { Marks } from './marks.js'
import { Panel } from './panel.js'
import { Pointer } from './pointer.js'
import { PRESETS } from './presets.js'
import { Series } from './series.js'
import { countTime } from './time.js'

const { Events } = Enums
const ToolEvents = ToolEnums.Events
const NEW = 'NEW' // any number of marks; every other lesion has one
const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])
const middle = (view) => view.series.slices[Math.floor(view.count / 2)]
const readonly = (place) => place.dataset.readonly !== undefined

/** What the server said of images, from its answer. */
export async function understood (asked) {
  const answer = await asked
  if (!answer.ok) throw new Error(answer.status === 404 ? 'These images are not here any more.' : 'The images could not be fetched.')
  return answer.json()
}

const described = (url) => understood(fetch(url, { headers: { Accept: 'application/json' }, credentials: 'same-origin' }))

export class Desk {
  constructor (host) {
    this.host = host
    this.views = []
    this.linked = true
    this.ending = new AbortController()
    this.marks = new Marks(host.dataset.markUrl)
    this.panel = new Panel(this.ending.signal)
  }

  /** The lesion that a new mark belongs to. */
  get lesion () { return this.panel.lesion || this.host.dataset.lesion || '' }

  async open (descriptions) {
    await start()
    this.engine = new Engine()
    this.#listen()
    const places = [...this.host.querySelectorAll('[data-view]')]
    for (const place of places) this.views.push(Object.assign(this.engine.view(place.dataset.view, place.querySelector('.viewport'), readonly(place)), { place }))
    this.active = this.views.at(-1)
    this.#mark(this.active)
    // The picture that is read comes first; the one before is shown as soon as it is there.
    await this.#fill(this.active, descriptions.get(this.active.place.dataset.url))
    if (!readonly(this.active.place)) this.marks.recover((mark) => this.views.some((view) => view.draw(mark)))
    await Promise.all(this.views.slice(0, -1).map((view) => this.#fill(view, descriptions.get(view.place.dataset.url))))
    this.link(middle)
    if (this.panel.lesion) this.goToLesion()
    this.host.dispatchEvent(new CustomEvent('edc:ready', { bubbles: true }))
    if (this.host.dataset.timeUrl) countTime(this.host.dataset.timeUrl, this.ending.signal)
    for (const view of [...this.views].reverse()) await this.#rest(view)
    performance.mark('all pictures')
    await this.#ahead()
  }

  async #fill (view, description) {
    view.choices = (await description).series.map((one) => new Series(one))
    if (!view.choices.length) throw new Error('There are no images for this time point.')
    this.host.choices(view)
    await this.#show(view, view.choices[0])
  }

  async #show (view, series) {
    const first = series.marks[0] && series.bySop.get(series.marks[0].sop)
    await view.show(series, first ?? Math.floor(series.slices.length / 2))
    for (const mark of series.marks) {
      if (this.marks.known.has(mark.id) || this.marks.gone.has(mark.id)) continue // it is as it was left, not as it was fetched
      if (view.draw(mark, this.#styleOf(mark))) this.marks.learn({ ...mark, series: series.id })
    }
    for (const { mark, state } of this.marks.known.values()) if (state !== 'leaving') view.draw(mark, this.#styleOf(mark))
    this.host.describe(view)
  }

  /** Marks of this read, of an earlier one, or of the second of two readers. */
  #styleOf (mark) {
    if (mark.side === 'B') return 'other'
    return mark.locked && !mark.side ? 'earlier' : 'own'
  }

  #rest (view) { return view.prefetch(view.index, (done, total) => this.host.progress(view.place, done, total)) }

  /** The next case, as soon as this one is all here. */
  async #ahead () {
    for (const url of [this.host.dataset.nextUrl, this.host.dataset.nextPriorUrl].filter(Boolean)) {
      const { series } = await described(url).catch(() => ({ series: [] }))
      for (const one of series.slice(0, 1).map((each) => new Series(each))) {
        for (const imageId of one.outwards(Math.floor(one.slices.length / 2))) {
          if (this.ending.signal.aborted) return
          await imageLoader.loadAndCacheImage(imageId).catch(() => {})
        }
      }
    }
    performance.mark('next case is here')
  }

  /** Another series of the same study in a viewport. */
  async choose (view, id) {
    const series = view.choices.find((one) => one.id === id)
    if (!series || series === view.series) return
    await this.#show(view, series)
    this.link()
    this.#rest(view)
  }

  /** Another earlier time point beside the one that is read. */
  async compare (view, url) {
    for (const [id, { mark }] of this.marks.known) if (mark.locked) this.#forget(id)
    view.place.dataset.url = url
    await this.#fill(view, described(url))
    this.link(middle)
    if (this.lesion) this.goToLesion()
    this.#rest(view)
  }

  #listen () {
    const { signal } = this.ending
    for (const [name, handler] of [[ToolEvents.ANNOTATION_COMPLETED, (e) => this.#drawn(e)], [ToolEvents.ANNOTATION_MODIFIED, (e) => this.#drawn(e)]]) {
      eventTarget.addEventListener(name, handler)
      signal.addEventListener('abort', () => eventTarget.removeEventListener(name, handler))
    }
    const places = [...this.host.querySelectorAll('[data-view]')]
    for (const place of places) {
      const element = place.querySelector('.viewport')
      element.addEventListener(Events.STACK_NEW_IMAGE, () => this.#scrolled(this.#viewOf(place)), { signal })
      element.addEventListener(Events.VOI_MODIFIED, () => this.host.describe(this.#viewOf(place)), { signal })
      element.addEventListener(Events.CAMERA_MODIFIED, () => this.host.describe(this.#viewOf(place)), { signal })
      if (place === places.at(-1)) element.addEventListener(Events.IMAGE_RENDERED, () => performance.mark('picture'), { signal, once: true })
      element.addEventListener('contextmenu', (event) => event.preventDefault(), { signal })
      element.addEventListener('pointerdown', () => { this.#mark(this.#viewOf(place)); element.focus() }, { signal, capture: true })
      element.addEventListener('focus', () => this.#mark(this.#viewOf(place)), { signal })
    }
    document.addEventListener('keydown', (event) => this.#key(event), { signal, capture: true }) // before Cornerstone, which takes every key
    this.panel.addEventListener('change', () => this.goToLesion(), { signal })
    this.marks.addEventListener('change', () => this.host.list(this.marks), { signal })
    this.marks.addEventListener('saved', (event) => this.host.dispatchEvent(new CustomEvent('edc:mark', { bubbles: true, detail: event.detail })), { signal })
    this.marks.addEventListener('gone', (event) => this.host.dispatchEvent(new CustomEvent('edc:mark-gone', { bubbles: true, detail: event.detail })), { signal })
    const sizes = new ResizeObserver(() => this.engine?.resize())
    sizes.observe(this.host.querySelector('.viewer-views'))
    signal.addEventListener('abort', () => sizes.disconnect())
  }

  #viewOf (place) { return this.views.find((view) => view.place === place) }

  #mark (view) {
    if (!view) return
    this.active = view
    for (const other of this.views) other.place.classList.toggle('active', other === view)
  }

  // ---- scrolling, linked by position

  /** Remember how the two stacks lie to each other: as they stand now, or, at first, middle on middle. */
  link (slice = (view) => view.slice) {
    const [a, b] = this.views
    const shared = a && b && a.series.frameOfReference === b.series.frameOfReference
    this.shift = a && b && !shared ? slice(b).depth - slice(a).depth : 0
  }

  #scrolled (view) {
    if (!view?.series) return
    this.host.describe(view)
    const other = this.views.find((one) => one !== view)
    if (!this.linked || this.shift === undefined || !other?.series || this.following) return
    const depth = view.slice.depth + (other === this.views[1] ? this.shift : -this.shift)
    this.following = true
    Promise.resolve(other.goTo(other.series.nearest(depth))).finally(() => { this.following = false })
  }

  // ---- marks

  #drawn (event) {
    const mark = event.detail.annotation
    if (!MARKS.includes(mark?.metadata.toolName) || mark.data.handles.points.length < 2) return
    const id = mark.annotationUID
    const completed = event.type === ToolEvents.ANNOTATION_COMPLETED
    if (!completed && !this.marks.known.has(id)) return
    const view = this.views.find((one) => one.series?.byImageId.has(mark.metadata.referencedImageId))
    if (!view || readonly(view.place) || this.marks.known.get(id)?.mark.locked) return
    this.#put(this.#described(mark, view))
  }

  #put (mark) {
    this.marks.put(mark)
    const annotation = annotations.state.getAnnotation(mark.id)
    if (annotation && !annotation.data.label && mark.lesion) {
      annotation.data.label = mark.lesion
      this.active.viewport.render()
    }
    this.#instead(mark)
  }

  /** A lesion has one measure, unless it split: a new one takes the place of the one before, which stays on record. */
  #instead ({ id, lesion }) {
    if (!lesion || lesion === NEW) return
    this.#dropProposal()
    if (document.querySelector(`[data-lesion="${CSS.escape(lesion)}"][data-parts]`)) return // each measure is a part of it
    for (const [other, { mark, state }] of this.marks.known) {
      if (other !== id && mark.lesion === lesion && !mark.locked && state !== 'leaving') this.remove(other)
    }
  }

  #described (mark, view) {
    const points = mark.data.handles.points.map((point) => [...point].map((n) => Math.round(n * 1000) / 1000))
    const slice = view.series.slices[view.series.byImageId.get(mark.metadata.referencedImageId)]
    const described = {
      id: mark.annotationUID, tool: mark.metadata.toolName, points, sop: slice.sop, series: view.series.id,
      frame_of_reference: view.series.frameOfReference, length_mm: rounded(distance(points[0], points[1])),
    }
    if (points.length === 4) described.width_mm = rounded(distance(points[2], points[3]))
    if (this.lesion && !this.marks.known.has(mark.annotationUID)) described.lesion = this.lesion
    return described
  }

  remove (id) {
    annotations.state.removeAnnotation(id)
    this.marks.remove(id)
    for (const view of this.views) view.viewport.render()
  }

  #forget (id) {
    annotations.state.removeAnnotation(id)
    this.marks.known.delete(id)
  }

  // ---- the lesion that is meant, and where it was the last time

  markOf (lesion, locked) {
    return [...this.marks.known.values()].find(({ mark, state }) => mark.lesion === lesion && Boolean(mark.locked) === locked && state !== 'leaving')?.mark
  }

  /** The picture that holds a mark, to its slice. */
  goToMark (id) {
    const entry = this.marks.known.get(id)
    const view = entry && this.views.find((one) => one.series?.bySop.has(entry.mark.sop))
    if (!view) return
    this.#mark(view)
    view.goTo(view.series.bySop.get(entry.mark.sop))
    view.element.focus()
  }

  /** Every picture to the lesion that is meant; where it has no measure yet, the earlier one is proposed. */
  async goToLesion () {
    this.#dropProposal()
    const [own, earlier] = [this.markOf(this.lesion, false), this.markOf(this.lesion, true)]
    const views = this.views.filter((view) => view.series)
    this.following = true
    for (const view of views) {
      const mark = readonly(view.place) ? earlier : own
      if (mark && view.series.bySop.has(mark.sop)) await view.goTo(view.series.bySop.get(mark.sop))
      else if (earlier && !readonly(view.place)) await view.goTo(view.series.nearest(this.#depthHere(earlier, view)))
    }
    this.following = false
    if (earlier && !own && !readonly(this.views.at(-1).place)) this.#propose(earlier)
  }

  /** Depth of an earlier mark in this picture: the same where both share a frame of reference, else as they are linked. */
  #depthHere (mark, view) { return view.series.depthOf(mark.points[0]) + (this.shift ?? 0) }

  #propose (earlier) {
    const view = this.views.at(-1)
    this.proposal = { ...earlier, id: crypto.randomUUID(), points: view.onSlice(earlier.points), sop: view.slice.sop, locked: true }
    view.draw({ ...this.proposal, lesion: 'Earlier' }, 'proposal')
  }

  #dropProposal () {
    if (!this.proposal) return
    annotations.state.removeAnnotation(this.proposal.id)
    this.views.at(-1).viewport.render()
    this.proposal = null
  }

  /** The proposal as it stands; its ends can be moved then. */
  takeProposal () {
    if (!this.proposal) return
    const view = this.views.at(-1)
    const mark = view.draw({ ...this.proposal, locked: false })
    this.proposal = null
    this.#put(this.#described(mark, view))
  }

  // ---- marks made with the keyboard

  place (tool, points) {
    const { active } = this
    if (readonly(active.place)) return
    const mark = active.draw({ id: crypto.randomUUID(), tool: TOOLS[tool], points, sop: active.slice.sop, lesion: this.lesion })
    this.#put(this.#described(mark, active))
  }

  // ---- tools and keys

  use (name) {
    this.pointer?.stop()
    this.engine.use(name)
    this.host.pressed(name)
  }

  /** A window for the active picture, and for the other one while they are linked; MR has only its header's. */
  preset (key) {
    for (const view of this.linked ? this.views : [this.active]) {
      if (key === '0') view.window(view.series.headerWindow(view.index))
      else if (view.series.modality === 'CT') view.window(PRESETS.find((one) => one.key === key))
    }
  }

  #key (event) {
    const writing = event.target.closest?.('input:not([type="radio"]), textarea, select, dialog')
    if (event.metaKey || event.altKey || writing || this.pointer?.key(event)) return
    const action = this.active?.series && actionOf(this, event)
    if (!action) return
    event.preventDefault()
    action()
  }

  /** The next picture becomes the one that the keys move. */
  turn () { this.views.at((this.views.indexOf(this.active) + 1) % this.views.length).element.focus() }

  startPointer () {
    if (!['length', 'bidirectional'].includes(this.engine.tool)) return
    this.pointer = new Pointer(this.active, this.engine.tool === 'length' ? 2 : 4, (points) => this.place(this.engine.tool, points))
  }

  removeSelected () {
    const selected = annotations.selection.getAnnotationsSelected().find((id) => this.marks.known.has(id) && !this.marks.known.get(id).mark.locked)
    if (selected) this.remove(selected)
  }

  close () {
    this.ending.abort()
    for (const view of this.views) view.stopped = true
    this.engine?.destroy()
  }
}

const rounded = (mm) => Math.round(mm * 1000) / 1000
