/** A length as the server writes it: hundredths are kept, tenths are shown, and halves go up both times. */
export const millimetres = (mm) => (Math.round(Math.round(Number(mm) * 100) / 10) / 10).toFixed(1)
