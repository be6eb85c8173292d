/* Recognises files of other programs by their first bytes, and says how to convert them. */
#include "data/foreign.h"
#include "base/error.h"
#include "data/bytes.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PANDAS(call) "python3 -c \"import pandas; pandas." call ".to_csv('table.csv', index=False)\""
#define UNPACK(command) command " | laminar fit - ..."

/* A kind of file. In its command '%' stands for the file. */
typedef struct kind {
    size_t offset, n;   /* where its n bytes stand */
    const char *bytes;
    const char *what;   /* "an xz file" */
    const char *command;
} kind;

#define MAGIC(offset, bytes) offset, sizeof(bytes) - 1, bytes
static const kind kinds[] = {
    { MAGIC(0, "\xFD" "7zXZ\0"), "compressed by xz", UNPACK("xz -dc %") },
    { MAGIC(4, "1AY&SY"), "compressed by bzip2", UNPACK("bzip2 -dc %") },
    { MAGIC(0, "\x28\xB5\x2F\xFD"), "compressed by zstd", UNPACK("zstd -dc %") },
    { MAGIC(0, "\x04\x22\x4D\x18"), "compressed by lz4", UNPACK("lz4 -dc %") },
    { MAGIC(0, "LZIP\1"), "compressed by lzip", UNPACK("lzip -dc %") },
    { MAGIC(0, "\x1F\x9D"), "compressed by compress", UNPACK("gzip -dc %") },
    { MAGIC(0, "7z\xBC\xAF\x27\x1C"), "a 7-Zip archive", UNPACK("7z x -so %") },
    { MAGIC(0, "Rar!\x1A\x07"), "a RAR archive", UNPACK("unrar p -inul %") },
    { MAGIC(257, "ustar"), "a tar archive", UNPACK("tar -xOf %") },
    { MAGIC(0, "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), "a spreadsheet of old Excel (.xls)", PANDAS("read_excel('%')") },
    { MAGIC(0, "PAR1"), "a Parquet file", PANDAS("read_parquet('%')") },
    { MAGIC(0, "ARROW1"), "an Arrow (Feather) file", PANDAS("read_feather('%')") },
    { MAGIC(0, "FEA1"), "a Feather file", PANDAS("read_feather('%')") },
    { MAGIC(0, "<stata_dta>"), "a Stata file", PANDAS("read_stata('%')") },
    { MAGIC(0, "$FL2"), "an SPSS file", PANDAS("read_spss('%')") },
    { MAGIC(0, "$FL3"), "an SPSS file", PANDAS("read_spss('%')") },
    { MAGIC(12, "\xC2\xEA\x81\x60\xB3\x14\x11\xCF"), "a SAS file", PANDAS("read_sas('%', format='sas7bdat')") },
    { MAGIC(0, "HEADER RECORD*******LIB"), "a SAS transport file", PANDAS("read_sas('%', format='xport')") },
    { MAGIC(0, "RDX2\n"), "an R workspace (.RData)", "Rscript -e \"write.csv(get(load('%')), 'table.csv', row.names = FALSE)\"" },
    { MAGIC(0, "RDX3\n"), "an R workspace (.RData)", "Rscript -e \"write.csv(get(load('%')), 'table.csv', row.names = FALSE)\"" },
    { MAGIC(0, "X\n\0\0\0"), "an R object (.rds)", "Rscript -e \"write.csv(readRDS('%'), 'table.csv', row.names = FALSE)\"" },
    { MAGIC(0, "\x89HDF\r\n\x1A\n"), "an HDF5 file",
        "python3 -c \"import h5py, numpy; numpy.save('table.npy', h5py.File('%')['NAME'][()])\" with the NAME of the array" },
    { MAGIC(0, "MATLAB 7.3"), "a MATLAB -v7.3 file (HDF5)",
        "python3 -c \"import h5py, numpy; numpy.save('table.npy', h5py.File('%')['NAME'][()].T)\" with the NAME of the matrix" },
    { MAGIC(0, "MATLAB 5.0"), "a MATLAB file",
        "python3 -c \"import scipy.io, numpy; numpy.save('table.npy', scipy.io.loadmat('%')['NAME'])\" with the NAME of the matrix" },
    { MAGIC(0, "SIMPLE  ="), "a FITS file", "python3 -c \"import astropy.table; astropy.table.Table.read('%').write('table.csv')\"" },
    { MAGIC(0, "SQLite format 3"), "an SQLite database", "sqlite3 -csv -header % 'SELECT * FROM NAME' >table.csv with the NAME of the table" },
    { MAGIC(0, "\x80\2"), "a pickle", PANDAS("DataFrame(pandas.read_pickle('%'))") " if you trust it" },
    { MAGIC(0, "\x80\3"), "a pickle", PANDAS("DataFrame(pandas.read_pickle('%'))") " if you trust it" },
    { MAGIC(0, "\x80\4"), "a pickle", PANDAS("DataFrame(pandas.read_pickle('%'))") " if you trust it" },
    { MAGIC(0, "\x80\5"), "a pickle", PANDAS("DataFrame(pandas.read_pickle('%'))") " if you trust it" },
    { MAGIC(0, "\x89PNG\r\n"), "a PNG picture", "laminar vae fit takes a folder of such" },
    { MAGIC(0, "\xFF\xD8\xFF"), "a JPEG picture", "laminar vae fit takes a folder of PNG" },
    { MAGIC(0, "%PDF-"), "a PDF document", "pdftotext -layout % table.txt" },
};
static const kind stata = { 0, 0, "", "a Stata file", PANDAS("read_stata('%')") }; /* of releases up to 12 */
static const kind json = { 0, 0, "", "JSON", PANDAS("read_json('%')") };
static const kind html = { 0, 0, "", "an HTML page", PANDAS("read_html('%')[0]") };
static const kind xml = { 0, 0, "", "XML", PANDAS("read_xml('%')") };
static const kind arff = { 0, 0, "", "an ARFF file (Weka)",
    "python3 -c \"import pandas, scipy.io.arff; pandas.DataFrame(scipy.io.arff.loadarff('%')[0]).to_csv('table.csv', index=False)\"" };
static const kind xlsx = { 0, 0, "", "an Excel workbook (.xlsx file)", PANDAS("read_excel('%')") };
static const kind ods = { 0, 0, "", "an OpenDocument spreadsheet (.ods)", PANDAS("read_excel('%', engine='odf')") };

const char *lam_foreign_quote(const char *name, char text[LAM_QUOTED_SIZE])
{
    int plain = strpbrk(name, "'\"\\$`!\n%") == NULL && strlen(name) < LAM_QUOTED_SIZE && name[0] != '-'
        && strcmp(name, lam_bytes_name("-")) != 0;
    snprintf(text, LAM_QUOTED_SIZE, "%s", plain ? name : "FILE");
    return text;
}

static lam_status refuse(const char *name, const kind *k)
{
    char file[LAM_QUOTED_SIZE], command[LAM_QUOTED_SIZE + 256];
    size_t used = 0;
    lam_foreign_quote(name, file);
    int bare = strchr(k->command, '\'') == NULL || strncmp(k->command, "sqlite3", 7) == 0; /* else the command has quotes around it */
    for (const char *p = k->command; *p != '\0' && used + 1 < sizeof command; p++) {
        if (*p == '%')
            used += (size_t)snprintf(command + used, sizeof command - used, "%s%s%s", bare ? "'" : "", file, bare ? "'" : "");
        else
            command[used++] = *p;
    }
    command[used < sizeof command ? used : sizeof command - 1] = '\0';
    return lam_fail(LAM_ERR_FORMAT, "%s: is %s, which is not read; text (csv, also gzipped), .npy and .npz are. What converts it: %s", name, k->what,
        command);
}

static int begins(const char *p, const char *end, const char *word)
{
    size_t n = strlen(word);
    return (size_t)(end - p) >= n && strncasecmp(p, word, n) == 0;
}

static const char *skip_space(const char *p, const char *end)
{
    while (p < end && strchr(" \t\r\n", *p) != NULL && *p != '\0')
        p++;
    return p;
}

/* Text that holds no rows of cells. */
static const kind *find_markup(const char *p, const char *end)
{
    if (begins(p, end, "\xEF\xBB\xBF"))
        p += 3;
    p = skip_space(p, end);
    const char *next = p < end ? skip_space(p + 1, end) : end;
    char second = next < end ? *next : ' ';
    if (p < end && ((*p == '{' && second == '"') || (*p == '[' && (second == '{' || second == '['))))
        return &json;
    if (begins(p, end, "<!doctype html") || begins(p, end, "<html") || begins(p, end, "<table"))
        return &html;
    if (begins(p, end, "<?xml"))
        return &xml;
    while (p < end && *p == '%') { /* ARFF's comments */
        const char *line = memchr(p, '\n', (size_t)(end - p));
        p = line != NULL ? skip_space(line, end) : end;
    }
    return begins(p, end, "@relation") ? &arff : NULL;
}

/* The first bytes are not those of text. */
static int is_binary(const char *p, size_t size)
{
    for (size_t i = 0; i < size && i < 1u << 16; i++)
        if ((unsigned char)p[i] < 9)
            return 1;
    return 0;
}

lam_status lam_foreign_check(const char *name, const void *bytes, size_t size)
{
    const char *p = bytes;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const kind *k = &kinds[i];
        if (size < k->offset + k->n || memcmp(p + k->offset, k->bytes, k->n) != 0)
            continue;
        if (k->n > 8 || (unsigned char)k->bytes[0] >= 0x7F || is_binary(p, size)) /* "PAR1" may be the name of a column */
            return refuse(name, k);
    }
    if (size > 4 && p[0] >= 0x68 && p[0] <= 0x73 && (p[1] == 1 || p[1] == 2) && p[2] == 1 && p[3] == 0)
        return refuse(name, &stata);
    const kind *markup = size > 0 ? find_markup(p, p + size) : NULL;
    return markup != NULL ? refuse(name, markup) : LAM_OK;
}

lam_status lam_foreign_check_zip(const char *name, const lam_npz *zip)
{
    size_t n = lam_npz_count(zip), files = 0, first = 0, pictures = 0;
    char file[LAM_QUOTED_SIZE], member[LAM_QUOTED_SIZE];
    int content = 0, mimetype = 0;
    for (size_t i = n; i-- > 0;) {
        const char *entry = lam_npz_name(zip, i);
        size_t length = strlen(entry);
        if (lam_npz_is_array(zip, i))
            return LAM_OK;
        if (strncmp(entry, "xl/", 3) == 0)
            return refuse(name, &xlsx);
        content |= strcmp(entry, "content.xml") == 0;
        mimetype |= strcmp(entry, "mimetype") == 0;
        pictures += length > 4 && strcasecmp(entry + length - 4, ".png") == 0;
        if (length > 0 && entry[length - 1] != '/')
            files++, first = i;
    }
    if (files == 0)
        return LAM_OK;
    if (content && mimetype)
        return refuse(name, &ods);
    if (pictures == files)
        return lam_fail(LAM_ERR_FORMAT, "%s: is a zip of %zu pictures, which `laminar vae fit` takes; a table is text (csv, also gzipped), .npy or "
            ".npz", name, files);
    lam_foreign_quote(name, file);
    lam_foreign_quote(lam_npz_name(zip, first), member);
    return lam_fail(LAM_ERR_FORMAT, "%s: is a zip of %zu file%s, without arrays of NumPy; unpack it on the way: unzip -p '%s' '%s' | laminar fit - ...",
        name, files, files > 1 ? "s" : "", file, member);
}
