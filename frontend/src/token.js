export const token = () => document.querySelector('meta[name="csrf-token"]')?.content ?? ''
