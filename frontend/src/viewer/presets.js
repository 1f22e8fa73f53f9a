// Windows for CT by key, as centre and width in Hounsfield units. MR has no unit: only what its header says, or what the pixels hold.
export const PRESETS = [
  { key: '1', name: 'Liver', centre: 60, width: 160 },
  { key: '2', name: 'Soft', centre: 40, width: 400 },
  { key: '3', name: 'Lung', centre: -600, width: 1500 },
  { key: '4', name: 'Bone', centre: 400, width: 1800 },
]

export const range = (centre, width) => ({ lower: centre - width / 2, upper: centre + width / 2 })
