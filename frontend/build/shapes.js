// The status shapes, 16 by 16. Each has an outline of its own, so that it can be told apart without colour.
// `hole` is drawn in the colour of the sheet; custom properties reach into a <use>, classes of the page do not.
const hole = 'var(--glyph-hole, #fff)'
const cut = (d, width = 1.6) => `<path d="${d}" fill="none" stroke="${hole}" stroke-width="${width}" stroke-linecap="round" stroke-linejoin="round"/>`
const ring = (r, width = 1.4, more = '') => `<circle cx="8" cy="8" r="${r}" fill="none" stroke="currentColor" stroke-width="${width}" ${more}/>`
const disc = '<circle cx="8" cy="8" r="6.75" fill="currentColor"/>'
const triangle = '<path d="M8 1.6c.5 0 .9.25 1.15.68l5.6 9.9c.5.9-.13 2.02-1.15 2.02H2.4c-1.02 0-1.65-1.12-1.15-2.02l5.6-9.9C7.1 1.85 7.5 1.6 8 1.6Z" fill="currentColor"/>'
const bubble = 'M3 2.2h10c.83 0 1.5.67 1.5 1.5v6.1c0 .83-.67 1.5-1.5 1.5H8.4l-2.9 2.9v-2.9H3c-.83 0-1.5-.67-1.5-1.5V3.7c0-.83.67-1.5 1.5-1.5Z'
const question = 'M6.3 5.5c.1-.95.8-1.5 1.75-1.5 1 0 1.7.6 1.7 1.45 0 1.25-1.7 1.3-1.7 2.5'

const alarm = '<path d="M8 4.9v3.6" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round"/><circle cx="8" cy="11" r="1" fill="currentColor"/>'

function scallop (paint = 'fill="currentColor" stroke="currentColor" stroke-width=".8"') {
  const points = []
  for (let n = 0; n < 20; n += 1) {
    const angle = Math.PI * n / 10
    const r = n % 2 ? 6.1 : 7.3
    points.push(`${(8 + r * Math.sin(angle)).toFixed(2)} ${(8 - r * Math.cos(angle)).toFixed(2)}`)
  }
  return `<path d="M${points.join('L')}Z" ${paint} stroke-linejoin="round"/>`
}

export const shapes = {
  planned: ring(3, 1.1, 'stroke-dasharray="1.2 1.16"'),
  'not-started': ring(5.3),
  'in-progress': ring(6) + '<path d="M8 2.5a5.5 5.5 0 0 0 0 11Z" fill="currentColor"/>',
  complete: disc + cut('M5 8.3 7.1 10.4 11.1 6'),
  verified: '<rect x="1.5" y="2" width="13" height="12" rx="2.4" fill="currentColor"/>' + cut('M3.9 8.4 5.6 10.1 8.9 6.2M7.9 10 8.1 10.1 11.9 6.2', 1.4),
  'part-verified': '<rect x="2.2" y="2.7" width="11.6" height="10.6" rx="2" fill="none" stroke="currentColor" stroke-width="1.4"/><path d="M4.9 8.3 7 10.3 11.1 6" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round"/>',
  signed: scallop() + cut('M5.1 8.2 7.1 10.2 10.9 6'),
  'sign-again': scallop('fill="none" stroke="currentColor" stroke-width="1.3"') + alarm,
  'verify-again': '<rect x="2.2" y="2.2" width="11.6" height="11.6" rx="2" fill="none" stroke="currentColor" stroke-width="1.4"/>' + alarm,
  frozen: '<path d="M8 1.5v13M2.4 4.75l11.2 6.5M13.6 4.75 2.4 11.25M6.3 2.9 8 4.3l1.7-1.4M6.3 13.1 8 11.7l1.7 1.4" fill="none" stroke="currentColor" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round"/>',
  locked: '<path d="M5 7V5a3 3 0 0 1 6 0v2" fill="none" stroke="currentColor" stroke-width="1.7"/><rect x="2.8" y="6.7" width="10.4" height="7.6" rx="1.6" fill="currentColor"/>' + `<circle cx="8" cy="10.5" r="1.2" fill="${hole}"/>`,
  overdue: triangle + cut('M8 5.8v3.4') + `<circle cx="8" cy="11.7" r="1" fill="${hole}"/>`,
  'not-done': ring(5.5) + '<path d="m4.2 11.8 7.6-7.6" stroke="currentColor" stroke-width="1.4"/>',
  'not-applicable': ring(5.5, 1.2) + '<path d="M5.5 8h5" stroke="currentColor" stroke-width="1.4" stroke-linecap="round"/>',
  'visit-due': '<path d="M1 8h14" stroke="currentColor" stroke-width="1.2" opacity=".5"/><rect x="3.5" y="5.5" width="9" height="5" rx="2" fill="currentColor"/>',
  'visit-done': '<path d="M1 8h14" stroke="currentColor" stroke-width="1.6" opacity=".55"/><circle cx="8" cy="8" r="4" fill="currentColor"/>',
  'visit-late': '<path d="M1 8h7" stroke="currentColor" stroke-width="3.4" opacity=".55"/><circle cx="12" cy="8" r="3.2" fill="currentColor"/>',
  unscheduled: ring(5.8) + '<path d="M8 5.2v5.6M5.2 8h5.6" stroke="currentColor" stroke-width="1.4" stroke-linecap="round"/>',
  'query-open': `<path d="${bubble}" fill="currentColor"/>` + cut(question, 1.4) + `<circle cx="8" cy="9.6" r=".85" fill="${hole}"/>`,
  'query-answered': `<path d="${bubble}" fill="none" stroke="currentColor" stroke-width="1.4" stroke-linejoin="round"/><path d="M4.5 5.5h7M4.5 8.1h4.6" stroke="currentColor" stroke-width="1.3" stroke-linecap="round"/>`,
  'query-closed': `<path d="${bubble}" fill="none" stroke="currentColor" stroke-width="1.3" stroke-linejoin="round"/><path d="M5.4 6.9 7.2 8.6 10.6 5" fill="none" stroke="currentColor" stroke-width="1.3" stroke-linecap="round" stroke-linejoin="round"/>`,
  stop: '<path d="M5.2 1.4h5.6l3.8 3.8v5.6l-3.8 3.8H5.2l-3.8-3.8V5.2Z" fill="currentColor"/>' + cut('m5.7 5.7 4.6 4.6m0-4.6-4.6 4.6', 1.7),
  unknown: '<path d="M8 1.2 14.8 8 8 14.8 1.2 8Z" fill="none" stroke="currentColor" stroke-width="1.4" stroke-linejoin="round"/>' +
    `<path d="${question}" transform="translate(0 .5)" fill="none" stroke="currentColor" stroke-width="1.3" stroke-linecap="round"/><circle cx="8" cy="10.4" r=".85" fill="currentColor"/>`,
  info: disc + cut('M8 7.4v3.6') + `<circle cx="8" cy="5" r="1" fill="${hole}"/>`,
  hold: '<rect x="1.6" y="1.6" width="12.8" height="12.8" rx="3.4" fill="currentColor"/>' + cut('M6.2 5.2v5.6M9.8 5.2v5.6', 1.8),
}
