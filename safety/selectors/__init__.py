"""Reading safety: events, reports with their clocks, grades that laboratory values suggest."""
