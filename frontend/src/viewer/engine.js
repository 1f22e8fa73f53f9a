// Cornerstone3D, set up once, and one viewport of it.
import { Enums, RenderingEngine, imageLoader, init as initCore, utilities } from '@cornerstonejs/core'
import dicomImageLoader from '@cornerstonejs/dicom-image-loader'
import {
  BidirectionalTool, Enums as ToolEnums, LengthTool, PanTool, StackScrollTool, ToolGroupManager, WindowLevelTool, ZoomTool,
  addTool, annotation as annotations, init as initTools,
} from '@cornerstonejs/tools'
import { millimetres } from './millimetres.js'
import { PRESETS, range } from './presets.js'

const ENGINE = 'desk'
const OWN = 'desk', LOOKED_AT = 'desk-looked-at' // groups of tools: pictures that take marks, and pictures that take none
const AMBER = 'rgb(255, 214, 92)'
const BLUE = 'rgb(120, 220, 255)'
const GREEN = 'rgb(140, 230, 170)'
const GREY = 'rgb(190, 205, 215)'
const colours = (colour, more = {}) => ({ color: colour, colorLocked: colour, textBoxColor: colour, textBoxColorLocked: colour, ...more })
/** Marks by whose they are; a proposal is dashed until somebody takes it. */
const STYLES = { own: colours(AMBER), earlier: colours(GREY), other: colours(GREEN), proposal: colours(GREY, { lineDash: '5,4', lineDashLocked: '5,4' }) }
const { MouseBindings } = ToolEnums
export const TOOLS = { window: WindowLevelTool.toolName, pan: PanTool.toolName, zoom: ZoomTool.toolName, length: LengthTool.toolName, bidirectional: BidirectionalTool.toolName }
export const MARKS = [LengthTool.toolName, BidirectionalTool.toolName]

let started
let rendering // one for as long as the page lives: its contexts and what they compiled serve the next case as well

/** Start Cornerstone; the second call waits for the first. */
export function start () {
  started ??= (async () => {
    await initCore({ rendering: { webGlContextCount: 1 } }) // two pictures share it; it would make seven at once
    dicomImageLoader.init({ maxWebWorkers: Math.min(navigator.hardwareConcurrency || 2, 4) })
    await initTools()
    for (const tool of [WindowLevelTool, PanTool, ZoomTool, StackScrollTool, LengthTool, BidirectionalTool]) addTool(tool)
    const { global } = annotations.config.style.getDefaultToolStyles()
    annotations.config.style.setDefaultToolStyles({
      global: {
        ...global,
        color: AMBER, colorHighlighted: BLUE, colorSelected: BLUE, lineWidth: '1.5', shadow: true,
        textBoxFontFamily: 'Inter Hilum, Arial, sans-serif', textBoxFontSize: '13px', textBoxBackground: 'rgb(0 0 0 / 0.55)', textBoxMargin: '3', textBoxBorderRadius: '3',
        textBoxColor: AMBER, textBoxColorHighlighted: BLUE, textBoxColorSelected: BLUE,
      },
    })
  })()
  return started
}

/** The engine and the tools of one reading page. */
export class Engine {
  constructor () {
    this.rendering = rendering ??= new RenderingEngine(ENGINE)
    this.shown = []
    this.own = this.#group(OWN)
    this.lookedAt = this.#group(LOOKED_AT)
    this.use('window')
  }

  #group (id) {
    const group = ToolGroupManager.createToolGroup(id)
    for (const name of Object.values(TOOLS)) group.addTool(name, MARKS.includes(name) ? { getTextLines } : {})
    group.addTool(StackScrollTool.toolName)
    group.setToolActive(StackScrollTool.toolName, { bindings: [{ mouseButton: MouseBindings.Wheel }] })
    return group
  }

  /** Give the left mouse button to a tool; the right one zooms, the middle one pans. Where no marks go, a measure is a window. */
  use (name) {
    this.tool = name
    bind(this.own, name)
    bind(this.lookedAt, MARKS.includes(TOOLS[name]) ? 'window' : name)
  }

  view (id, element, readonly) {
    this.rendering.enableElement({ viewportId: id, element, type: Enums.ViewportType.STACK, defaultOptions: { background: [0, 0, 0] } })
    this.shown.push(id)
    ;(readonly ? this.lookedAt : this.own).addViewport(id, ENGINE)
    return new View(this.rendering.getViewport(id), element)
  }

  resize () { this.rendering.resize(true, true) }

  destroy () {
    annotations.state.removeAllAnnotations()
    for (const id of [OWN, LOOKED_AT]) ToolGroupManager.destroyToolGroup(id)
    for (const id of this.shown) this.rendering.disableElement(id)
  }
}

