/* A flow of one column takes the base density to the column by a function that rises: the share p of its distribution lies below the value
 * to which the share p of the base density leads. So its density is integrated on the side of the base, where it is N(0, 1), by curves
 * u(z) (model/curve.h) that a few solves give: u is the column standardised and behind its map, whose knots would bend the curve. */
#include "model/integral.h"
#include "base/error.h"
#include "base/mem.h"
#include "data/normal.h"
#include "model/curve.h"
#include "model/pass.h"
#include <float.h>
#include <math.h>
#include <string.h>

enum { PASSES = 12, IN_ONE = 32, FARTHEST = 8 }; /* nodes of the sums: so many in 1, to so far out */

const unsigned char *lam_question_roles(const lam_question *q, size_t row)
{
    return q->roles == NULL ? NULL : q->roles + (q->n_roles == 1 ? 0 : row) * q->dim;
}

size_t lam_question_numbers(const lam_question *q)
{
    return 2 + q->n_quantiles + q->n_below;
}

/* ---- curves ------------------------------------------------------------------------------------------------------- */

/* The nodes of one flow's curves that are to be found. */
typedef struct wanted {
    const lam_question *q;
    const lam_model *flow;
    size_t column, first, n; /* the first row of all */
    size_t *row;           /* [n] of the question */
    lam_curve_node **node; /* [n] */
} wanted;

static void fill(void *self, size_t first, size_t rows, double *x)
{
    const wanted *w = self;
    const lam_model *m = w->flow;
    int from_data = w->q->eval->units == LAM_UNITS_DATA;
    for (size_t i = 0; i < rows; i++) {
        const double *from = w->q->x + w->row[first + i] * m->dim;
        for (size_t j = 0; j < m->dim; j++)
            x[i * m->dim + j] = from_data ? (from[j] - m->mean[j]) / m->scale[j] : from[j];
        x[i * m->dim + w->column] = w->node[first + i]->z;
    }
}

static lam_status take(void *self, size_t first, size_t rows, const double *x, const double *y, const double *logp)
{
    const wanted *w = self;
    (void)x;
    for (size_t i = 0; i < rows; i++) {
        lam_curve_node *node = w->node[first + i];
        node->u = y[i * w->flow->dim + w->column];
        node->slope = lam_normal_density(node->z) / exp(logp[i]);
        node->known = 1;
        if (!isfinite(node->u) || !isfinite(node->slope) || !(node->slope > 0))
            return lam_fail(LAM_ERR_SOLVER, "row %zu: the density of the column %s is not finite; try double or tighter tolerances",
                w->row[first + i] - w->first + 1, w->flow->columns[w->column]);
    }
    return LAM_OK;
}

/* Of curves [rows] of the question from row first on. */
static lam_status gather(const lam_curve *curves, size_t first, size_t rows, wanted *w)
{
    size_t n = 0;
    for (size_t i = 0; i < rows; i++)
        n += curves[i].n;
    if ((w->row = lam_alloc(n, sizeof *w->row)) == NULL || (w->node = lam_alloc(n, sizeof *w->node)) == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; i < rows; i++)
        for (size_t k = 0; k < curves[i].n; k++)
            if (!curves[i].node[k].known) {
                w->row[w->n] = first + i;
                w->node[w->n++] = &curves[i].node[k];
            }
    return LAM_OK;
}

static lam_status find(const lam_pass *pass, wanted *w, lam_counts *counts)
{
    const lam_rows rows = { w, fill, take };
    const lam_question *q = w->q;
    lam_pass own = *pass;
    unsigned char *roles = q->n_roles > 1 ? lam_alloc(w->n + 1, q->dim) : NULL;
    if (q->n_roles > 1 && roles == NULL)
        return LAM_ERR_MEMORY;
    for (size_t i = 0; roles != NULL && i < w->n; i++)
        memcpy(roles + i * q->dim, lam_question_roles(q, w->row[i]), q->dim);
    lam_status status = lam_pass_set_roles(&own, roles != NULL ? roles : q->roles, roles != NULL ? w->n : q->n_roles, w->n);
    if (status == LAM_OK)
        status = lam_pass_run(&own, 0, 1, w->n, &rows, counts);
    lam_free(roles);
    return status;
}

