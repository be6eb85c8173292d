"""Turns laminar.h and laminar/*.h into laminar/_cffi.py, from which the package knows the library's types and functions without a compiler.

    make_native.py CC INCLUDE_FOLDER _cffi.py        needs python3-cffi; CMake calls it

The headers themselves are what is read, so that no declaration stands anywhere twice.
"""
import pathlib
import re
import subprocess
import sys

import cffi


def main(compiler, folder, out):
    folder = pathlib.Path(folder)
    first = [folder / "laminar/status.h", folder / "laminar.h"]
    headers = [*first, *sorted(set(folder.glob("laminar/*.h")) - {*first, folder / "laminar/mpi.h"})]  # which takes MPI
    # size_t and uint64_t are known, and each header stands behind those that it needs
    text = "\n".join(re.sub(r"^#include.*$", "", header.read_text(encoding="utf-8"), flags=re.M) for header in headers)
    # without __GNUC__ the header puts no attributes to its functions
    plain = subprocess.run([compiler, "-E", "-P", "-U__GNUC__", "-x", "c", "-"], input=text, capture_output=True, text=True,
                           check=True).stdout
    ffi = cffi.FFI()
    ffi.set_source("laminar._cffi", None)
    ffi.cdef(plain)
    ffi.emit_python_code(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
