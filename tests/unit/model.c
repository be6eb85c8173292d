/* Models and their files: what is saved comes back, what is foreign is checked. */
#include "model/safetensors.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include "models.h"
#include "scratch.h"
static size_t read_bytes(const char *path, char *to, size_t room)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(to, 1, room, f);
    assert_true(n < room);
    fclose(f);
    return n;
}

static char *find_bytes(char *in, size_t n, const char *what)
{
    for (size_t i = 0; i + strlen(what) <= n; i++)
        if (memcmp(in + i, what, strlen(what)) == 0)
            return in + i;
    return NULL;
}

/* All that a model holds comes back, bit by bit, and a second file equals the first. */
static void saved_models_come_back(void **state)
{
    (void)state;
    static const char *const precisions[] = { "float", "double" };
    static char first[1 << 16], second[1 << 16];
    for (int p = 0; p < 2; p++) {
        lam_model *m = bent_model("5-4", "concatsquash", precisions[p], 3, 2), *back;
        char path[512], again[512];
        snprintf(path, sizeof path, "%s", scratch_path("a.safetensors"));
        snprintf(again, sizeof again, "%s", scratch_path("b.safetensors"));
        assert_ok(lam_model_name_column(m, 1, "a \"b\", \xc3\xa9"));
        snprintf(m->data_hash, sizeof m->data_hash, "0123456789abcdef0123456789abcdef");
        m->h_star_test[0] = 1.0 / 3;
        m->h_star_train[1] = 0.7;
        assert_ok(lam_model_save(m, path));
        assert_ok(lam_model_load(path, NULL, &back));
        assert_memory_equal(m->params, back->params, m->layout.parameters * sizeof(double));
        assert_memory_equal(m->mean, back->mean, 3 * sizeof(double));
        assert_memory_equal(m->scale, back->scale, 3 * sizeof(double));
        assert_memory_equal(m->h_star_test, back->h_star_test, 2 * sizeof(double));
        assert_memory_equal(m->h_star_train, back->h_star_train, 2 * sizeof(double));
        assert_memory_equal(&m->log_det, &back->log_det, sizeof(double));
        assert_string_equal(lam_model_data_hash(back), m->data_hash);
        assert_string_equal(lam_model_column(back, 1), "a \"b\", \xc3\xa9");
        assert_null(lam_model_column(back, 3));
        assert_int_equal(lam_model_config(back)->seed, 5);
        assert_int_equal(lam_model_config(back)->precision, p);
        assert_ok(lam_model_save(back, again));
        size_t n = read_bytes(path, first, sizeof first);
        assert_int_equal(read_bytes(again, second, sizeof second), n);
        assert_memory_equal(first, second, n);
        lam_model_free(m);
        lam_model_free(back);
    }
}

/* What does not change a fit does not change its file. */
static void threads_leave_no_trace_in_a_file(void **state)
{
    (void)state;
    static char image[2][1 << 16];
    size_t n[2];
    for (int i = 0; i < 2; i++) {
        lam_config cfg;
        lam_model *m;
        configure(&cfg, "dims", "4", "threads", i == 0 ? "1" : "2", "memory", i == 0 ? "0" : "77", NULL);
        if (i == 1)
            assert_ok(lam_config_set(&cfg, "isa", "scalar"));
        assert_ok(lam_model_create(&cfg, 2, &m));
        assert_ok(lam_model_save(m, scratch_path("t.safetensors")));
        n[i] = read_bytes(scratch_path("t.safetensors"), image[i], sizeof image[i]);
        lam_model_free(m);
        lam_config_clear(&cfg);
    }
    assert_int_equal(n[0], n[1]);
    assert_memory_equal(image[0], image[1], n[0]);
}

