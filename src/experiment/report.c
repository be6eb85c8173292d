/* The report: page, tables, pictures. */
#include "base/error.h"
#include "base/need.h"
#include "base/file.h"
#include "experiment/csv.h"
#include "experiment/page.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { PATH = 4096 };

static lam_status write_page(const lam_experiment *e, const lam_measurement *m, int working)
{
    char path[PATH];
    lam_out_file out;
    if (snprintf(path, sizeof path, "%s/report.html", e->dir) >= PATH)
        return lam_fail(LAM_ERR_ARGUMENT, "the path %s is too long; choose a folder nearer to the root", e->dir);
    LAM_TRY(lam_out_open(&out, path));
    lam_status status = lam_page_write(out.stream, e, m, working);
    if (status == LAM_OK)
        return lam_out_commit(&out);
    lam_out_abandon(&out);
    return status;
}

/* One chart as figures/DATA_TOLERANCE_CHART.svg and .png. */
static lam_status write_figure(const lam_experiment *e, const lam_charts *charts, lam_chart chart, const lam_group *group)
{
    static const char *const endings[] = { "svg", "png" };
    char path[PATH], title[128], slug[LAM_PLAN_NAME + 1], tolerance[32];
    const char *data = e->plan.data[group->data].name.text;
    lam_plan_slug(data, slug);
    lam_short_number(lam_plan_number(&e->tolerances.items[group->tolerance]), tolerance);
    snprintf(title, sizeof title, "%s, tolerance %s", data, tolerance);
    const lam_plot plot = { .title = title, .panels = &charts->panels[chart], .n_panels = 1 };
    for (size_t i = 0; i < 2; i++) {
        if (snprintf(path, sizeof path, "%s/figures/%s_%s_%s.%s", e->dir, slug, tolerance, lam_chart_name(chart), endings[i])
            >= PATH)
            return lam_fail(LAM_ERR_ARGUMENT, "the path %s is too long; choose a folder nearer to the root", e->dir);
        LAM_TRY(lam_plot_write(&plot, path));
    }
    return LAM_OK;
}

/* The charts of each data set and tolerance; a build without cairo has the page's alone. */
static lam_status write_figures(const lam_experiment *e, const lam_measurement *m)
{
    char path[PATH];
    if (snprintf(path, sizeof path, "%s/figures", e->dir) >= PATH || (mkdir(path, 0777) != 0 && errno != EEXIST))
        return lam_fail(LAM_ERR_IO, "cannot make the folder %s/figures: %s", e->dir, strerror(errno));
    for (size_t i = 0; i < m->n_groups;) {
        const lam_group *g = &m->groups[i];
        lam_charts charts;
        size_t n = lam_measurement_block(m, i);
        LAM_TRY(lam_charts_make(e, m, g, n, &charts));
        lam_status status = LAM_OK;
        for (size_t k = 0; k < LAM_CHARTS && status == LAM_OK; k++)
            if (lam_chart_shows(&charts, (lam_chart)k))
                status = write_figure(e, &charts, (lam_chart)k, g);
        lam_charts_clear(&charts);
        if (status == LAM_ERR_UNSUPPORTED)
            return LAM_OK;
        LAM_TRY(status);
        i += n;
    }
    return LAM_OK;
}

lam_status lam_experiment_report(lam_experiment *e, int working)
{
    LAM_NEED(e, "experiment");
    lam_measurement m;
    LAM_TRY(lam_experiment_refresh(e));
    LAM_TRY(lam_measure_experiment(e, &m));
    lam_status status = lam_csv_write(e, &m);
    if (status == LAM_OK)
        status = write_figures(e, &m);
    if (status == LAM_OK)
        status = write_page(e, &m, working);
    lam_measurement_clear(&m);
    return status;
}
