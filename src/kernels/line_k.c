/* Kernels that go over planes element by element: sums of stages, error norms, row and column products. */
#include "kernels/lanes.h"
#include "kernels/tile.h"

/* sum[o] += sum over rows of u[o][row] w[o * w_stride + row], w NULL for 1; VL features at a time */
LAM_INLINE void sum_rows(size_t n, size_t vectors, const real *u, const real *w, size_t w_stride, real *sum)
{
    for (size_t o = 0; o < n; o += LAM_VL) {
        size_t features = n - o < LAM_VL ? n - o : LAM_VL;
        real lanes[LAM_VL] __attribute__((aligned(LAM_VBYTES)));
        vec m[LAM_VL];
#pragma GCC unroll 16
        for (size_t i = 0; i < LAM_VL; i++) {
            m[i] = vset(0);
            for (size_t at = 0; i < features && at < vectors * LAM_VL; at += LAM_VL) {
                vec term = vload(u + (o + i) * LAM_TILE + at);
                m[i] += w != NULL ? term * vload(w + (o + i) * w_stride + at) : term;
            }
        }
        vstore(lanes, lane_sums(m));
        for (size_t i = 0; i < features; i++)
            sum[o + i] += lanes[i];
    }
}

void lam_tile_row_sums(size_t n, size_t vectors, const real *plane, const real *weight, real *sum)
{
    if (weight != NULL)
        sum_rows(n, vectors, plane, weight, 0, sum);
    else
        sum_rows(n, vectors, plane, NULL, 0, sum);
}

void lam_tile_row_dots(size_t n, size_t vectors, const real *u, const real *v, real *sum)
{
    sum_rows(n, vectors, u, v, LAM_TILE, sum);
}

void lam_tile_scale_rows(size_t n, size_t vectors, const real *scale, real *plane)
{
    for (size_t o = 0; o < n; o++)
        for (size_t v = 0; v < vectors; v++)
            vstore(plane + o * LAM_TILE + v * LAM_VL, vset(scale[o]) * vload(plane + o * LAM_TILE + v * LAM_VL));
}

void lam_tile_add_rows(size_t n, size_t vectors, const real *scale, const real *plane, real *out)
{
    for (size_t o = 0; o < n; o++)
        for (size_t at = o * LAM_TILE, end = at + vectors * LAM_VL; at < end; at += LAM_VL)
            vstore(out + at, vfma(vset(scale[o]), vload(plane + at), vload(out + at)));
}

void lam_tile_combine(size_t n, real *out, const real *base, size_t terms, const real *coef, const real *const *term)
{
    for (size_t i = 0; i < n; i += LAM_VL) {
        vec sum = base != NULL ? vload(base + i) : vset(0);
        for (size_t j = 0; j < terms; j++)
            sum += vset(coef[j]) * vload(term[j] + i);
        vstore(out + i, sum);
    }
}

LAM_INLINE vec vabs(vec x)
{
#if LAM_WIDTH == 32
    const lam_lane_int magnitude = 0x7fffffff;
#else
    const lam_lane_int magnitude = 0x7fffffffffffffff;
#endif
    return vreal(vbits(x) & magnitude);
}

void lam_tile_error(size_t n, const real *v, const real *y0, const real *y1, real atol, real rtol, real *sums)
{
    for (size_t r = 0; r < LAM_TILE; r += LAM_VL) {
        vec sum = vload(sums + r);
        for (size_t i = 0; i < n; i++) {
            size_t at = i * LAM_TILE + r;
            vec a0 = vabs(vload(y0 + at)), a1 = vabs(vload(y1 + at));
            /* a0 where a1 is NaN: v is NaN then as well */
            vec scale = vset(atol) + vset(rtol) * vselect(VMASK(a1 > a0), a1, a0);
            vec q = vload(v + at) / scale;
            sum += q * q;
        }
        vstore(sums + r, sum);
    }
}

void lam_tile_column_dots(size_t n, const real *u, const real *v, real factor, real *out)
{
    for (size_t r = 0; r < LAM_TILE; r += LAM_VL) {
        vec sum = vset(0);
        for (size_t i = 0; i < n; i++)
            sum += vload(u + i * LAM_TILE + r) * vload(v + i * LAM_TILE + r);
        vstore(out + r, vload(out + r) + vset(factor) * sum);
    }
}
