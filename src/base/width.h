/* Two widths from one source: a file named *_w.c is compiled with LAM_WIDTH 32 (float) and 64 (double), a file named *_k.c
 * once more for every instruction set. LAM_W(name) gives a name its width: name_f32, name_f64. A room's names.h does so for all
 * names of the room, so that sources say the plain name. */
#ifndef LAM_BASE_WIDTH_H
#define LAM_BASE_WIDTH_H

#if LAM_WIDTH == 32
typedef float real;
#define LAM_W(name) name##_f32
#elif LAM_WIDTH == 64
typedef double real;
#define LAM_W(name) name##_f64
#else
#error "this header is for files compiled with LAM_WIDTH 32 or 64"
#endif

#endif