/* The tensors are FFJORD's state_dict, nothing else. */
static void tensors_have_the_names_of_ffjord(void **state)
{
    (void)state;
    static const char *const names[] = { "chain.0.sqrt_end_time", "chain.0.odefunc.diffeq.layers.0._layer.weight",
        "chain.0.odefunc.diffeq.layers.0._layer.bias", "chain.0.odefunc.diffeq.layers.1._layer.weight",
        "chain.0.odefunc.diffeq.layers.1._layer.bias", "chain.0.odefunc.diffeq.activation_fns.0.beta" };
    lam_config cfg;
    lam_model *m;
    lam_st_file file;
    size_t shape[2], n_shape;
    configure(&cfg, "dims", "4", "nonlinearity", "swish", "time", "0.25", NULL);
    assert_ok(lam_model_create(&cfg, 2, &m));
    assert_ok(lam_model_save(m, scratch_path("n.safetensors")));
    assert_ok(lam_st_read(scratch_path("n.safetensors"), &file));
    assert_int_equal(file.n_tensors, 6);
    for (size_t i = 0; i < 6; i++) {
        assert_string_equal(file.tensors[i].name, names[i]);
        assert_string_equal(lam_model_tensor(m, i, shape, &n_shape), names[i]);
        assert_int_equal(file.tensors[i].dtype, LAM_ST_F32);
        assert_int_equal(file.tensors[i].n_shape, n_shape);
    }
    assert_null(lam_model_tensor(m, 6, shape, &n_shape));
    assert_int_equal(file.tensors[0].n_shape, 0);
    assert_int_equal(file.tensors[1].shape[0], 4);
    assert_int_equal(file.tensors[1].shape[1], 3); /* t, then two columns */
    double end;
    lam_st_doubles(&file.tensors[0], &end);
    assert_true(end == 0.5);
    assert_int_equal(lam_model_parameter_count(m), 4 * 3 + 4 + 2 * 5 + 2 + 1); /* an end time that is not trained is none */
    lam_st_free(&file);
    lam_model_free(m);
    lam_config_clear(&cfg);
}

/* The tensors of m, with a change, as another program would save them. */
static const char *foreign_file(const lam_model *m, const char *drop, const lam_st_tensor *extra)
{
    lam_st_tensor tensors[64];
    size_t n = 0;
    for (size_t i = 0; i < m->n_tensors; i++) {
        const lam_layout_tensor *t = &m->tensors[i];
        if (drop == NULL || strstr(t->name, drop) == NULL)
            tensors[n++] = (lam_st_tensor) { t->name, LAM_ST_F64, t->dims, { t->shape[0], t->shape[1] }, m->params + t->offset };
    }
    if (extra != NULL)
        tensors[n++] = *extra;
    const char *path = scratch_path("foreign.safetensors");
    assert_ok(lam_st_write(path, tensors, n, NULL, 0));
    return path;
}

/* Weights without laminar's metadata load with a configuration, for every layer type; FFJORD's counters are ignored. */
static void foreign_weights_load(void **state)
{
    (void)state;
    static const char *const layers[] = { "ignore", "concat", "concat_v2", "squash", "concatsquash", "blend", "hyper" };
    const double zero = 0;
    const lam_st_tensor counter = { "chain.0.odefunc._num_evals", LAM_ST_F64, 0, { 0 }, &zero };
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        lam_config cfg;
        lam_model *m, *back;
        configure(&cfg, "dims", "4-5", "layer", layers[i], "precision", "double", "time", "0.5", NULL);
        assert_ok(lam_model_create(&cfg, 3, &m));
        assert_ok(lam_model_load(foreign_file(m, i % 2 ? "sqrt_end_time" : NULL, &counter), &cfg, &back));
        assert_int_equal(lam_model_dim(back), 3);
        assert_memory_equal(back->params, m->params, m->layout.parameters * sizeof(double));
        assert_true(back->log_det == 0 && back->scale[2] == 1);
        assert_string_equal(lam_model_column(back, 2), "3");
        lam_model_free(m);
        lam_model_free(back);
        lam_config_clear(&cfg);
    }
}