/** What stands beside a mark: its lesion, and its diameters in mm. */
function getTextLines ({ cachedStats, label }, targetId) {
  const { length, width } = cachedStats[targetId] ?? {}
  const mm = [length, width].filter((one) => one !== undefined).map(millimetres).join(' × ')
  return mm ? [`${label ? `${label}  ` : ''}${mm} mm`] : []
}

function bind (group, name) {
  for (const tool of Object.values(TOOLS)) group.setToolPassive(tool, { removeAllBindings: true })
  const extra = { pan: [{ mouseButton: MouseBindings.Auxiliary }], zoom: [{ mouseButton: MouseBindings.Secondary }] }
  for (const [tool, bindings] of Object.entries(extra)) {
    group.setToolActive(TOOLS[tool], { bindings: tool === name ? [{ mouseButton: MouseBindings.Primary }, ...bindings] : bindings })
  }
  if (!(name in extra)) group.setToolActive(TOOLS[name], { bindings: [{ mouseButton: MouseBindings.Primary }] })
}

/** One viewport with its series. */
export class View {
  constructor (viewport, element) {
    this.viewport = viewport
    this.element = element
    this.loaded = 0
  }

  async show (series, start) {
    this.series = series
    await this.viewport.setStack(series.imageIds, start)
    this.window(series.modality === 'CT' ? PRESETS[1] : series.headerWindow(start))
    this.viewport.render()
  }

  /** Fetch the rest, from the first slice shown outwards; `told` hears how many are there. */
  async prefetch (start, told) {
    const waiting = this.series.outwards(start)
    this.loaded = 0
    const worker = async () => {
      for (let imageId = waiting.shift(); imageId && !this.stopped; imageId = waiting.shift()) {
        await imageLoader.loadAndCacheImage(imageId)
        this.loaded += 1
        told(this.loaded, this.series.slices.length)
      }
    }
    await Promise.all(Array.from({ length: 4 }, worker))
  }

  get index () { return this.viewport.getCurrentImageIdIndex() }

  get count () { return this.series.slices.length }

  get slice () { return this.series.slices[this.index] }

  goTo (index) {
    const wanted = Math.max(0, Math.min(this.count - 1, index))
    if (wanted !== this.index) return utilities.jumpToSlice(this.element, { imageIndex: wanted })
    return undefined
  }

  /** A window as centre and width; without one, what the pixels hold. */
  window (preset) {
    if (preset) this.viewport.setProperties({ voiRange: range(preset.centre, preset.width) })
    else this.viewport.resetProperties()
    this.viewport.render()
  }

  get voi () {
    const { voiRange } = this.viewport.getProperties()
    return voiRange ? { centre: Math.round((voiRange.upper + voiRange.lower) / 2), width: Math.round(voiRange.upper - voiRange.lower) } : null
  }

  shiftWindow (centre, width) {
    const { voi } = this
    if (voi) this.window({ centre: voi.centre + centre, width: Math.max(1, voi.width + width) })
  }

  zoomBy (factor) {
    this.viewport.setZoom(this.viewport.getZoom() * factor)
    this.viewport.render()
  }

  panBy (x, y) {
    const [px, py] = this.viewport.getPan()
    this.viewport.setPan([px + x, py + y])
    this.viewport.render()
  }

  reset () {
    this.viewport.resetCamera()
    this.viewport.render()
  }

  /** Put a mark into the picture: of the server, of the keyboard, or a proposal. */
  draw ({ id, tool, points, sop, lesion = '', locked = false }, style = 'own') {
    const index = this.series?.bySop.get(sop)
    if (index === undefined) return null
    const { series } = this
    const mark = {
      annotationUID: id,
      invalidated: true,
      highlighted: false,
      isLocked: locked,
      isVisible: true,
      metadata: { toolName: tool, FrameOfReferenceUID: series.frameOfReference, referencedImageId: series.slices[index].imageId, viewPlaneNormal: series.normal, viewUp: series.viewUp },
      data: {
        label: lesion, cachedStats: {},
        handles: { points: points.map((point) => [...point]), activeHandleIndex: null, textBox: { hasMoved: false, worldPosition: [0, 0, 0], worldBoundingBox: { topLeft: [0, 0, 0], topRight: [0, 0, 0], bottomLeft: [0, 0, 0], bottomRight: [0, 0, 0] } } },
      },
    }
    annotations.config.style.setAnnotationStyles(id, STYLES[style])
    if (annotations.state.getAnnotation(id)) annotations.state.removeAnnotation(id)
    annotations.state.addAnnotation(mark, this.element)
    if (locked) annotations.locking.setAnnotationLocked(id, true)
    this.viewport.render()
    return mark
  }

  /** Points of another time point, laid into the slice that is shown. */
  onSlice (points) {
    const { normal } = this.series
    return points.map((point) => {
      const away = this.slice.depth - this.series.depthOf(point)
      return point.map((value, axis) => value + away * normal[axis])
    })
  }
}

export { annotations }
