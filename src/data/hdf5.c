/* Reads 2-D datasets of HDF5 files with a library that is opened at its first use. */
#include "data/hdf5.h"
#include "base/error.h"

#ifdef LAM_HAVE_HDF5
#include "base/mem.h"
#include <dlfcn.h>
#include <errno.h>
#include <hdf5.h>
#include <stdio.h>
#include <string.h>

/* What is used of the library. Its headers' macros for constants call into it, so their values stand here plainly; its variables
 * (H5T_NATIVE_DOUBLE) cannot be asked for by name, as a program that links the library has copies of its own. */
#define FUNCTIONS(X) \
    X(H5open) X(H5get_libversion) X(H5Eget_auto2) X(H5Eset_auto2) X(H5Fopen) X(H5Fclose) X(H5Lexists) X(H5Dopen2) X(H5Dclose) \
    X(H5Dget_space) X(H5Dget_type) X(H5Dread) X(H5Tget_class) X(H5Tget_size) X(H5Tget_native_type) X(H5Tclose) \
    X(H5Sget_simple_extent_ndims) X(H5Sget_simple_extent_dims) X(H5Screate_simple) X(H5Sselect_hyperslab) X(H5Sclose)
enum { READ_ONLY = 0 };
#define DEFAULT ((hid_t)0) /* of properties, and of the stack of errors */

struct lam_hdf5 {
    const char *path;
    hid_t file, set, space, type; /* negative: not open; type: a float or double of this machine */
    size_t cols, width;           /* of the dataset; bytes of type */
    H5E_auto2_t show;       /* how the library showed errors before, and to whom */
    void *show_to;
    char name[32];          /* of the dataset */
#define POINTER(name) __typeof__(&(name)) name;
    FUNCTIONS(POINTER)
#undef POINTER
};

static lam_status missing(const char *what)
{
    return lam_fail(LAM_ERR_UNSUPPORTED, "HDF5 files need %s, which cannot be used (%s); install libhdf5-dev, or build again with "
        "the version that is installed", LAM_HDF5_LIBRARY, what != NULL ? what : "unknown reason");
}

