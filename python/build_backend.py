"""What `pip install .` calls (PEP 517): CMake builds the library and the package, and a wheel takes both. Needs CMake, a C compiler and the
libraries that ./run names; nothing of Python's beyond cffi and numpy.

    pip install . --config-settings build-dir=FOLDER      builds there, default build/wheel; what CMake has configured there stays so
"""
import base64
import csv
import hashlib
import io
import os
import re
import runpy
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def _read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as stream:
        return stream.read()


def _project():
    """pyproject.toml's own table, with the version that CMakeLists.txt has."""
    project = tomllib.loads(_read("pyproject.toml"))["project"]
    return {**project, "version": re.search(r"^project\(laminar VERSION ([0-9.]+)", _read("CMakeLists.txt"), re.M)[1]}


def _metadata(project):
    lines = ["Metadata-Version: 2.1", f"Name: {project['name']}", f"Version: {project['version']}", f"Summary: {project['description']}",
             "License: MIT", f"Requires-Python: {project['requires-python']}", *(f"Requires-Dist: {name}" for name in project["dependencies"]),
             "Description-Content-Type: text/markdown", "", _read(project["readme"])]
    return "\n".join(lines)


def _run(*command, env=None):
    try:
        done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    except FileNotFoundError:
        sys.exit(f"building laminar needs {command[0]}; on Debian, `./run build` installs all that it takes")
    if done.returncode != 0:
        sys.exit(f"{done.stdout}\n{' '.join(command)}\nfailed. On Debian, `./run build` installs all that building takes.")


def _python():
    """A Python that has cffi and NumPy, and the environment in which it has them; pip hides what is installed while it builds, by way of
    PYTHONPATH. None: there is none."""
    plain = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    for program, env in ((sys.executable, dict(os.environ)), (sys.executable, plain), ("/usr/bin/python3", plain)):
        command = [program, "-c", "import cffi, numpy"]
        if os.path.exists(program) and subprocess.run(command, env=env, capture_output=True, check=False).returncode == 0:
            return program, env
    return None


def get_requires_for_build_wheel(config_settings=None):
    del config_settings
    return [] if _python() else ["cffi", "numpy"]


def _build(settings):
    """Builds the package, and gives the folder in which it lies, the library, and the name under which the package looks for it."""
    given = (settings or {}).get("build-dir")
    folder = os.path.abspath(given or os.path.join(ROOT, "build", "wheel"))
    found = _python()
    if found is None:
        sys.exit("building laminar needs a Python with cffi and NumPy (Debian's python3-cffi and python3-numpy)")
    python, env = found
    if not given or not any(os.path.exists(os.path.join(folder, name)) for name in ("build.ninja", "Makefile")):
        # its own folder every time: the Python of an earlier environment may be gone
        generator = ["-G", "Ninja"] if shutil.which("ninja") and not os.path.exists(os.path.join(folder, "CMakeCache.txt")) else []
        _run("cmake", "-S", ROOT, "-B", folder, "-DCMAKE_BUILD_TYPE=Release", "-DLAMINAR_TESTS=OFF", f"-DLAMINAR_PYTHON_PROGRAM={python}",
             *generator, env=env)
    _run("cmake", "--build", folder, "--target", "python_package", "--parallel", str(os.cpu_count() or 1), env=env)
    package = os.path.join(folder, "python", "laminar")
    where = runpy.run_path(os.path.join(package, "_where.py"))["LIBRARY"]
    return package, os.path.realpath(os.path.join(package, where)), os.path.basename(where)


def _stripped(library):
    """The library's bytes, without what only a debugger reads."""
    if not shutil.which("strip"):
        with open(library, "rb") as stream:
            return stream.read()
    copy = library + ".stripped"
    try:
        _run("strip", "--strip-unneeded", "-o", copy, library)
        with open(copy, "rb") as stream:
            return stream.read()
    finally:
        if os.path.exists(copy):
            os.remove(copy)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    del metadata_directory
    package, library, name = _build(config_settings)
    project = _project()
    stem = f"{project['name']}-{project['version']}"
    tag = "py3-none-" + re.sub(r"[-.]", "_", sysconfig.get_platform())
    sources = [entry for entry in os.listdir(os.path.join(ROOT, "python", "laminar")) if entry.endswith(".py")]
    files = {f"laminar/{entry}": _read(package, entry).encode() for entry in sorted([*sources, "_cffi.py"])}
    files["laminar/_where.py"] = f'LIBRARY = "{name}"\n'.encode()  # it lies beside
    files[f"laminar/{name}"] = _stripped(library)
    files[f"{stem}.dist-info/METADATA"] = _metadata(project).encode()
    files[f"{stem}.dist-info/LICENSE"] = _read("LICENSE").encode()
    files[f"{stem}.dist-info/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: laminar\nRoot-Is-Purelib: false\nTag: {tag}\n".encode()
    _write_wheel(os.path.join(wheel_directory, f"{stem}-{tag}.whl"), files, f"{stem}.dist-info/RECORD")
    return f"{stem}-{tag}.whl"


def _write_wheel(path, files, record):
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
        rows.writerow([name, f"sha256={digest}", len(content)])
    rows.writerow([record, "", ""])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, content in {**files, record: text.getvalue().encode()}.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o755 if ".so" in name else 0o644) << 16
            wheel.writestr(entry, content, zipfile.ZIP_DEFLATED)


def build_sdist(sdist_directory, config_settings=None):
    """The tree, without what is hidden or built."""
    del config_settings
    project = _project()
    stem = f"{project['name']}-{project['version']}"

    def kept(entry):
        return None if re.fullmatch(rf"{re.escape(stem)}/(\..*|build.*|runs)|.*/__pycache__", entry.name) else entry

    with tarfile.open(os.path.join(sdist_directory, f"{stem}.tar.gz"), "w:gz", format=tarfile.PAX_FORMAT) as archive:
        archive.add(ROOT, stem, filter=kept)
        content = _metadata(project).encode()
        entry = tarfile.TarInfo(f"{stem}/PKG-INFO")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return f"{stem}.tar.gz"
