"""`pip install .` in a fresh environment: what it leaves there works from anywhere without the build folder's library, and goes again.

    LAMINAR_BUILD=build python3 tests/python/test_install.py      needs python3-pip; takes what is built there, for time
"""
import os
import subprocess
import sys
import tarfile
import tempfile
import unittest
import venv

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
BUILD = os.path.abspath(os.environ.get("LAMINAR_BUILD", os.path.join(ROOT, "build")))

SCRIPT = """
import os, sys, laminar
from laminar import _library
assert laminar.__file__.startswith(sys.prefix + os.sep), laminar.__file__
with open("/proc/self/maps", encoding="utf-8") as stream:
    mapped = {line.split()[-1] for line in stream if "liblaminar" in line}
assert mapped == {os.path.join(os.path.dirname(laminar.__file__), "liblaminar.so")}, mapped
flow = laminar.Flow(dims=(4,), iterations=3, threads=1).fit("toy:moons:200:1")
print(flow.sample(3, 1).shape, laminar.load(sys.argv[1]).score("toy:moons:100:2") < 0)
"""


def run(*command, **how):
    # what the tests of this tree are told about the package in the build folder is not meant for an installed one
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONPATH" and not name.startswith("LAMINAR")}
    done = subprocess.run(command, env=plain, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **how)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(command)}\n{done.stdout}")
    return done.stdout


class Install(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def test_pip(self):
        try:
            import pip
        except ImportError:
            self.skipTest("pip is not here")
        del pip
        place = os.path.join(self.folder, "venv")
        venv.create(place, system_site_packages=True, with_pip=False)  # Debian's own pip is seen from there
        python = os.path.join(place, "bin", "python")
        pip = (python, "-m", "pip", "--disable-pip-version-check")
        install = (*pip, "install", "--no-index", f"--config-settings=build-dir={BUILD}")
        run(*install, ".", cwd=ROOT)
        run(*install, "--no-build-isolation", "--force-reinstall", "--no-deps", ".", cwd=ROOT)
        model = os.path.join(self.folder, "model")
        run(os.environ["LAMINAR"], "fit", "toy:moons:200:1", "--dims", "4", "--iterations", "3", "--threads", "1", "--quiet", "--out", model)
        self.assertEqual(run(python, "-W", "ignore", "-c", SCRIPT, model, cwd=self.folder).strip(), "(3, 2) True")
        shown = run(*pip, "show", "--files", "laminar")
        for part in ("Version: 0.2.0", "License: MIT", "Requires: cffi, numpy", "laminar/liblaminar.so"):
            self.assertIn(part, shown)
        run(*pip, "uninstall", "--yes", "laminar")
        left = [name for name in os.listdir(os.path.join(place, "lib", f"python3.{sys.version_info[1]}", "site-packages")) if "laminar" in name]
        self.assertEqual(left, [])

    def test_source_archive(self):
        script = f"import sys; sys.path.insert(0, 'python'); import build_backend; print(build_backend.build_sdist({self.folder!r}))"
        with tarfile.open(os.path.join(self.folder, run(sys.executable, "-B", "-c", script, cwd=ROOT).strip())) as archive:
            names = archive.getnames()
        for name in ("CMakeLists.txt", "LICENSE", "PKG-INFO", "pyproject.toml", "python/build_backend.py", "src/base/error.c"):
            self.assertIn(f"laminar-0.2.0/{name}", names)
        self.assertEqual([name for name in names if "/build/" in name or "__pycache__" in name or "/.git" in name], [])


if __name__ == "__main__":
    unittest.main()
