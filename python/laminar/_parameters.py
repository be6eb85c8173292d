"""Parameters: one table, the library's, serves YAML files, flags and keywords. batch-size there is batch_size here."""
import collections
import inspect

from ._library import check, ffi, lib, path_bytes, text_of

Parameter = collections.namedtuple("Parameter", "name group values default help")


def _get(config, name):
    room = ffi.new("char[]", 4096)
    check(lib.lam_config_get(config, name.encode(), room, 4096))
    return ffi.string(room).decode()


class Config:
    """A lam_config and its strings."""

    def __init__(self, kind, settings=(), path=None):
        self.pointer = ffi.gc(ffi.new("lam_config *"), lib.lam_config_clear)
        lib.lam_config_init(self.pointer)
        self.pointer.model = kind
        if path is not None:
            check(lib.lam_config_load(self.pointer, path_bytes(path)))
        given = dict(settings)
        for p in parameters():  # in the table's order: "tpr" goes before the three that it sets
            value = given.pop(p.name, None)
            if value is not None:
                self.set(p.name, as_text(value, "-" if p.values == "N-N-N" else ","))
        for name in given:
            self.set(name, "")  # refused, with the nearest name

    def set(self, name, text):
        check(lib.lam_config_set(self.pointer, name.encode(), text.encode()))


def settings_of(pointer):
    """What stands in a lam_config, as texts."""
    return {p.name: _get(pointer, p.name) for p in parameters()}


def as_text(value, separator=","):
    """A value as the library reads it: dims=(60, 60) is "60-60", columns=["a", "b"] is "a,b", noise={"a": 0.1} is "a:0.1"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return separator.join(f"{key}:{as_text(item)}" for key, item in value.items())
    if hasattr(value, "__iter__"):
        return separator.join(as_text(item) for item in value)
    return repr(value.item() if hasattr(value, "item") else value)


def parameters(kind=None):
    """All parameters, or those of kind "density" or "vae": name, group, values, default and a sentence of help each."""
    model = {None: None, "density": lib.LAM_DENSITY, "vae": lib.LAM_VAE}[kind]
    defaults = ffi.gc(ffi.new("lam_config *"), lib.lam_config_clear)
    lib.lam_config_init(defaults)
    found, index = [], 0
    while (p := lib.lam_parameter_at(index)) != ffi.NULL:
        name = text_of(p.name)
        if name != "model" and (model is None or lib.lam_parameter_applies(index, model)):
            found.append(Parameter(name.replace("-", "_"), text_of(p.group), text_of(p.values), _get(defaults, name),
                                   text_of(p.help)))
        index += 1
    return found


def describe(kind):
    """The parameters of a kind, as the end of a docstring."""
    lines, group = [], None
    for p in parameters(kind):
        if p.group != group:
            group = p.group
            lines.append(f"\n    {group}:")
        lines.append(f"      {p.name:22} {p.help} ({p.values}; default {p.default or 'none'})")
    return "\n".join(lines)


def signature(kind):
    """What an editor completes and scikit-learn reads: every parameter by keyword, None being its default."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    return inspect.Signature([inspect.Parameter("config", keyword, default=None)] + [inspect.Parameter(p.name, keyword, default=None) for p in parameters(kind)])
