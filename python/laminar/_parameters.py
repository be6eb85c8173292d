"""Parameters: one table, the library's, serves YAML files, flags and keywords. batch-size there is batch_size here."""
import collections
import functools
import operator
import time

from ._columns import canonical, names_in
from ._library import ArgumentError, as_python, bytes_of, check, each_parameter, ffi, lib, path_bytes, text_of

Parameter = collections.namedtuple("Parameter", "name group values default help")
Parameter.__doc__ = """A parameter: its name, the group it is listed in, what values it takes ("N" a whole number, "X" a number), its
default as text, and a sentence of help."""

COLUMNS = ("columns", "drop", "given", "noise")


def _get(config, name):
    size = 1024
    while True:
        room = ffi.new("char[]", size)
        status = lib.lam_config_get(config, name.encode(), room, size)
        if status != lib.LAM_ERR_ARGUMENT or size > 1 << 26:
            check(status)
            return ffi.string(room).decode()
        size *= 4  # a long list of columns


def _defaults():
    """A lam_config with the defaults."""
    made = ffi.new("lam_config **")
    check(lib.lam_config_create(ffi.NULL, made))
    return ffi.gc(made[0], lib.lam_config_free)


class Config:
    """A lam_config."""

    def __init__(self, kind, settings=(), path=None, preset=None):
        self.began = time.monotonic(), time.process_time()  # a fit's limits of time count from here
        self.pointer = _defaults()
        self._set("model", kind)
        if preset is not None:
            if not isinstance(preset, str):
                raise ArgumentError(f"preset={preset!r}: it is a name, as 'power'")
            check(lib.lam_config_load_preset(self.pointer, bytes_of(preset)))
        if path is not None:
            check(lib.lam_config_load(self.pointer, path_bytes(path)))
        given = self._given = dict(settings)
        for p in parameters():  # in the table's order: "tpr" goes before the four that it sets
            value = given.get(p.name)
            if value is not None and p.name not in COLUMNS:
                self._set(p.name, as_text(p, value))

    def _set(self, name, text):
        check(lib.lam_config_set(self.pointer, name.encode(), bytes_of(text)))

    def choose(self, names, d, what):
        """columns, drop, given and noise, of what has d columns of these names (None: without)."""
        for name in COLUMNS:
            value = self._given.get(name)
            if value is not None:
                self._set(name, _columns_text(name, value, lambda item, name=name: canonical(name, item, names, d, what)))

    def choose_in(self, path):
        """The same of a file, whose names are looked up if columns are asked for by place, or by a name that might be a number."""
        items = [item for name in COLUMNS for item in _items(name, self._given.get(name))]
        if any(not isinstance(item, str) or item.isdecimal() for item in items):
            self.choose(*names_in(path, lib.lam_config_read_options(self.pointer).header), str(path))
        else:
            for name in COLUMNS:
                value = self._given.get(name)
                if value is not None:
                    self._set(name, _columns_text(name, value, lambda item: item))

    def idle(self, settings):
        """Of the given settings, those that do nothing here: a text each."""
        found = []
        for index, p in each_parameter():
            name = text_of(p.name).replace("-", "_")
            wants = lib.lam_parameter_idle(index, self.pointer)
            if settings.get(name) is not None and wants != ffi.NULL:
                found.append(f"{name}={settings[name]!r} has no effect without {as_python(text_of(wants))}")
        return found


def settings_of(pointer, kind, names=None):
    """What stands in a lam_config and is not the default, as values for keywords. names: of a model's columns, None if they have none."""
    found = {}
    for p in parameters(kind):
        text = _get(pointer, p.name)
        if text != p.default and p.name != "tpr" and p.name not in COLUMNS:
            found[p.name] = _value(p, text)
    return {**found, **(_columns_of(pointer, names) if kind == "density" else {})}


def _columns_of(pointer, names):
    """columns, drop, given and noise: what was chosen of columns with names are the model's own."""
    found = {name: lib.lam_config_names(pointer, name.encode()) for name in COLUMNS}
    lists = {name: [text_of(names_.item[i]) for i in range(names_.n)] for name, names_ in found.items()}

    def place(item):
        return int(item) - 1

    def column(item):
        return place(item) if names is None else names[place(item)] if item not in names and item.isdecimal() else item

    noise = {column(name): float(width) for name, _, width in (item.rpartition(":") for item in lists["noise"])}
    chosen = lists["columns"] or lists["drop"]
    found = {"columns": names} if names is not None and chosen else {name: [place(item) for item in lists[name]] for name in ("columns", "drop")}
    return {name: value for name, value in {**found, "given": [column(item) for item in lists["given"]], "noise": noise}.items() if value}


