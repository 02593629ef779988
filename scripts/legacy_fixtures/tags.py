"""What a saved configuration exercises, as words for the `features` column."""

SHOWN = """activation recurrent_activation return_sequences return_state go_backwards stateful unroll implementation
reset_after merge_mode mask_zero mask_value padding dilation_rate strides output_padding depth_multiplier data_format
interpolation axis axes normalize scale center alpha theta max_value negative_slope threshold use_scale
shared_axes""".split()
QUIET = {"activation": "linear", "padding": "valid", "data_format": "channels_last", "return_state": False}
QUIET.update(go_backwards=False, stateful=False, unroll=False, scale=True, center=True, output_padding=None)
QUIET.update(negative_slope=0.0, threshold=0.0, max_value=None, return_sequences=False)


def shown(config: dict) -> str:
    """The options worth naming: `[activation=tanh,go_backwards]`."""
    words = []
    for key in SHOWN:
        value = config.get(key)
        if key not in config or value == QUIET.get(key, "-") or isinstance(value, dict):
            continue
        value = tuple(value) if isinstance(value, (list, tuple)) else value
        if isinstance(value, tuple) and len(set(value)) == 1 and key != "axes":
            value = value[0]
        if key in ("strides", "dilation_rate") and value == 1:
            continue
        words.append(key if value is True else f"{key}={value}".replace(" ", ""))
    return f"[{','.join(words)}]" if words else ""


def walk(config: object, found: list) -> None:
    """Every serialised layer, wrapped and nested ones included."""
    if isinstance(config, (list, tuple)):
        for part in config:
            walk(part, found)
    elif isinstance(config, dict):
        if isinstance(config.get("config"), (dict, list)) and "class_name" in config:
            found.append((config["class_name"], config["config"]))
        for key, part in config.items():
            if not key.endswith(("initializer", "regularizer", "constraint")):
                walk(part, found)


def tags(model: object) -> "list[str]":
    found = []
    walk(model.get_config(), found)
    words = ["sequential" if type(model).__name__ == "Sequential" else "functional"]
    words += ["multi_input"] * (len(model.inputs) > 1) + ["multi_output"] * (len(model.outputs) > 1)
    names = [name for name, _ in found]
    families = {
        "has_rnn": ("LSTM", "GRU", "RNN"),
        "has_cudnn": ("CuDNN",),
        "has_bidirectional": ("Bidirectional",),
        "has_nested_or_td": ("TimeDistributed", "Model", "Sequential", "Functional"),
    }
    words += [word for word, parts in families.items() if any(part in name for name in names for part in parts)]
    for name, config in found:
        if isinstance(config, dict):
            words += ["backward_layer"] * ("backward_layer" in config)
            words += ["name_with_slash"] * ("/" in str(config.get("name")))
            word = name + shown(config)
            words += [word] if name != "InputLayer" else []
    return sorted(set(words))
