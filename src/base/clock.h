/* Clocks of a measurement or a projection: no result depends on them. */
#ifndef LAM_BASE_CLOCK_H
#define LAM_BASE_CLOCK_H

/* Seconds on a clock that never goes back. */
double lam_clock(void);
/* Processor seconds of this process, all threads. */
double lam_cpu_clock(void);

#endif