/* The tensors of m, each name behind a prefix; the last one behind another. */
static const char *prefixed_file(const lam_model *m, const char *prefix, const char *last)
{
    lam_st_tensor tensors[64];
    static char names[64][160];
    for (size_t i = 0; i < m->n_tensors; i++) {
        const lam_layout_tensor *t = &m->tensors[i];
        snprintf(names[i], sizeof names[i], "%s%s", i + 1 < m->n_tensors ? prefix : last, t->name);
        tensors[i] = (lam_st_tensor) { names[i], LAM_ST_F64, t->dims, { t->shape[0], t->shape[1] }, m->params + t->offset };
    }
    const char *path = scratch_path("foreign.safetensors");
    assert_ok(lam_st_write(path, tensors, m->n_tensors, NULL, 0));
    return path;
}

static void assert_refused(const char *path, const lam_config *cfg, lam_status status, const char *part, const char *part2)
{
    lam_model *m = (lam_model *)1;
    assert_int_equal(lam_model_load(path, cfg, &m), status);
    assert_null(m);
    assert_said(path);
    assert_said(part);
    assert_said(part2);
}

/* What PyTorch's wrappers put before the names is taken off; anything else is named. */
static void prefixes(void **state)
{
    (void)state;
    static const char *const wrapping[] = { "", "module.", "_orig_mod.", "module._orig_mod.module." };
    lam_config cfg;
    lam_model *m, *back;
    configure(&cfg, "dims", "4-5", "precision", "double", NULL);
    assert_ok(lam_model_create(&cfg, 3, &m));
    for (size_t i = 0; i < 4; i++) {
        assert_ok(lam_model_load(prefixed_file(m, wrapping[i], wrapping[i]), &cfg, &back));
        assert_memory_equal(back->params, m->params, m->layout.parameters * sizeof(double));
        assert_string_equal(lam_model_prefix(back), wrapping[i]);
        lam_model_free(back);
    }
    assert_refused(prefixed_file(m, "model.flow.", "model.flow."), &cfg, LAM_ERR_SHAPE, "begin with the prefix \"model.flow.\"",
        "k.removeprefix(\"model.flow.\")");
    assert_refused(prefixed_file(m, "module.", ""), &cfg, LAM_ERR_SHAPE, "names of 6 of its 7 tensors begin with", "\"module.\"");
    assert_refused(prefixed_file(m, "", "module."), &cfg, LAM_ERR_SHAPE, "is missing", "configuration");
    assert_refused(prefixed_file(m, "mychain.x.", "mychain.x."), &cfg, LAM_ERR_SHAPE, "begin with the prefix", "\"mychain.x.\"");
    lam_model_free(m);
    lam_config_clear(&cfg);
}

static void wrong_weights_are_refused(void **state)
{
    (void)state;
    lam_config cfg, wide;
    lam_model *m;
    const double two[2] = { 0, 1 };
    const lam_st_tensor extra = { "chain.1.moving_mean", LAM_ST_F64, 1, { 2 }, two };
    configure(&cfg, "dims", "4-5", NULL);
    configure(&wide, "dims", "4-6", NULL);
    assert_ok(lam_model_create(&cfg, 3, &m));
    assert_refused(foreign_file(m, NULL, NULL), NULL, LAM_ERR_FORMAT, "not saved by laminar", "--config");
    assert_refused(foreign_file(m, NULL, NULL), &wide, LAM_ERR_SHAPE, "layers.1._layer.weight\" has shape [5, 5]", "[6, 5]");
    assert_refused(foreign_file(m, "layers.1._layer.bias", NULL), &cfg, LAM_ERR_SHAPE, "layers.1._layer.bias\" is missing",
        "dims 4-5");
    assert_refused(foreign_file(m, "layers.2", NULL), &cfg, LAM_ERR_SHAPE, "layers.2._layer.bias\" is missing", "configuration");
    assert_refused(foreign_file(m, NULL, &extra), &cfg, LAM_ERR_SHAPE, "chain.1.moving_mean\" is not part of", "blocks 1");
    m->params[3] = 1e39;
    assert_refused(foreign_file(m, NULL, NULL), &cfg, LAM_ERR_DATA, "element 4 of tensor \"chain.0", "precision double");
    m->params[3] = NAN;
    assert_refused(foreign_file(m, NULL, NULL), &cfg, LAM_ERR_DATA, "element 4 of tensor \"chain.0", "nan");
    assert_int_equal(lam_model_save(m, scratch_path("nan.safetensors")), LAM_ERR_DATA);
    assert_int_equal(access(scratch_path("nan.safetensors"), F_OK), -1); /* and nothing was written */
    m->params[3] = 1;
    m->params[m->layout.time] = 0;
    assert_refused(foreign_file(m, NULL, NULL), &cfg, LAM_ERR_DATA, "sqrt_end_time\" is 0", "no length");
    lam_model_free(m);
    lam_config_clear(&cfg);
    lam_config_clear(&wide);
}

