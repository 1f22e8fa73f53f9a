// The reading desk: two viewports, their tools, keys and marks.
import { Enums, eventTarget } from '@cornerstonejs/core'
import { Enums as ToolEnums } from '@cornerstonejs/tools'
import { annotations, Engine, MARKS, TOOLS, start } from './engine.js'
import { Marks } from './marks.js'
import { Pointer } from './pointer.js'
import { PRESETS } from './presets.js'
import { Series } from './series.js'

const { Events } = Enums
const ToolEvents = ToolEnums.Events
const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])
const JUMP = 10

export class Desk {
  constructor (host) {
    this.host = host
    this.views = []
    this.linked = true
    this.signal = new AbortController()
    this.marks = new Marks(host.dataset.markUrl)
  }

  async open () {
    await start()
    this.engine = new Engine()
    this.#listen()
    const places = [...this.host.querySelectorAll('[data-view]')]
    for (const place of places) await this.#fill(place)
    this.active = this.views.at(-1)
    this.link()
    this.#mark(this.active)
    this.host.dispatchEvent(new CustomEvent('edc:ready', { bubbles: true }))
    await Promise.all(this.views.map((view) => view.prefetch(view.index, (done, total) => this.host.progress(view.place, done, total))))
  }

  async #fill (place) {
    const answer = await fetch(place.dataset.url, { headers: { Accept: 'application/json' }, credentials: 'same-origin' })
    if (!answer.ok) throw new Error(answer.status === 404 ? 'These images are not here any more.' : 'The images could not be fetched.')
    const description = await answer.json()
    const choices = (description.series ?? [description]).map((one) => new Series(one))
    const view = this.engine.view(place.dataset.view, place.querySelector('.viewport'))
    Object.assign(view, { place, choices })
    this.views.push(view)
    this.host.choices(view)
    await this.#show(view, choices[0])
  }

  async #show (view, series) {
    const first = series.marks[0] && series.bySop.get(series.marks[0].sop)
    await view.show(series, first ?? Math.floor(series.slices.length / 2))
    for (const mark of series.marks) {
      if (view.draw(mark)) this.marks.learn({ ...mark, series: series.id })
    }
    this.host.describe(view)
  }

  /** Another series of the same study in a viewport. */
  async choose (view, id) {
    const series = view.choices.find((one) => one.id === id)
    if (!series || series === view.series) return
    await this.#show(view, series)
    this.link()
    view.prefetch(view.index, (done, total) => this.host.progress(view.place, done, total))
  }

  #listen () {
    const { signal } = this.signal
    for (const [name, handler] of [[ToolEvents.ANNOTATION_COMPLETED, (e) => this.#drawn(e)], [ToolEvents.ANNOTATION_MODIFIED, (e) => this.#drawn(e)]]) {
      eventTarget.addEventListener(name, handler)
      signal.addEventListener('abort', () => eventTarget.removeEventListener(name, handler))
    }
    for (const place of this.host.querySelectorAll('[data-view]')) {
      const element = place.querySelector('.viewport')
      element.addEventListener(Events.STACK_NEW_IMAGE, () => this.#scrolled(this.#viewOf(place)), { signal })
      element.addEventListener(Events.VOI_MODIFIED, () => this.host.describe(this.#viewOf(place)), { signal })
      element.addEventListener(Events.CAMERA_MODIFIED, () => this.host.describe(this.#viewOf(place)), { signal })
      element.addEventListener('contextmenu', (event) => event.preventDefault(), { signal })
      element.addEventListener('pointerdown', () => { this.#mark(this.#viewOf(place)); element.focus() }, { signal, capture: true })
      element.addEventListener('focus', () => this.#mark(this.#viewOf(place)), { signal })
      element.addEventListener('keydown', (event) => this.#key(event), { signal })
    }
    this.marks.addEventListener('change', () => this.host.list(this.marks), { signal })
    this.marks.addEventListener('saved', (event) => this.host.dispatchEvent(new CustomEvent('edc:mark', { bubbles: true, detail: event.detail })), { signal })
    this.marks.addEventListener('gone', (event) => this.host.dispatchEvent(new CustomEvent('edc:mark-gone', { bubbles: true, detail: event.detail })), { signal })
    new ResizeObserver(() => this.engine?.resize()).observe(this.host.querySelector('.viewer-views'))
  }

  #viewOf (place) { return this.views.find((view) => view.place === place) }

  #mark (view) {
    if (!view) return
    this.active = view
    for (const other of this.views) other.place.classList.toggle('active', other === view)
  }

  // ---- scrolling, linked by position

  /** Remember how the two stacks lie to each other now. */
  link () {
    const [a, b] = this.views
    this.shift = a && b ? this.#shiftOf(a, b) : 0
  }

  /** Where both share a frame of reference positions are the same; else they are as far apart as now. */
  #shiftOf (a, b) { return a.series.frameOfReference === b.series.frameOfReference ? 0 : b.slice.depth - a.slice.depth }

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
    if (event.type === ToolEvents.ANNOTATION_MODIFIED && !this.marks.known.has(mark.annotationUID)) return
    const view = this.views.find((one) => one.series.byImageId.has(mark.metadata.referencedImageId))
    if (!view || view.place.dataset.readonly !== undefined) return
    this.marks.put(this.#described(mark, view))
  }

  #described (mark, view) {
    const points = mark.data.handles.points.map((point) => [...point].map((n) => Math.round(n * 1000) / 1000))
    const slice = view.series.slices[view.series.byImageId.get(mark.metadata.referencedImageId)]
    const described = {
      id: mark.annotationUID, tool: mark.metadata.toolName, points, sop: slice.sop, series: view.series.id,
      frame_of_reference: view.series.frameOfReference, length_mm: rounded(distance(points[0], points[1])),
    }
    if (points.length === 4) described.width_mm = rounded(distance(points[2], points[3]))
    if (this.host.lesion && !this.marks.known.has(mark.annotationUID)) described.lesion = this.host.lesion
    return described
  }

  remove (id) {
    annotations.state.removeAnnotation(id)
    this.marks.remove(id)
    for (const view of this.views) view.viewport.render()
  }

  /** Show the slice of a mark. */
  goToMark (id) {
    const entry = this.marks.known.get(id)
    const view = entry && this.views.find((one) => one.series.bySop.has(entry.mark.sop))
    if (!view) return
    this.#mark(view)
    view.goTo(view.series.bySop.get(entry.mark.sop))
    view.element.focus()
  }

  /** Show the slice nearest to a point of the patient, in mm. */
  goToPoint (point) { this.active.goTo(this.active.series.nearest(this.active.series.depthOf(point))) }

  /** A mark made with the keyboard. */
  place (tool, points) {
    const { active } = this
    if (active.place.dataset.readonly !== undefined) return
    const mark = active.draw({ id: crypto.randomUUID(), tool: TOOLS[tool], points, sop: active.slice.sop })
    this.marks.put(this.#described(mark, active))
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
    if (event.metaKey || event.altKey || this.pointer?.key(event)) return
    const action = this.#actionOf(event)
    if (!action) return
    event.preventDefault()
    action()
  }

  #actionOf (event) {
    const { active } = this
    const { key } = event
    const arrows = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }
    if (key in arrows) {
      const [x, y] = arrows[key]
      if (event.shiftKey) return () => active.shiftWindow(-y * 10, x * 20)
      if (event.ctrlKey) return () => active.panBy(-x * 20, -y * 20)
      return () => active.goTo(active.index + (y || x))
    }
    if (event.ctrlKey) return null
    const letters = { l: 'length', b: 'bidirectional', w: 'window', p: 'pan', z: 'zoom', Escape: 'window' }
    const tool = letters[key.length === 1 ? key.toLowerCase() : key]
    if (tool) return () => this.use(tool)
    if (/^[0-4]$/.test(key)) return () => this.preset(key)
    const others = {
      PageUp: () => active.goTo(active.index - JUMP),
      PageDown: () => active.goTo(active.index + JUMP),
      Home: () => active.goTo(0),
      End: () => active.goTo(active.count - 1),
      '+': () => active.zoomBy(1.2),
      '-': () => active.zoomBy(1 / 1.2),
      k: () => this.host.toggleLink(),
      r: () => active.reset(),
      Enter: () => this.#startPointer(),
      Delete: () => this.#removeSelected(),
    }
    return others[key] ?? null
  }

  #startPointer () {
    if (!['length', 'bidirectional'].includes(this.engine.tool)) return
    this.pointer = new Pointer(this.active, this.engine.tool === 'length' ? 2 : 4, (points) => this.place(this.engine.tool, points))
  }

  #removeSelected () {
    const selected = annotations.selection.getAnnotationsSelected().find((id) => this.marks.known.has(id))
    if (selected) this.remove(selected)
  }

  close () {
    this.signal.abort()
    for (const view of this.views) view.stopped = true
    this.engine?.destroy()
  }
}

const rounded = (mm) => Math.round(mm * 1000) / 1000
