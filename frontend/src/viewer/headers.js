// Not ../token.js: a module shared with the app would be a file of its own, fetched on every page of the staff.
export const headers = () => ({
  Accept: 'application/json', 'X-CSRFToken': document.querySelector('meta[name="csrf-token"]')?.content ?? '',
})
