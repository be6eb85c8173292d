"""Turns include/laminar.h into laminar/_cffi.py, from which the package knows the library's types and functions without a compiler.

    make_native.py CC laminar.h _cffi.py        needs python3-cffi; CMake calls it

The header itself is what is read, so that no declaration stands anywhere twice.
"""
import re
import subprocess
import sys

import cffi


def main(compiler, header, out):
    with open(header, encoding="utf-8") as stream:
        text = re.sub(r"^#include.*$", "", stream.read(), flags=re.M)  # size_t and uint64_t are known
    # without __GNUC__ the header puts no attributes to its functions
    plain = subprocess.run([compiler, "-E", "-P", "-U__GNUC__", "-x", "c", "-"], input=text, capture_output=True, text=True,
                           check=True).stdout
    ffi = cffi.FFI()
    ffi.set_source("laminar._cffi", None)
    ffi.cdef(plain)
    ffi.emit_python_code(out)


if __name__ == "__main__":
    main(*sys.argv[1:])
