// One series of images: what the server says of it, in the words that Cornerstone wants.
import dicomImageLoader from '@cornerstonejs/dicom-image-loader'

const tag = (metadata, name) => metadata[name]?.Value
const number = (metadata, name, fallback = null) => Number(tag(metadata, name)?.[0] ?? fallback)
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]

/** Letter of the side of the body to which a direction points (L, P and H are positive in patient coordinates). */
function side (direction) {
  const axis = direction.map(Math.abs).indexOf(Math.max(...direction.map(Math.abs)))
  return (direction[axis] > 0 ? 'LPH' : 'RAF')[axis]
}

/** A series whose slices are in order of their place along the normal of the slices. */
export class Series {
  constructor (description) {
    Object.assign(this, { id: description.id, name: description.name ?? '', modality: description.modality ?? 'CT', marks: description.marks ?? [] })
    const first = description.instances[0].metadata
    const orientation = tag(first, '00200037')?.map(Number) ?? [1, 0, 0, 0, 1, 0]
    this.normal = cross(orientation.slice(0, 3), orientation.slice(3, 6))
    this.viewUp = orientation.slice(3, 6).map((n) => -n)
    this.sides = { up: side(this.viewUp), left: side(orientation.slice(0, 3).map((n) => -n)) }
    this.frameOfReference = description.frame_of_reference ?? tag(first, '00200052')?.[0] ?? description.id
    this.slices = description.instances.map((instance) => this.#slice(instance)).sort((a, b) => a.depth - b.depth)
    if (description.order === 'feet-first') this.slices.reverse()
    this.bySop = new Map(this.slices.map((slice, index) => [slice.sop, index]))
    this.byImageId = new Map(this.slices.map((slice, index) => [slice.imageId, index]))
  }

  #slice ({ sop, frame, metadata }) {
    const imageId = `wadors:${new URL(frame, location.href).href}`
    const position = tag(metadata, '00200032')?.map(Number) ?? [0, 0, number(metadata, '00200013', 0)]
    dicomImageLoader.wadors.metaDataManager.add(imageId, {
      '00080016': { vr: 'UI', Value: ['1.2.840.10008.5.1.4.1.1.2'] },
      '0020000D': { vr: 'UI', Value: [this.id] },
      '0020000E': { vr: 'UI', Value: [this.id] },
      '00200052': { vr: 'UI', Value: [this.frameOfReference] },
      '00080018': { vr: 'UI', Value: [sop] },
      '00080060': { vr: 'CS', Value: [this.modality] },
      '00280002': { vr: 'US', Value: [1] },
      ...metadata,
    })
    return { sop, imageId, position, depth: dot(position, this.normal), metadata }
  }

  get imageIds () { return this.slices.map((slice) => slice.imageId) }

  /** Index of the slice that lies nearest to a depth, in mm. */
  nearest (depth) {
    let best = 0
    for (let index = 1; index < this.slices.length; index += 1) {
      if (Math.abs(this.slices[index].depth - depth) < Math.abs(this.slices[best].depth - depth)) best = index
    }
    return best
  }

  depthOf (point) { return dot(point, this.normal) }

  /** The window of the header, or null: never a CT preset for MR. */
  headerWindow (index) {
    const { metadata } = this.slices[index]
    const centre = number(metadata, '00281050', NaN)
    const width = number(metadata, '00281051', NaN)
    return Number.isFinite(centre) && width > 0 ? { centre, width } : null
  }

  /** Slices in the order in which they are fetched: a start, then outwards. */
  outwards (start) {
    return [...this.slices.keys()].sort((a, b) => Math.abs(a - start) - Math.abs(b - start)).map((index) => this.slices[index].imageId)
  }
}
