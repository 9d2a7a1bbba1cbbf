/** Loaded before a function of the chaos run: its clock is off by MAILGRANT_SKEW_MS milliseconds, as a machine's may be. */
const skewMs = Number(process.env['MAILGRANT_SKEW_MS'] ?? 0);
const now = Date.now.bind(Date);
Date.now = () => now() + skewMs;
