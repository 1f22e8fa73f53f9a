// Reads a date as people type it. Pure: no page, no clock; `today` is an argument.

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const SHORT = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const LONG = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']

const LONG_BEFORE = 1000 // days: a birthday has no study day

const pad = (number, width = 2) => String(number).padStart(width, '0')
const days = (year, month) => new Date(Date.UTC(year, month, 0)).getUTCDate()
const utc = (iso) => { const [y, m, d] = iso.split('-').map(Number); return Date.UTC(y, m - 1, d) }

/** The day `count` days after an ISO date. */
export const plus = (iso, count) => new Date(utc(iso) + count * 86400000).toISOString().slice(0, 10)

function fullYear (text, today) {
  if (text.length === 4) return Number(text)
  const year = 2000 + Number(text)
  return year > Number(today.slice(0, 4)) + 1 ? year - 100 : year
}

function monthOf (text) {
  if (/^\d{1,2}$/.test(text)) return Number(text)
  const place = MONTHS.indexOf(text.slice(0, 3).toLowerCase())
  const name = LONG[place]?.toLowerCase() ?? ''
  return place >= 0 && (text.length === 3 || name.startsWith(text.toLowerCase())) ? place + 1 : NaN
}

const unknown = (text) => /^(un|unk|uk|nk|xx|--?|)$/i.test(text)

function build (day, month, year) {
  if (!(year >= 1900 && year <= 2100)) return { error: `The year ${year} is not possible.` }
  if (month === null) return { iso: pad(year, 4) }
  if (!(month >= 1 && month <= 12)) return { error: 'This month does not exist.' }
  if (day === null) return { iso: `${year}-${pad(month)}` }
  if (day < 1 || day > days(year, month)) {
    return { error: `${day} ${SHORT[month - 1]} ${year} does not exist. ${LONG[month - 1]} has ${days(year, month)} days.` }
  }
  return { iso: `${year}-${pad(month)}-${pad(day)}` }
}

/**
 * Read a date.
 *
 * @param {string} typed `10nov26`, `10 nov 2026`, `2026-11-10`, `10.11.2026`, `t`, `t-1`, `y`, `nov 2026`, `UN-NOV-2026`, `//1980`, `1980`
 * @param {string} today ISO date that `t` means
 * @returns {{iso?: string, error?: string}} ISO date, `YYYY-MM` or `YYYY` for partial ones; empty object for an empty text
 */
export function readDate (typed, today) {
  const text = typed.trim()
  if (!text) return {}
  const relative = /^(t|today|y|yesterday)\s*(?:([+-])\s*(\d{1,4}))?$/i.exec(text)
  if (relative) {
    const shift = relative[3] ? Number(relative[2] + relative[3]) : 0
    return { iso: plus(today, shift + (/^y/i.test(relative[1]) ? -1 : 0)) }
  }
  const iso = /^(\d{4})-(\d{1,2})(?:-(\d{1,2}))?$/.exec(text)
  if (iso) return build(iso[3] ? Number(iso[3]) : null, Number(iso[2]), Number(iso[1]))
  if (/^\d{4}$/.test(text)) return build(null, null, Number(text))
  const named = /^(\d{1,2}|un|unk)?[\s./-]*([a-z]{3,9})[\s./-]*(\d{4}|\d{2})$/i.exec(text)
  if (named && !unknown(named[2])) {
    const month = monthOf(named[2])
    if (Number.isNaN(month)) return { error: `“${named[2]}” is not a month.` }
    return build(!named[1] || unknown(named[1]) ? null : Number(named[1]), month, fullYear(named[3], today))
  }
  return readParts(text, today)
}

function readParts (text, today) {
  const found = /^(\d{0,2}|un|unk)([\s./-])(\d{0,2}|[a-z]{2,9})\2(\d{4}|\d{2})$/i.exec(text)
  const monthAndYear = /^(\d{1,2})[./-](\d{4})$/.exec(text)
  if (monthAndYear) return build(null, Number(monthAndYear[1]), Number(monthAndYear[2]))
  if (!found) return { error: `“${text}” is not a date. Write it like 10 Nov 2026, 10nov26 or t for today.` }
  const [, day, between, month, last] = found
  const year = fullYear(last, today)
  if (unknown(day)) return build(null, unknown(month) ? null : monthOf(month), year)
  return readThree(text, [Number(day), Number(month), year], between, last, today)
}

/** Full stops mean day first; between strokes or hyphens nobody knows, so only one possible date is taken for it. */
function readThree (text, [one, other, year], between, last, today) {
  const orders = [[one, other, year]]
  if ('/-'.includes(between)) orders.push([other, one, year])
  if (between === '-' && last.length === 2) orders.push([Number(last), other, fullYear(pad(one), today)])
  const readings = [...new Set(orders.map((order) => build(...order).iso).filter(Boolean))]
  if (readings.length > 1) return { error: `“${text}” can be ${readings.map(showDate).join(' or ')}. Write the month as a word.` }
  return readings.length ? { iso: readings[0] } : build(one, other, year)
}

/** `10 Nov 2026`, `Nov 2026` or `2026`. */
export function showDate (iso) {
  const [year, month, day] = iso.split('-')
  if (!month) return year
  return `${day ? `${Number(day)} ` : ''}${SHORT[month - 1]} ${year}`.replace(/^(\d) /, '0$1 ')
}

/** What stands beside the field: the day of the week and the study day, or what is not known. */
export function echoDate (iso, day1 = '') {
  const parts = iso.split('-')
  if (parts.length === 1) return 'day and month not known'
  if (parts.length === 2) return 'day not known'
  const weekday = DAYS[new Date(utc(iso)).getUTCDay()]
  if (!day1) return weekday
  const difference = Math.round((utc(iso) - utc(day1)) / 86400000)
  if (difference < -LONG_BEFORE) return weekday
  return `${weekday} · Day ${difference >= 0 ? difference + 1 : difference}`
}

/** `8:40`, `840`, `08.40` as `08:40`; empty when it is no time. */
export function readTime (typed) {
  const found = /^(\d{1,2})[:.h ]?(\d{2})$/.exec(typed.trim())
  if (!found || Number(found[1]) > 23 || Number(found[2]) > 59) return ''
  return `${pad(Number(found[1]))}:${found[2]}`
}