/* One flow's curves [rows]; *pass is that of the flow alone. */
static lam_status trace(const lam_pass *pass, const lam_question *q, size_t column, size_t first, size_t rows, lam_curve *curves, lam_counts *counts)
{
    const double grain = pass->use_double ? 64 * DBL_EPSILON : 8 * (double)FLT_EPSILON;
    lam_status status = LAM_OK;
    size_t news = 1;
    for (size_t i = 0; i < rows && status == LAM_OK; i++)
        status = lam_curve_lay(&curves[i]);
    for (int k = 0; k < PASSES && news > 0 && status == LAM_OK; k++) {
        wanted w = { .q = q, .flow = pass->model, .column = column, .first = first };
        status = gather(curves, first, rows, &w);
        if (status == LAM_OK)
            status = find(pass, &w, counts);
        lam_free(w.row);
        lam_free(w.node);
        news = 0;
        for (size_t i = 0, more; k + 1 < PASSES && i < rows && status == LAM_OK; i++) {
            status = lam_curve_refine(&curves[i], grain, &more);
            news += more;
        }
    }
    return status;
}

/* ---- what is asked ------------------------------------------------------------------------------------------------ */

/* The distribution of a row's column: the mean of those of the flows. */
typedef struct distribution {
    const lam_pass *pass;
    const lam_curve *curve; /* of flow k at k * stride */
    size_t stride, flows, column;
    double value; /* a share, or NaN */
} distribution;

static const lam_model *flow_of(const distribution *d, size_t k)
{
    return d->flows == 1 ? d->pass->model : lam_model_flow(d->pass->model, k);
}

/* The column at z, by flow k. */
static double value_at(const distribution *d, size_t k, double z)
{
    const lam_model *m = flow_of(d, k);
    double u = lam_curve_at(d->curve + k * d->stride, z), slope;
    if (m->maps != NULL)
        u = lam_spline_inverse(&m->maps->column[d->column], u, &slope);
    return d->pass->units == LAM_UNITS_DATA ? u * m->scale[d->column] + m->mean[d->column] : u;
}

/* The share of the distribution that is not above y. */
static double share_below(const distribution *d, double y)
{
    double sum = 0, slope;
    for (size_t k = 0; k < d->flows; k++) {
        const lam_model *m = flow_of(d, k);
        double u = d->pass->units == LAM_UNITS_DATA ? (y - m->mean[d->column]) / m->scale[d->column] : y;
        if (m->maps != NULL)
            u = lam_spline_at(&m->maps->column[d->column], u, &slope);
        sum += 0.5 * erfc(-lam_curve_inverse(d->curve + k * d->stride, u) / sqrt(2));
    }
    return sum / (double)d->flows;
}

static double above_share(const void *self, double y)
{
    const distribution *d = self;
    return share_below(d, y) - d->value;
}

/* That of the mean of distributions lies between theirs. */
static double quantile(const distribution *of, double share)
{
    distribution d = *of;
    double z = lam_normal_quantile(share), low = value_at(&d, 0, z), high = low;
    d.value = share;
    for (size_t k = 1; k < d.flows; k++) {
        double y = value_at(&d, k, z);
        low = fmin(low, y), high = fmax(high, y);
    }
    return d.flows == 1 ? low : lam_rising_root(above_share, &d, low, high);
}

