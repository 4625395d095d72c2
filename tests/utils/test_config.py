"""``Config``, and batches packed and unpacked."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from deepkit.utils import Config, pack_x_y_sample_weight, unpack_x_y_sample_weight


def test_values():
    config = Config(a=1)
    config.b = 2
    config["c"] = 3
    assert (config.a, config["b"], config.get("c"), config.get("d", 4)) == (1, 2, 3, 4)
    assert list(config) == list(config.keys()) == ["a", "b", "c"] and len(config) == 3 and "a" in config
    assert list(config.values()) == [1, 2, 3] and dict(config.items()) == config.as_dict()
    assert config.pop("c") == 3 and repr(config) == "<Config {'a': 1, 'b': 2}>"
    del config.b, config["a"]
    config.update({"x": 1}, y=2)
    assert config.to_json() == '{"x": 1, "y": 2}'


def test_unknown():
    config = Config(momentum=0.9)
    with pytest.raises(AttributeError, match="Did you mean 'momentum'"):
        _ = config.momentun
    with pytest.raises(KeyError):
        _ = config["x"]
    with pytest.raises(AttributeError, match="no value"):
        del config.x
    with pytest.raises(AttributeError, match="method"):
        config.keys = 3


@pytest.mark.parametrize("change", [
    lambda c: setattr(c, "a", 2), lambda c: c.update(a=2), lambda c: c.pop("a"), lambda c: c.__delitem__("a"),
])  # fmt: skip
def test_frozen(change):
    config = Config(a=1)
    config.freeze()
    with pytest.raises(ValueError, match="frozen"):
        change(config)
    assert config.frozen and config.as_dict() == {"a": 1}
    config.unfreeze()
    change(config)


@pytest.mark.parametrize("again", [copy.deepcopy, copy.copy, lambda c: pickle.loads(pickle.dumps(c))])
def test_copies(again):
    config = Config(a=[1])
    config.freeze()
    other = again(config)
    assert other.as_dict() == {"a": [1]} and other.frozen


@pytest.mark.parametrize("parts, packed", [
    ((1,), 1), (([1],), ([1],)), (((1,),), ((1,),)), (({"a": 1},), {"a": 1}), ((1, 2), (1, 2)),
    ((1, 2, 3), (1, 2, 3)), ((1, None, 3), 1),
])  # fmt: skip
def test_pack(parts, packed):
    assert pack_x_y_sample_weight(*parts) == packed


def test_unpack():
    x = np.ones(2)
    assert unpack_x_y_sample_weight(x) == (x, None, None)
    assert unpack_x_y_sample_weight([1, 2]) == (1, 2, None)
    with pytest.raises(ValueError, match="length 4"):
        unpack_x_y_sample_weight((1, 2, 3, 4))