/* Finds the functions. The library stays loaded, as closing it could pull it from under the caller's own use of it. */
static lam_status load(lam_hdf5 *f)
{
    void *library = dlopen(LAM_HDF5_LIBRARY, RTLD_NOW | RTLD_LOCAL), *found;
    if (library == NULL)
        return missing(dlerror());
#define FIND(function) \
    if ((found = dlsym(library, #function)) == NULL) \
        return missing(dlerror()); \
    memcpy(&f->function, &found, sizeof found);
    FUNCTIONS(FIND)
#undef FIND
    unsigned major = 0, minor = 0, release = 0;
    if (f->H5open() < 0 || f->H5get_libversion(&major, &minor, &release) < 0)
        return missing("it does not start");
    if (major != H5_VERS_MAJOR || minor != H5_VERS_MINOR)
        return missing("another version than the one built with");
    return LAM_OK;
}

/* Its own messages on stderr are off while we are in it. */
static void quiet(lam_hdf5 *f)
{
    if (f->H5Eget_auto2(DEFAULT, &f->show, &f->show_to) >= 0)
        f->H5Eset_auto2(DEFAULT, NULL, NULL);
}

static void loud(lam_hdf5 *f)
{
    f->H5Eset_auto2(DEFAULT, f->show, f->show_to);
}

lam_status lam_hdf5_open(const char *path, lam_hdf5 **out)
{
    *out = NULL;
    FILE *plain = fopen(path, "rb");
    if (plain == NULL)
        return lam_fail(LAM_ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
    fclose(plain);
    lam_hdf5 *f = lam_alloc(1, sizeof *f);
    if (f == NULL)
        return LAM_ERR_MEMORY;
    f->path = path, f->file = f->set = f->space = f->type = -1;
    lam_status status = load(f);
    if (status == LAM_OK) {
        quiet(f);
        f->file = f->H5Fopen(path, READ_ONLY, DEFAULT);
        loud(f);
        if (f->file < 0)
            status = lam_fail(LAM_ERR_FORMAT, "%s: is not an HDF5 file, or is damaged; copy or download it again", path);
    }
    if (status != LAM_OK) {
        lam_free(f);
        return status;
    }
    *out = f;
    return LAM_OK;
}

static void close_set(lam_hdf5 *f)
{
    if (f->type >= 0)
        f->H5Tclose(f->type);
    if (f->space >= 0)
        f->H5Sclose(f->space);
    if (f->set >= 0)
        f->H5Dclose(f->set);
    f->space = f->set = f->type = -1;
}

/* Sets the type as which the dataset is read; 0 if it is not of floating-point numbers. */
static int find_type(lam_hdf5 *f)
{
    hid_t type = f->H5Dget_type(f->set);
    if (type < 0)
        return 0;
    if (f->H5Tget_class(type) == H5T_FLOAT)
        f->type = f->H5Tget_native_type(type, H5T_DIR_DEFAULT);
    f->H5Tclose(type);
    f->width = f->type >= 0 ? f->H5Tget_size(f->type) : 0;
    return f->width == sizeof(float) || f->width == sizeof(double);
}

static lam_status select_set(lam_hdf5 *f, size_t *rows, size_t *cols)
{
    hsize_t shape[2];
    if (f->H5Lexists(f->file, f->name, DEFAULT) <= 0)
        return lam_fail(LAM_ERR_FORMAT, "%s: holds no dataset \"%s\"; is it another file?", f->path, f->name);
    f->set = f->H5Dopen2(f->file, f->name, DEFAULT);
    f->space = f->set >= 0 ? f->H5Dget_space(f->set) : -1;
    if (f->space < 0 || f->H5Sget_simple_extent_ndims(f->space) != 2 || f->H5Sget_simple_extent_dims(f->space, shape, NULL) != 2
        || !find_type(f))
        return lam_fail(LAM_ERR_FORMAT, "%s: \"%s\" is no dataset of floating-point numbers [rows, columns]", f->path, f->name);
    if (shape[0] == 0 || shape[1] == 0 || shape[0] > SIZE_MAX / sizeof(double) / shape[1])
        return lam_fail(LAM_ERR_FORMAT, "%s: the dataset \"%s\" is of %llu by %llu numbers", f->path, f->name,
            (unsigned long long)shape[0], (unsigned long long)shape[1]);
    *rows = (size_t)shape[0];
    *cols = f->cols = (size_t)shape[1];
    return LAM_OK;
}

lam_status lam_hdf5_select(lam_hdf5 *f, const char *name, size_t *rows, size_t *cols)
{
    quiet(f);
    close_set(f);
    snprintf(f->name, sizeof f->name, "%s", name);
    lam_status status = select_set(f, rows, cols);
    loud(f);
    return status;
}

/* Floats in the first half of the room for as many doubles, made doubles there. */
static void widen(double *values, size_t n)
{
    for (size_t i = n; i-- > 0;) {
        float x;
        memcpy(&x, (const char *)values + i * sizeof x, sizeof x);
        values[i] = (double)x;
    }
}

lam_status lam_hdf5_rows(lam_hdf5 *f, size_t first, size_t n, double *values)
{
    hsize_t start[2] = { first, 0 }, size[2] = { n, f->cols };
    quiet(f);
    hid_t room = f->H5Screate_simple(2, size, NULL);
    int failed = room < 0 || f->H5Sselect_hyperslab(f->space, H5S_SELECT_SET, start, NULL, size, NULL) < 0
        || f->H5Dread(f->set, f->type, room, f->space, DEFAULT, values) < 0;
    if (room >= 0)
        f->H5Sclose(room);
    loud(f);
    if (failed)
        return lam_fail(LAM_ERR_FORMAT, "%s: rows %zu to %zu of \"%s\" cannot be read; the file is cut short or damaged: copy or "
            "download it again", f->path, first + 1, first + n, f->name);
    if (f->width == sizeof(float))
        widen(values, n * f->cols);
    return LAM_OK;
}

void lam_hdf5_close(lam_hdf5 *f)
{
    if (f == NULL)
        return;
    close_set(f);
    f->H5Fclose(f->file);
    lam_free(f);
}

#else

static lam_status absent(const char *path)
{
    return lam_fail(LAM_ERR_UNSUPPORTED, "%s: this build reads no HDF5; install libhdf5-dev and build again", path);
}

lam_status lam_hdf5_open(const char *path, lam_hdf5 **out)
{
    *out = NULL;
    return absent(path);
}

lam_status lam_hdf5_select(lam_hdf5 *file, const char *name, size_t *rows, size_t *cols)
{
    (void)file, (void)rows, (void)cols;
    return absent(name);
}

lam_status lam_hdf5_rows(lam_hdf5 *file, size_t first, size_t n, double *values)
{
    (void)file, (void)first, (void)n, (void)values;
    return absent("");
}

void lam_hdf5_close(lam_hdf5 *file)
{
    (void)file;
}

#endif