/* Sums over even steps of z are exact to rounding where the curve is smooth, as the weights die away so fast. */
static void moments(const distribution *d, double *mean, double *deviation)
{
    double sum = 0, square = 0, centre = value_at(d, 0, 0);
    for (size_t k = 0; k < d->flows; k++)
        for (int i = -FARTHEST * IN_ONE; i <= FARTHEST * IN_ONE; i++) {
            double z = (double)i / IN_ONE, weight = lam_normal_density(z) / IN_ONE / (double)d->flows, y = value_at(d, k, z) - centre;
            sum += weight * y, square += weight * y * y;
        }
    *mean = centre + sum;
    *deviation = sqrt(fmax(square - sum * sum, 0));
}

/* The integral of the density, less 1. */
static double mass_error(const distribution *d)
{
    double error = 0;
    for (size_t k = 0; k < d->flows; k++)
        error += lam_curve_mass_error(d->curve + k * d->stride) / (double)d->flows;
    return error;
}

static void answer(const lam_question *q, const distribution *d, double *values)
{
    moments(d, &values[0], &values[1]);
    values += 2;
    for (size_t k = 0; k < q->n_quantiles; k++)
        *values++ = quantile(d, q->quantiles[k]);
    for (size_t k = 0; k < q->n_below; k++)
        *values++ = share_below(d, q->below[k]);
}

/* curves [flows, rows] are room, of zeros. */
static lam_status integrate(const lam_pass *pass, const lam_question *q, size_t column, size_t first, size_t rows, lam_curve *curves,
    lam_counts *counts)
{
    for (size_t k = 0; k < lam_pass_flows(pass); k++) {
        lam_pass of = lam_pass_of_flow(pass, k, 0);
        of.units = LAM_UNITS_STANDARDISED;
        of.behind_maps = 1;
        if (of.model->given.moving > 1) { /* where one of several columns moves, the estimate is the trace: the square of one sign */
            of.divergence = LAM_DIV_RADEMACHER;
            of.probes = 1;
        } else
            of.divergence = LAM_DIV_EXACT;
        LAM_TRY(trace(&of, q, column, first, rows, curves + k * rows, counts));
    }
    return LAM_OK;
}

/* values [rows, numbers] or NULL, errors [rows] of the mass */
static lam_status solve(const lam_question *q, size_t column, size_t first, size_t rows, double *values, double *errors, lam_counts *counts)
{
    lam_pass pass;
    LAM_TRY(lam_pass_init(&pass, q->model, q->eval));
    size_t flows = lam_pass_flows(&pass);
    lam_curve *curves = lam_alloc(flows * rows, sizeof *curves);
    lam_status status = curves == NULL ? LAM_ERR_MEMORY : integrate(&pass, q, column, first, rows, curves, counts);
    for (size_t i = 0; i < rows && status == LAM_OK; i++) {
        const distribution d = { .pass = &pass, .curve = curves + i, .stride = rows, .flows = flows, .column = column };
        errors[i] = mass_error(&d);
        if (values != NULL)
            answer(q, &d, values + i * lam_question_numbers(q));
    }
    for (size_t i = 0; curves != NULL && i < flows * rows; i++)
        lam_curve_free(&curves[i]);
    lam_free(curves);
    return status;
}

lam_status lam_integrate(const lam_question *q, size_t column, size_t first, size_t rows, double *values, lam_predict_report *report)
{
    double *errors = lam_alloc(rows, sizeof *errors);
    lam_status status = errors == NULL ? LAM_ERR_MEMORY : solve(q, column, first, rows, values, errors, &report->counts);
    for (size_t i = 0; i < rows && status == LAM_OK; i++)
        report->mass_error = fmax(report->mass_error, fabs(errors[i]));
    lam_free(errors);
    return status;
}

lam_status lam_integrate_mass(const lam_question *q, size_t column, size_t first, size_t rows, double *mass, lam_counts *counts)
{
    LAM_TRY(solve(q, column, first, rows, NULL, mass, counts));
    for (size_t i = 0; i < rows; i++)
        mass[i] += 1;
    return LAM_OK;
}