/* Files cut anywhere, and metadata that lie. */
static void damaged_files_are_refused(void **state)
{
    (void)state;
    static char image[1 << 16];
    lam_model *m = bent_model("4", "concat", "float", 2, 1), *none;
    char path[512];
    snprintf(path, sizeof path, "%s", scratch_path("d.safetensors"));
    assert_ok(lam_model_save(m, path));
    size_t n = read_bytes(path, image, sizeof image);
    for (size_t cut = 0; cut < n; cut += cut < 16 ? 1 : 97) {
        scratch_write("d.safetensors", image, cut);
        assert_int_not_equal(lam_model_load(path, NULL, &none), LAM_OK);
        assert_null(none);
        assert_said(path);
    }
    static const char *const lies[][3] = { { "\"laminar\":\"1\"", "\"laminar\":\"8\"", "newer" },
        { "\"scale\":\"[0.3", "\"scale\":\"[-.3", "\"scale\"" }, { "\"scale\":\"[0.3", "\"scale\":\"[0.4", "\"log_det\"" },
        { "\"mean\":\"[", "\"mean\":\"{", "\"mean\"" }, { "dims: ", "dins: ", "dins" }, { "dims: [4]", "dims: [5]", "[5, 3]" } };
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        static char copy[1 << 16];
        memcpy(copy, image, n);
        char *at = find_bytes(copy, n, lies[i][0]);
        if (at == NULL)
            fail_msg("%s is not in the file", lies[i][0]);
        memcpy(at, lies[i][1], strlen(lies[i][1]));
        scratch_write("d.safetensors", copy, n);
        assert_int_not_equal(lam_model_load(path, NULL, &none), LAM_OK);
        assert_said(path);
        assert_said(lies[i][2]);
    }
    lam_model_free(m);
}

static void copies_stand_alone(void **state)
{
    (void)state;
    lam_model *m = bent_model("4", "concat", "float", 2, 2), *copy;
    double x[6] = { 0 }, before[3], after[3];
    m->h_star_test[1] = 0.25;
    assert_ok(lam_log_prob(m, NULL, x, 3, before, NULL));
    assert_ok(lam_model_copy(m, &copy));
    lam_model_free(m);
    assert_true(copy->h_star_test[1] == 0.25);
    assert_ok(lam_log_prob(copy, NULL, x, 3, after, NULL));
    assert_memory_equal(before, after, sizeof before);
    lam_model_free(copy);
    lam_model_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saved_models_come_back),
        cmocka_unit_test(threads_leave_no_trace_in_a_file),
        cmocka_unit_test(tensors_have_the_names_of_ffjord),
        cmocka_unit_test(foreign_weights_load), cmocka_unit_test(prefixes),
        cmocka_unit_test(wrong_weights_are_refused),
        cmocka_unit_test(damaged_files_are_refused),
        cmocka_unit_test(copies_stand_alone),
    };
    return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