def _value(p, text):
    if p.values == "N-N-N":
        return tuple(int(width) for width in text.split("-"))
    if p.values in ("N", "X", "TIME"):
        return int(text) if p.values == "N" else float(text)
    return text == "true" if p.values == "true|false" else text


def as_text(p, value):
    """A value as the library reads it: dims=(60, 60) is "60-60"."""
    wrong = ArgumentError(f"{p.name}={value!r}: it takes {p.values}")
    if isinstance(value, str):
        return value
    if hasattr(value, "total_seconds"):  # a timedelta
        value = value.total_seconds()
    if getattr(value, "ndim", None) == 0:
        value = value.item()
    if p.values == "true|false":
        if value not in (True, False):
            raise wrong
        return "true" if value else "false"
    if p.name == "warm_start" and isinstance(value, bool):  # scikit-learn's meaning of the name: fit goes on from the last fit
        if value:
            raise ArgumentError("warm_start=True: it takes none|flow-matching:N; to go on from a fitted flow, give fit its init=")
        return "none"
    if p.values == "N-N-N":
        value = value if hasattr(value, "__iter__") else (value,)
        return "-".join(str(_whole(width, wrong)) for width in value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) and not hasattr(value, "__float__"):
        raise wrong
    return str(_whole(value, wrong)) if p.values == "N" else repr(float(value))


def _whole(value, wrong):
    if isinstance(value, float) and value.is_integer():
        return int(value)
    try:
        return operator.index(value)
    except TypeError:
        raise wrong from None


def _items(name, value):
    """The columns that a value of columns, drop, given or noise names."""
    if value is None:
        return []
    if name != "noise":
        return [value] if isinstance(value, str) or not hasattr(value, "__iter__") else list(value)
    if value == "auto":
        return []
    if not isinstance(value, dict):
        raise ArgumentError(f"noise={value!r}: it takes {{column: width}}, a column by name or by place from 0")
    return list(value)


def _columns_text(name, value, spell):
    """columns=["a", "b, c"] as the library reads it, 'a,"b, c"'; noise={"a": 0.1} as "a:0.1". spell: of one column."""
    if name == "noise" and value == "auto":
        return value
    items = [spell(item) for item in _items(name, value)]
    if name == "noise":
        items = [f"{item}:{float(width)!r}" for item, width in zip(items, value.values())]
    return ",".join('"' + item.replace('"', '""') + '"' for item in items)


@functools.lru_cache(maxsize=None)
def _table(kind):
    model = {None: None, "density": lib.LAM_DENSITY, "vae": lib.LAM_VAE}[kind]
    defaults = _defaults()
    found = []
    for index, p in each_parameter():
        name = text_of(p.name)
        if name != "model" and (model is None or lib.lam_parameter_applies(index, model)):
            found.append(Parameter(name.replace("-", "_"), text_of(p.group), text_of(p.values), _get(defaults, name),
                                   as_python(text_of(p.help))))
    return tuple(found)


def current(name):
    """A parameter's name, for one that it had in an earlier version; any other name as it is."""
    found = lib.lam_parameter_find(name.encode("utf-8", "replace"))
    return name if found == ffi.NULL else text_of(found.name).replace("-", "_")


@functools.lru_cache(maxsize=None)
def names(kind):
    """Names of parameters(kind)."""
    return frozenset(p.name for p in _table(kind))


def parameters(kind=None):
    """All parameters, or those of kind "density" or "vae", as a list of Parameter."""
    if kind not in (None, "density", "vae"):
        raise ArgumentError(f"kind={kind!r}: it is 'density' or 'vae'")
    return list(_table(kind))


def presets(kind=None):
    """Names of the published settings that preset= takes, each with a line about it; all, or those of kind "density" or "vae"."""
    if kind not in (None, "density", "vae"):
        raise ArgumentError(f"kind={kind!r}: it is 'density' or 'vae'")
    found, index = {}, 0
    while (p := lib.lam_preset_at(index)) != ffi.NULL:
        index += 1
        if kind is None or p.model == (lib.LAM_VAE if kind == "vae" else lib.LAM_DENSITY):
            found[text_of(p.name)] = text_of(p.about)
    return found


def describe(kind, without=()):
    """The parameters of a kind, as the end of a docstring."""
    lines, group = [], None
    for p in parameters(kind):
        if p.name in without:
            continue
        if p.group != group:
            group = p.group
            lines.append(f"\n    {group}:")
        lines.append(f"      {p.name:22} {p.help} ({p.values}; default {p.default or 'none'})")
    return "\n".join(lines)
